/** Blocks over a map instead of a store, for tests of views. */
import { type Blocks, openBlocks } from '../slots/blocks.ts';
import type { BlockRow, ReadTx, Tx, View } from '../store/store.ts';

export interface KeptBlocks {
  readonly tx: ReadTx;
  readonly blocks: Blocks;
  flush(): Promise<void>;
  /** By `VIEW PERIOD SUBJECT`, in hex. */
  rows(): ReadonlyMap<string, string>;
}

export function keptBlocks(): KeptBlocks {
  const kept = new Map<string, BlockRow & { readonly view: View }>();
  const some: Pick<Tx, 'block' | 'blocks' | 'putBlock' | 'dropBlock'> = {
    block: (view, period, subject) => Promise.resolve(kept.get(`${view} ${period} ${subject}`)?.block),
    blocks: (view, from, to, subject) =>
      Promise.resolve(
        [...kept.values()].filter(
          (row) =>
            row.view === view &&
            row.period >= from &&
            row.period <= to &&
            (subject === undefined || row.subject === subject),
        ),
      ),
    putBlock(view, period, subject, block) {
      kept.set(`${view} ${period} ${subject}`, { view, period, subject, block: block.slice() });
      return Promise.resolve();
    },
    dropBlock(view, period, subject) {
      kept.delete(`${view} ${period} ${subject}`);
      return Promise.resolve();
    },
  };
  const tx = some as Tx;
  const blocks = openBlocks();
  return {
    tx,
    blocks,
    async flush() {
      await blocks.flush(tx);
      blocks.kept();
    },
    rows: () =>
      new Map(
        [...kept]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([place, { block }]) => [place, Buffer.from(block).toString('hex')]),
      ),
  };
}
