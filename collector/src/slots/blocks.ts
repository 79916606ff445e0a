/**
 * One shard's blocks, in memory over the store: what was set and is not flushed yet hides what is kept. A damaged one is as
 * if it were not there; the bytes of a damaged day of slots stay until `highwater rebuild`, so that no part of a day takes
 * its place, and a damaged month is added up again from its days.
 */
import type { BlockRow, ReadTx, Tx, View } from '../store/store.ts';
import { addUpMonth } from './add-up-month.ts';
import { type DamagedBlock, openReadable } from './readable.ts';

export interface Blocks {
  get(tx: ReadTx, view: View, period: number, subject: string): Promise<Uint8Array | undefined>;
  /** An empty one takes the block away: one that was emptied again is as if it had never been. */
  set(view: View, period: number, subject: string, block: Uint8Array): void;
  /** Whether a block is damaged in the store, as whoever read it found, and is not to be written. */
  isLocked(view: View, period: number, subject: string): boolean;
  /** Of periods [from, to], by period; of one subject or of all. */
  list(tx: ReadTx, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
  /** Writes what was set; returns how many blocks. They stay in memory until `kept` says that the transaction held. */
  flush(tx: Tx): Promise<number>;
  kept(): void;
  /** What was not flushed did not happen. */
  forget(): void;
  /** Another number after each change of a period's blocks: what has the one before need not be read again. */
  changes(view: View, period: number): number;
}

interface Held extends BlockRow {
  readonly view: View;
}

type Periods = Map<number, Map<string, Held>>;

/** Periods whose changes are counted apart; with more, all are taken to have changed. */
const MAX_COUNTED = 20_000;

/** @param tell of a block that is damaged */
export function openBlocks(tell: (damaged: DamagedBlock) => void = () => undefined): Blocks {
  const views = new Map<View, Periods>();
  let flushed: readonly Held[] = [];
  const counted = new Map<string, number>();
  let changes = 0;
  const locked = new Set<string>();
  const readable = openReadable((damaged) => {
    if (damaged.view === 'slots') locked.add(`${damaged.view} ${damaged.period} ${damaged.subject}`);
    tell(damaged);
  });
  /** The number of a period that is not counted. */
  let others = 0;

  const changed = (view: View, period: number): void => {
    if (counted.size >= MAX_COUNTED) {
      counted.clear();
      others = changes;
    }
    changes += 1;
    counted.set(`${view} ${period}`, changes);
  };

  const periodOf = (view: View, period: number): Map<string, Held> | undefined =>
    views.get(view)?.get(period);

  function* all(): Generator<Held> {
    for (const periods of views.values()) {
      for (const held of periods.values()) yield* held.values();
    }
  }

  /** As it can be read: undefined for a damaged one, made again for a month. */
  const asRead = async (
    tx: ReadTx,
    view: View,
    { period, subject, block }: BlockRow,
  ): Promise<Uint8Array | undefined> => {
    if (readable.is(view, period, subject, block)) return block;
    return view === 'totals' ? addUpMonth(tx, period, subject) : undefined;
  };

  return {
    isLocked: (view, period, subject) => locked.has(`${view} ${period} ${subject}`),
    async get(tx, view, period, subject) {
      const held = periodOf(view, period)?.get(subject)?.block;
      if (held !== undefined) return held.length === 0 ? undefined : held;
      const block = await tx.block(view, period, subject);
      if (block === undefined) return undefined;
      return asRead(tx, view, { period, subject, block });
    },
    set(view, period, subject, block) {
      if (locked.has(`${view} ${period} ${subject}`)) return;
      const periods = views.get(view) ?? (new Map() as Periods);
      views.set(view, periods);
      const held = periods.get(period) ?? new Map<string, Held>();
      periods.set(period, held);
      held.set(subject, { view, period, subject, block });
      changed(view, period);
    },
    async list(tx, view, from, to, subject) {
      const rows = new Map<string, BlockRow>();
      for (const row of await tx.blocks(view, from, to, subject)) {
        const isGood = readable.is(view, row.period, row.subject, row.block);
        const block = isGood ? row.block : await asRead(tx, view, row);
        if (block !== undefined) rows.set(`${row.period} ${row.subject}`, { ...row, block });
      }
      for (const [period, held] of views.get(view) ?? []) {
        if (period < from || period > to) continue;
        for (const row of held.values()) {
          if (subject !== undefined && row.subject !== subject) continue;
          const place = `${period} ${row.subject}`;
          if (row.block.length === 0) rows.delete(place);
          else rows.set(place, { period, subject: row.subject, block: row.block });
        }
      }
      return [...rows.values()].sort((a, b) => a.period - b.period);
    },
    async flush(tx) {
      flushed = [...all()];
      for (const { view, period, subject, block } of flushed) {
        if (block.length > 0) await tx.putBlock(view, period, subject, block);
        else await tx.dropBlock(view, period, subject);
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
      counted.clear();
      changes += 1;
      others = changes;
    },
    changes: (view, period) => counted.get(`${view} ${period}`) ?? others,
  };
}
