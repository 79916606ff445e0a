/** Bodies of batches until they are packed, and where packed ones are. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { dayOfMinute } from '@highwater/config/time.ts';
import type { HeldBody, PackRow, ReadTx, Shown, Tx } from '../store.ts';
import type { Names } from './names.ts';
import type { Db } from './open.ts';

type Reads = Pick<ReadTx, 'heldBodies' | 'bodyPlaces' | 'heldBefore' | 'packs' | 'packsBefore'>;
type Writes = Pick<Tx, 'addBodies' | 'dropBodies' | 'addPack' | 'dropPack' | 'addPlace' | 'dropPlace'>;

const shownWords: readonly Shown[] = ['public', 'private', 'salted'];
const LF = 10;
/** What a row of bodies, or the commits of a pack, may be when unpacked: more than what is accepted makes (MAX_BODY_BYTES). */
const MAX_ROW_BYTES = 33_554_432;

/** `SHOWN BYTES HASH SERVICE` a line, an empty line, then the texts one after the other. */
function encode(bodies: readonly HeldBody[]): Buffer {
  const heads = bodies.map(
    ({ service, hash, shown, text }) => `${shownWords.indexOf(shown)} ${text.length} ${hash} ${service}\n`,
  );
  // A text has no byte beyond ASCII: the line's grammar refuses it before it is held.
  const whole = `${heads.join('')}\n${bodies.map(({ text }) => text).join('')}`;
  return zstdCompressSync(Buffer.from(whole, 'latin1'));
}

/**
 * Only what is wanted becomes text, each with bytes of its own: a piece of the whole would keep the whole in memory. Throws
 * what zstd throws for a row that is damaged, or that gives more than may be in one.
 */
function decode(block: Uint8Array, isWanted: (service: string) => boolean): HeldBody[] {
  const whole = zstdDecompressSync(block, { maxOutputLength: MAX_ROW_BYTES });
  const bodies: HeldBody[] = [];
  let at = bodiesBegin(whole);
  for (const line of whole.toString('latin1', 0, at - 1).split('\n')) {
    if (line === '') continue;
    const [shown = '', length = '', hash = '', service = ''] = line.split(' ');
    const end = at + Number(length);
    if (!(end <= whole.length)) throw new RangeError('a row of bodies is damaged');
    if (isWanted(service)) {
      const text = whole.toString('latin1', at, end);
      bodies.push({ service, hash, shown: shownWords[Number(shown)] ?? 'private', text });
    }
    at = end;
  }
  return bodies;
}

function bodiesBegin(whole: Buffer): number {
  return whole[0] === LF ? 1 : whole.indexOf('\n\n') + 2;
}

/** As differences: they repeat, and compress to next to nothing. */
export function encodeCommits(commits: readonly number[]): Buffer {
  return zstdCompressSync(JSON.stringify(commits.map((index, i) => index - (commits[i - 1] ?? 0))));
}

export function decodeCommits(block: Uint8Array): number[] {
  let last = 0;
  const steps = JSON.parse(
    zstdDecompressSync(block, { maxOutputLength: MAX_ROW_BYTES }).toString(),
  ) as number[];
  return steps.map((step) => (last += step));
}

/** The first 8 bytes of a hash as a signed number: what a body is found by. */
function prefixOf(hash: string): bigint {
  return Buffer.from(hash, 'base64').readBigInt64BE(0);
}

interface PackLine {
  day: number;
  service: number;
  part: number;
  blob: string;
  commits: Uint8Array;
  lines: number;
  bytes: number;
  body_bytes: number;
}

const packColumns = 'day, service, part, blob, commits, lines, bytes, body_bytes';

export function bodyReads(db: Db, names: Names): (shard: number) => Reads {
  const block = db
    .prepare<[number, number], Uint8Array>('SELECT block FROM bodies WHERE shard = ? AND idx = ?')
    .pluck();
  const places = db.prepare<[number, bigint], { idx: number; place: number }>(
    'SELECT idx, place FROM body_places WHERE shard = ? AND prefix = ? ORDER BY idx, place',
  );
  const before = db
    .prepare<[number, number, number], number>(
      'SELECT idx FROM bodies WHERE shard = ? AND day < ? ORDER BY idx LIMIT ?',
    )
    .pluck();
  const of = db.prepare<[number, number, number], PackLine>(
    `SELECT ${packColumns} FROM packs WHERE shard = ? AND day = ? AND service = ? ORDER BY part`,
  );
  const old = db.prepare<[number, number, number], PackLine>(
    `SELECT ${packColumns} FROM packs WHERE shard = ? AND day < ? ORDER BY day, service, part LIMIT ?`,
  );
  const packOf = (row: PackLine): PackRow => ({
    service: names.name(row.service),
    day: row.day,
    part: row.part,
    blob: row.blob,
    // Unpacked when it is looked at: who looks for one body has no need of it.
    get commits() {
      return decodeCommits(row.commits);
    },
    lines: row.lines,
    bytes: row.bytes,
    bodyBytes: row.body_bytes,
  });
  return (shard) => ({
    async heldBodies(index, isWanted = () => true) {
      const row = block.get(shard, index);
      return row === undefined ? undefined : decode(row, isWanted);
    },
    async bodyPlaces(hash) {
      return places.all(shard, prefixOf(hash)).map(({ idx, place }) => ({ index: idx, place }));
    },
    async heldBefore(day, limit) {
      return before.all(shard, day, limit);
    },
    async packs(service, day) {
      const id = names.find(service);
      return id === undefined ? [] : of.all(shard, day, id).map(packOf);
    },
    async packsBefore(day, limit) {
      return old.all(shard, day, limit).map(packOf);
    },
  });
}

export function bodyWrites(db: Db, names: Names): (shard: number) => Writes {
  const last = db
    .prepare<[number, number], number>('SELECT last FROM batch_minutes WHERE shard = ? AND idx = ?')
    .pluck();
  const add = db.prepare('INSERT INTO bodies (shard, idx, day, block) VALUES (?, ?, ?, ?)');
  const place = db.prepare(
    'INSERT INTO body_places (shard, prefix, idx, place) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const drop = db.prepare('DELETE FROM bodies WHERE shard = ? AND idx = ?');
  const forget = db.prepare('DELETE FROM body_places WHERE shard = ? AND prefix = ? AND idx = ?');
  const pack = db.prepare(`INSERT INTO packs (shard, ${packColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const unpack = db.prepare('DELETE FROM packs WHERE shard = ? AND day = ? AND service = ? AND part = ?');
  return (shard) => ({
    async addBodies(index, bodies) {
      add.run(shard, index, dayOfMinute(last.get(shard, index) ?? 0), encode(bodies));
      for (const [i, { hash }] of bodies.entries()) place.run(shard, prefixOf(hash), index, i);
    },
    async dropBodies(indexes) {
      for (const index of indexes) drop.run(shard, index);
    },
    async addPlace(hash, { index, place: at }) {
      place.run(shard, prefixOf(hash), index, at);
    },
    async dropPlace(hash, index) {
      forget.run(shard, prefixOf(hash), index);
    },
    async addPack(p) {
      const commits = encodeCommits(p.commits);
      pack.run(shard, p.day, names.make(p.service), p.part, p.blob, commits, p.lines, p.bytes, p.bodyBytes);
    },
    async dropPack(service, day, part) {
      const id = names.find(service);
      if (id !== undefined) unpack.run(shard, day, id, part);
    },
  });
}
