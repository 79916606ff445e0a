/** One shard's blocks, in memory over the store: what was set and is not flushed yet hides what is kept. */
import type { BlockRow, ReadTx, Tx, View } from '../store/store.ts';

export interface Blocks {
  get(tx: ReadTx, view: View, period: number, subject: string): Promise<Uint8Array | undefined>;
  set(view: View, period: number, subject: string, block: Uint8Array): void;
  /** Of periods [from, to], by period; of one subject or of all. */
  list(tx: ReadTx, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
  /** Writes what was set; returns how many blocks. They stay in memory until `kept` says that the transaction held. */
  flush(tx: Tx): Promise<number>;
  kept(): void;
  /** What was not flushed did not happen. */
  forget(): void;
}

interface Held extends BlockRow {
  readonly view: View;
}

type Periods = Map<number, Map<string, Held>>;

export function openBlocks(): Blocks {
  const views = new Map<View, Periods>();
  let flushed: readonly Held[] = [];

  const periodOf = (view: View, period: number): Map<string, Held> | undefined =>
    views.get(view)?.get(period);

  function* all(): Generator<Held> {
    for (const periods of views.values()) {
      for (const held of periods.values()) yield* held.values();
    }
  }

  return {
    async get(tx, view, period, subject) {
      return periodOf(view, period)?.get(subject)?.block ?? (await tx.block(view, period, subject));
    },
    set(view, period, subject, block) {
      const periods = views.get(view) ?? (new Map() as Periods);
      views.set(view, periods);
      const held = periods.get(period) ?? new Map<string, Held>();
      periods.set(period, held);
      held.set(subject, { view, period, subject, block });
    },
    async list(tx, view, from, to, subject) {
      const kept = await tx.blocks(view, from, to, subject);
      const rows = new Map(kept.map((row) => [`${row.period} ${row.subject}`, row]));
      for (const [period, held] of views.get(view) ?? []) {
        if (period < from || period > to) continue;
        for (const row of held.values()) {
          if (subject !== undefined && row.subject !== subject) continue;
          rows.set(`${period} ${row.subject}`, { period, subject: row.subject, block: row.block });
        }
      }
      return [...rows.values()].sort((a, b) => a.period - b.period);
    },
    async flush(tx) {
      flushed = [...all()];
      for (const { view, period, subject, block } of flushed) {
        await tx.putBlock(view, period, subject, block);
      }
      return flushed.length;
    },
    kept() {
      // What was set again since stays.
      for (const held of flushed) {
        const period = periodOf(held.view, held.period);
        if (period?.get(held.subject) !== held) continue;
        period.delete(held.subject);
        if (period.size === 0) views.get(held.view)?.delete(held.period);
      }
      flushed = [];
    },
    forget() {
      views.clear();
      flushed = [];
    },
  };
}
