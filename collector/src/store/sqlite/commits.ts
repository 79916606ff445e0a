import { MAX_ENTRY_BYTES } from '@highwater/config/proof/tiles.ts';
import type { CommitKind, CommitRow, ReadTx, Tx } from '../store.ts';
import type { Names } from './names.ts';
import type { Db } from './open.ts';

interface Row {
  idx: number;
  kind: CommitKind;
  at: number;
  hash: Buffer;
  probe: number | null;
  epoch: number | null;
  number: number | null;
  note: string;
  body: string | null;
}

type Reads = Pick<
  ReadTx,
  | 'commitsFrom'
  | 'commitSize'
  | 'commitByHash'
  | 'batches'
  | 'batchesSince'
  | 'batchesCovering'
  | 'batchesWithin'
  | 'leaves'
  | 'lastOfKind'
  | 'lastBatch'
>;

const columns = 'idx, kind, at, hash, probe, epoch, number, note, body';
const sizeSql = 'SELECT coalesce(max(idx) + 1, 0) FROM commits WHERE shard = ?';

/** The commit sequence: one order over batches, configuration, enrolment and maintenance. */
export function commitReads(db: Db, names: Names): (shard: number) => Reads {
  const from = db.prepare<[number, number, number], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND idx >= ? ORDER BY idx LIMIT ?`,
  );
  const size = db.prepare<[number], number>(sizeSql).pluck();
  const byHash = db.prepare<[number, Buffer], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND hash = ?`,
  );
  const batches = db.prepare<[number, number, number, number], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND probe = ? AND epoch = ? AND number = ? ORDER BY idx`,
  );
  const since = db.prepare<[number, number, number, number, number], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND probe = ? AND epoch = ? AND number >= ? ORDER BY number, idx LIMIT ?`,
  );
  const covering = db.prepare<[number, number, number, number], Row>(
    `SELECT ${columns
      .split(', ')
      .map((name) => `c.${name}`)
      .join(', ')} FROM batch_minutes m JOIN commits c USING (shard, idx)
     WHERE m.shard = ? AND m.probe = ? AND m.last >= ? AND m.first <= ? ORDER BY idx`,
  );
  const within = db.prepare<[number, number, number], { index: number; first: number }>(
    'SELECT idx AS "index", first FROM batch_minutes WHERE shard = ? AND last >= ? AND first <= ? ORDER BY idx',
  );
  const leaves = db.prepare<[number], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND kind <> 'batch' ORDER BY idx`,
  );
  const ofKind = db.prepare<[number, string], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND kind = ? AND kind <> 'batch' ORDER BY idx DESC LIMIT 1`,
  );
  const newest = db.prepare<[number, number], Row>(
    `SELECT ${columns} FROM commits WHERE shard = ? AND probe = ? ORDER BY epoch DESC, number DESC, idx LIMIT 1`,
  );
  const decode = (row: Row): CommitRow => ({
    index: row.idx,
    kind: row.kind,
    at: row.at,
    note: row.note,
    hash: row.hash.toString('base64'),
    ...(row.body === null ? {} : { body: row.body }),
    ...(row.probe === null || row.epoch === null || row.number === null
      ? {}
      : { batch: { probe: names.name(row.probe), epoch: row.epoch, number: row.number } }),
  });
  const maybe = (row: Row | undefined): CommitRow | undefined =>
    row === undefined ? undefined : decode(row);
  return (shard) => ({
    async commitsFrom(index, limit) {
      return from.all(shard, index, limit).map(decode);
    },
    async commitSize() {
      return size.get(shard) ?? 0;
    },
    async commitByHash(hash) {
      return maybe(byHash.get(shard, Buffer.from(hash, 'base64')));
    },
    async batches(probe, epoch, number) {
      const id = names.find(probe);
      return id === undefined ? [] : batches.all(shard, id, epoch, number).map(decode);
    },
    async batchesSince(probe, epoch, number, limit) {
      const id = names.find(probe);
      return id === undefined ? [] : since.all(shard, id, epoch, number, limit).map(decode);
    },
    async batchesCovering(probe, first, last) {
      const id = names.find(probe);
      return id === undefined ? [] : covering.all(shard, id, first, last).map(decode);
    },
    async batchesWithin(first, last) {
      return within.all(shard, first, last);
    },
    async leaves() {
      return leaves.all(shard).map(decode);
    },
    async lastOfKind(kind) {
      return maybe(ofKind.get(shard, kind));
    },
    async lastBatch(probe) {
      const id = names.find(probe);
      return id === undefined ? undefined : maybe(newest.get(shard, id));
    },
  });
}

export function commitWrites(db: Db, names: Names): (shard: number) => Pick<Tx, 'addCommit'> {
  const size = db.prepare<[number], number>(sizeSql).pluck();
  const insert = db.prepare(`INSERT INTO commits (shard, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const minutes = db.prepare(
    'INSERT INTO batch_minutes (shard, probe, last, idx, first) VALUES (?, ?, ?, ?, ?)',
  );
  return (shard) => ({
    async addCommit(c) {
      if (Buffer.byteLength(c.note) > MAX_ENTRY_BYTES) {
        throw new RangeError(`a ${c.kind} leaf has over ${MAX_ENTRY_BYTES} bytes`);
      }
      const index = size.get(shard) ?? 0;
      const probe = c.batch === undefined ? null : names.make(c.batch.probe);
      const { epoch = null, number = null } = c.batch ?? {};
      const hash = Buffer.from(c.hash, 'base64');
      insert.run(shard, index, c.kind, c.at, hash, probe, epoch, number, c.note, c.body ?? null);
      if (c.batch !== undefined)
        minutes.run(shard, probe, c.batch.minutes.last, index, c.batch.minutes.first);
      return index;
    },
  });
}
