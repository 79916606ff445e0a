import { ConflictError, type CheckpointRow, type ReadTx, type Tx } from '../store.ts';
import type { Db } from './open.ts';

interface Row {
  year: number;
  size: number;
  root: Buffer;
  at: number;
  note: string;
}

const columns = 'year, size, root, at, note';
const lastSql = `SELECT ${columns} FROM checkpoints WHERE shard = ? AND year = ? ORDER BY size DESC LIMIT 1`;

const decode = (row: Row | undefined): CheckpointRow | undefined =>
  row === undefined ? undefined : { ...row, root: row.root.toString('base64') };

/** What was signed of each year's log. */
export function checkpointReads(
  db: Db,
): (shard: number) => Pick<ReadTx, 'lastCheckpoint' | 'checkpointAt' | 'checkpointUpTo'> {
  const last = db.prepare<[number, number], Row>(lastSql);
  const at = db.prepare<[number, number, number], Row>(
    `SELECT ${columns} FROM checkpoints WHERE shard = ? AND year = ? AND size = ?`,
  );
  const upTo = db.prepare<[number, number, number], Row>(
    `SELECT ${columns} FROM checkpoints WHERE shard = ? AND year = ? AND size <= ? ORDER BY size DESC LIMIT 1`,
  );
  return (shard) => ({
    async lastCheckpoint(year) {
      return decode(last.get(shard, year));
    },
    async checkpointAt(year, size) {
      return decode(at.get(shard, year, size));
    },
    async checkpointUpTo(year, size) {
      return decode(upTo.get(shard, year, size));
    },
  });
}

export function checkpointWrites(db: Db): (shard: number) => Pick<Tx, 'addCheckpoint'> {
  const last = db.prepare<[number, number], Row>(lastSql);
  const insert = db.prepare(`INSERT INTO checkpoints (shard, ${columns}) VALUES (?, ?, ?, ?, ?, ?)`);
  return (shard) => ({
    async addCheckpoint(after, { year, size, root, at, note }) {
      const have = last.get(shard, year)?.size ?? 0;
      if (have !== after || size <= have) {
        throw new ConflictError(`the log of ${year} was signed at ${have} entries, not at ${after}`);
      }
      insert.run(shard, year, size, Buffer.from(root, 'base64'), at, note);
    },
  });
}
