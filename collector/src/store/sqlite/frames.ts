import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { FrameRow, ReadTx, Tx } from '../store.ts';
import type { Names } from './names.ts';
import type { Db } from './open.ts';

interface Row {
  pos: number;
  probe: number;
  epoch: number;
  frame: number;
  received_at: number;
  /** As text in rows of versions before; empty where it is in `packed`. */
  note: string;
  details: string | null;
  /** The note, zstd. */
  packed: Uint8Array | null;
}

/** Of a note that is unpacked: no call that brings one has as many. */
const MAX_NOTE_BYTES = 4_194_304;
/** Level 1 takes half the time of the usual one, for one byte in a hundred: frames are dropped soon. */
const packing = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

type Reads = Pick<ReadTx, 'frame' | 'framesAfter' | 'framesOf' | 'framesBetween' | 'lastFramePos'>;
type Writes = Pick<Tx, 'addFrame' | 'dropFrames'>;

const columns = 'pos, probe, epoch, frame, received_at, note, details, packed';
const lastPos = `SELECT max(
  coalesce((SELECT max(pos) FROM frames WHERE shard = @shard), 0),
  coalesce((SELECT last FROM frames_floor WHERE shard = @shard), 0))`;

/** Frames as they came, in order of receipt. */
export function frameReads(db: Db, names: Names): (shard: number) => Reads {
  const one = db.prepare<[number, number, number, number], Row>(
    `SELECT ${columns} FROM frames WHERE shard = ? AND probe = ? AND epoch = ? AND frame = ?`,
  );
  const after = db.prepare<[number, number, number], Row>(
    `SELECT ${columns} FROM frames WHERE shard = ? AND pos > ? ORDER BY pos LIMIT ?`,
  );
  const of = db.prepare<[number, number, number, number, number], Row>(
    `SELECT ${columns} FROM frames WHERE shard = ? AND probe = ? AND epoch = ? AND frame >= ? ORDER BY frame LIMIT ?`,
  );
  const between = db.prepare<[number, number, number, number], Row>(
    `SELECT ${columns} FROM frames WHERE shard = ? AND received_at BETWEEN ? AND ?
     ORDER BY received_at DESC, pos DESC LIMIT ?`,
  );
  const last = db.prepare<[{ shard: number }], number>(lastPos).pluck();
  const decode = (row: Row): FrameRow => ({
    pos: row.pos,
    probe: names.name(row.probe),
    epoch: row.epoch,
    frame: row.frame,
    receivedAt: row.received_at,
    // Unpacked when it is looked at: who has the lines in memory has no need of it.
    get note() {
      return row.packed === null
        ? row.note
        : zstdDecompressSync(row.packed, { maxOutputLength: MAX_NOTE_BYTES }).toString('utf8');
    },
    ...(row.details === null ? {} : { details: JSON.parse(row.details) as Record<string, string> }),
  });
  return (shard) => ({
    async frame(probe, epoch, frame) {
      const id = names.find(probe);
      const row = id === undefined ? undefined : one.get(shard, id, epoch, frame);
      return row === undefined ? undefined : decode(row);
    },
    async framesAfter(pos, limit) {
      return after.all(shard, pos, limit).map(decode);
    },
    async framesOf(probe, epoch, frame, limit) {
      const id = names.find(probe);
      return id === undefined ? [] : of.all(shard, id, epoch, frame, limit).map(decode);
    },
    async framesBetween(from, to, limit) {
      return between.all(shard, from, to, limit).map(decode);
    },
    async lastFramePos() {
      return last.get({ shard }) ?? 0;
    },
  });
}

export function frameWrites(db: Db, names: Names): (shard: number) => Writes {
  const last = db.prepare<[{ shard: number }], number>(lastPos).pluck();
  const insert = db.prepare(`INSERT INTO frames (shard, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const floor = db.prepare(
    `INSERT INTO frames_floor (shard, received_before, pos, last) VALUES (?, ?, ?, ?)
     ON CONFLICT (shard) DO UPDATE SET received_before = excluded.received_before, pos = excluded.pos,
       last = max(last, excluded.last)`,
  );
  const oldest = (of: string): string =>
    `DELETE FROM frames WHERE rowid IN (
       SELECT rowid FROM frames WHERE shard = ? AND received_at < ? AND pos <= ? ${of} ORDER BY received_at LIMIT ?)`;
  const drop = db.prepare(oldest(''));
  const dropOf = db.prepare(oldest('AND probe = ?'));
  return (shard) => ({
    async addFrame(f) {
      const pos = (last.get({ shard }) ?? 0) + 1;
      const details = f.details === undefined ? null : JSON.stringify(f.details);
      const packed = zstdCompressSync(f.note, packing);
      insert.run(shard, pos, names.make(f.probe), f.epoch, f.frame, f.receivedAt, '', details, packed);
      return pos;
    },
    async dropFrames(receivedBefore, pos, limit, probe) {
      const id = probe === undefined ? undefined : names.find(probe);
      if (probe !== undefined && id === undefined) return 0;
      floor.run(shard, receivedBefore, pos, last.get({ shard }) ?? 0);
      return id === undefined
        ? drop.run(shard, receivedBefore, pos, limit).changes
        : dropOf.run(shard, receivedBefore, pos, id, limit).changes;
    },
  });
}
