import type { BlockRow, ReadTx, Tx } from '../store.ts';
import type { Names } from './names.ts';
import type { Db } from './open.ts';

interface Row {
  period: number;
  subject: number;
  block: Uint8Array;
}

type Reads = Pick<ReadTx, 'block' | 'blocks'>;
type Writes = Pick<Tx, 'putBlock' | 'dropBlocks' | 'dropBlock'>;

/** Views. By period first: what is written together lies together. */
export function blockReads(db: Db, names: Names): (shard: number) => Reads {
  const one = db
    .prepare<[number, string, number, number], Uint8Array>(
      'SELECT block FROM blocks WHERE shard = ? AND view = ? AND period = ? AND subject = ?',
    )
    .pluck();
  const all = db.prepare<[number, string, number, number], Row>(
    'SELECT period, subject, block FROM blocks WHERE shard = ? AND view = ? AND period BETWEEN ? AND ? ORDER BY period, subject',
  );
  const periods = db
    .prepare<[number, string, number, number], number>(
      'SELECT period FROM blocks WHERE shard = ? AND view = ? AND period BETWEEN ? AND ? ORDER BY period LIMIT 1',
    )
    .pluck();
  const decode = ({ period, subject, block }: Row): BlockRow => ({
    period,
    subject: names.name(subject),
    block,
  });
  return (shard) => ({
    async block(view, period, subject) {
      const id = names.find(subject);
      return id === undefined ? undefined : one.get(shard, view, period, id);
    },
    async blocks(view, from, to, subject) {
      if (subject === undefined) return all.all(shard, view, from, to).map(decode);
      const id = names.find(subject);
      const first = id === undefined ? undefined : periods.get(shard, view, from, to);
      const rows: BlockRow[] = [];
      // One look-up a period: they are days, or fewer.
      for (let period = first ?? to + 1; id !== undefined && period <= to; period += 1) {
        const block = one.get(shard, view, period, id);
        if (block !== undefined) rows.push({ period, subject, block });
      }
      return rows;
    },
  });
}

export function blockWrites(db: Db, names: Names): (shard: number) => Writes {
  const put = db.prepare(
    `INSERT INTO blocks (shard, view, period, subject, block) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET block = excluded.block`,
  );
  const drop = db.prepare(
    `DELETE FROM blocks WHERE (shard, view, period, subject) IN (
       SELECT shard, view, period, subject FROM blocks WHERE shard = ? AND view = ? AND period < ? ORDER BY period LIMIT ?)`,
  );
  const dropOne = db.prepare(
    'DELETE FROM blocks WHERE shard = ? AND view = ? AND period = ? AND subject = ?',
  );
  return (shard) => ({
    async putBlock(view, period, subject, block) {
      put.run(shard, view, period, names.make(subject), block);
    },
    async dropBlocks(view, before, limit) {
      return drop.run(shard, view, before, limit).changes;
    },
    async dropBlock(view, period, subject) {
      const id = names.find(subject);
      if (id !== undefined) dropOne.run(shard, view, period, id);
    },
  });
}
