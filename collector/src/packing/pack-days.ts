/**
 * Packs what is to be packed: reads with a connection of its own, writes each object, reads it back and compares every body
 * before a row may name it. What changes the store is asked of the port, whose owner is the one writer. Killed anywhere and
 * done again, nothing is lost and nothing doubled: bodies are held until packs have all of their batch.
 */
import { sha256 } from '@highwater/config/keys.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import {
  MIXED,
  type PackBody,
  PackError,
  readDirectory,
  readPackSegment,
  writePack,
} from '@highwater/config/proof/packed/pack.ts';
import { formatDay, type Instant } from '@highwater/config/time.ts';
import type { Packed } from '../bodies/packed.ts';
import { readUnnamed } from '../bodies/unnamed.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { BodyPlace, HeldBody, PackRow, ReadTx } from '../store/store.ts';
import { groupsOf, heldDays, readBatch } from './plan.ts';
import { zstd } from './zstd.ts';

/** Bodies in memory at once, and in one object, bytes: the thread takes five times as much. */
const MAX_BYTES = 33_554_432;
/** So many small parts of a service's day are made one part, together with what comes next. */
export const MAX_PARTS = 8;
/** What a body takes beside its text, bytes, taken high: a mixed pack may have many that are a line each. */
const BODY_BYTES = 64;
/** A part is small below this share of an object. */
const SMALL = 1 / 16;

/** What the store's one writer does; each is durable when it resolves. */
export interface PackingPort {
  /** Before an object is written: if no row names it later, it goes. */
  writing(blob: string): Promise<void>;
  /** A row for what was written, in place of others. */
  written(row: PackRow, replaced: readonly PackRow[]): Promise<void>;
  /** All bodies of these batches are in packs. */
  packed(indexes: readonly number[]): Promise<void>;
  /** Which batches name which bodies, where that was not said when they came. */
  placed(places: readonly FoundPlace[]): Promise<void>;
  /** How far files of versions before were looked for (pack-files.ts). */
  walked(state: WalkedState): Promise<void>;
  /** What could not be packed, a service or a batch, stays as it is. */
  failed(what: string, day: number, because: string): Promise<void>;
}

export interface FoundPlace extends BodyPlace {
  readonly hash: string;
}

export interface WalkedState {
  /** The first commit that was not looked at. */
  readonly next: number;
  /** Of commits below this one files are looked for, even if they came in rows. */
  readonly thorough: number;
}

export interface PackingWork {
  readonly tx: ReadTx;
  readonly blobs: Blobs;
  /** What is packed already, by batch. */
  readonly packed: Packed;
  readonly port: PackingPort;
  readonly now: Instant;
  readonly maxBytes?: number;
}

/** Where bodies of batches lie that are to be packed. */
export interface BodySource {
  /** Those that are wanted. Throws PackError where they can not be read. */
  bodies(index: number, isWanted: (service: string) => boolean): Promise<readonly HeldBody[]>;
}

interface Gathered {
  readonly index: number;
  readonly body: PackBody;
}

/** What a pack says of a batch. */
type NamedBatch = Pick<PackBody, 'probe' | 'epoch' | 'number' | 'minute'> & { readonly index: number };

/** By what is in it: a name stands for the same bytes for ever, in backups too, whatever a crash left. */
export function blobOf(service: string, day: number, object: Uint8Array): string {
  // A service that is called so may share the folder: what is in an object says whose it is, and gives its name.
  const folder = service === MIXED ? 'mixed' : service;
  return `packed/${formatDay(day)}/${folder}/${encodeHex(sha256(object).subarray(0, 16))}`;
}

const namedBy = (index: number, { probe, epoch, number, minutes }: Batch): NamedBatch => ({
  index,
  probe,
  epoch,
  number,
  minute: minutes.first,
});

function gather({ index, probe, epoch, number, minute }: NamedBatch, { text, shown }: HeldBody): Gathered {
  return { index, body: { probe, epoch, number, minute, shown, text } };
}

/** Throws PackError unless the object, as it was read back, gives exactly these bodies. */
function compare(
  object: Uint8Array | undefined,
  bodies: readonly PackBody[],
): { lines: number; bodyBytes: number } {
  if (object === undefined) throw new PackError('what was written is not there');
  const told = (body: Pick<PackBody, 'probe' | 'epoch' | 'number' | 'shown'>, text: string): string =>
    `${body.probe} ${body.epoch} ${body.number} ${body.shown} ${encodeHex(sha256(utf8(text)))}`;
  // By count: two batches of one number may have one body.
  const left = new Map<string, number>();
  for (const body of bodies) {
    const key = told(body, body.text);
    left.set(key, (left.get(key) ?? 0) + 1);
  }
  const directory = readDirectory(object, zstd);
  if (directory.bodies.length !== bodies.length)
    throw new PackError('it gives back another number of bodies');
  let next = 0;
  for (const [segment, { start, end }] of directory.segments.entries()) {
    const texts = readPackSegment(directory, segment, object.subarray(start, end), zstd);
    for (; directory.bodies[next]?.segment === segment; next += 1) {
      const body = directory.bodies[next];
      const key = body === undefined ? '' : told(body, texts[body.place] ?? '');
      const count = left.get(key) ?? 0;
      if (count === 0) throw new PackError('it gives back another body');
      left.set(key, count - 1);
    }
  }
  return { lines: directory.lines, bodyBytes: directory.bodyBytes };
}

/** Writes one object, and has a row made for it. */
async function writePart(
  { blobs, port }: PackingWork,
  what: { service: string; day: number; part: number; replaced: readonly PackRow[] },
  gathered: readonly Gathered[],
): Promise<void> {
  const { service, day, part, replaced } = what;
  const bodies = gathered.map(({ body }) => body);
  const object = writePack(service, bodies, zstd);
  const blob = blobOf(service, day, object);
  await port.writing(blob);
  await blobs.putIfAbsent(blob, object);
  const { lines, bodyBytes } = compare(await blobs.get(blob), bodies);
  const commits = [...new Set(gathered.map(({ index }) => index))].sort((a, b) => a - b);
  await port.written({ service, day, part, blob, commits, lines, bytes: object.length, bodyBytes }, replaced);
}

const sizeOf = ({ body }: Gathered): number => body.text.length + BODY_BYTES;

/** Whether one is of another batch than the last: all that a mixed pack has of a batch lies in one part. */
function isNext(part: readonly Gathered[], { index }: Gathered): boolean {
  return part.length > 0 && part.at(-1)?.index !== index;
}

/** By size, so that no object takes more memory than there may be. */
function* inParts(gathered: readonly Gathered[], maxBytes: number): Generator<Gathered[]> {
  let [part, bytes]: [Gathered[], number] = [[], 0];
  for (const each of gathered) {
    if (bytes + sizeOf(each) > maxBytes && isNext(part, each)) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(each);
    bytes += sizeOf(each);
  }
  if (part.length > 0) yield part;
}

/** What small parts of a service's day give, to be made one; undefined when one is not readable. */
async function merged(
  { tx, packed }: PackingWork,
  rows: readonly PackRow[],
): Promise<Gathered[] | undefined> {
  const gathered: Gathered[] = [];
  for (const row of rows) {
    let left = row.bodyBytes;
    for (const index of row.commits) {
      const held = await readBatch(tx, index);
      if (held === undefined) return undefined;
      const bodies = await packed.inPack(row, held.batch);
      if (bodies.length === 0) return undefined;
      for (const body of bodies) {
        gathered.push(gather(namedBy(index, held.batch), body));
        left -= body.text.length;
      }
    }
    // Of how many bodies a mixed one has, its commits say nothing.
    if (row.service === MIXED && left !== 0) return undefined;
  }
  return gathered;
}

async function packService(
  work: PackingWork,
  service: string,
  day: number,
  gathered: readonly Gathered[],
): Promise<void> {
  const rows = await work.tx.packs(service, day);
  const first = 1 + Math.max(-1, ...rows.map(({ part }) => part));
  const maxBytes = work.maxBytes ?? MAX_BYTES;
  const small = rows.filter(({ bodyBytes }) => bodyBytes < maxBytes * SMALL).slice(0, MAX_PARTS);
  const old = small.length < MAX_PARTS ? undefined : await merged(work, small);
  const all = old === undefined ? gathered : [...old, ...gathered];
  for (const [i, part] of [...inParts(all, maxBytes)].entries()) {
    // Parts that are replaced go with the first; they are small enough for one.
    const replaced = old !== undefined && i === 0 ? small : [];
    await writePart(work, { service, day, part: first + i, replaced }, part);
  }
}

/** What of a day's batches no pack has. */
interface Unpacked {
  readonly batches: readonly NamedBatch[];
  /** Bytes of the bodies by service. */
  readonly bytesOf: ReadonlyMap<string, number>;
  readonly isPacked: (service: string, index: number) => boolean;
  readonly packOf: PackOf;
}

/** In whose pack the body of a batch goes: the service's; MIXED for one that no configuration had named. */
export type PackOf = (service: string, index: number) => string;

export async function readPackOf(tx: ReadTx): Promise<PackOf> {
  const isUnnamed = await readUnnamed(tx);
  return (service, index) => (isUnnamed(service, index) ? MIXED : service);
}

/** Of a batch its name alone is held: a day has thousands, and each may name hundreds of bodies. */
async function unpackedOf(tx: ReadTx, day: number, indexes: readonly number[]): Promise<Unpacked> {
  const packOf = await readPackOf(tx);
  const packed = new Map<string, ReadonlySet<number>>();
  const bytesOf = new Map<string, number>();
  const batches: NamedBatch[] = [];
  for (const index of indexes) {
    const read = await readBatch(tx, index);
    if (read === undefined) continue;
    let isAny = false;
    for (const [named, { bytes }] of read.refs) {
      const service = packOf(named, index);
      const known = packed.get(service) ?? (await packedIndexes(tx, service, day));
      packed.set(service, known);
      if (known.has(index)) continue;
      isAny = true;
      bytesOf.set(service, (bytesOf.get(service) ?? 0) + bytes);
    }
    if (isAny) batches.push(namedBy(index, read.batch));
  }
  const isPacked = (service: string, index: number): boolean => packed.get(service)?.has(index) ?? false;
  return { batches, bytesOf, isPacked, packOf };
}

/** Commit indexes of the batches whose bodies of a service and day are in packs. */
export async function packedIndexes(tx: ReadTx, service: string, day: number): Promise<ReadonlySet<number>> {
  return new Set((await tx.packs(service, day)).flatMap(({ commits }) => commits));
}

/** Gathers bodies by the pack they go in, and hands on what would be too much. */
class Gathering {
  readonly #maxBytes: number;
  readonly #pack: (service: string, gathered: readonly Gathered[]) => Promise<void>;
  readonly #of = new Map<string, { all: Gathered[]; bytes: number }>();
  constructor(maxBytes: number, pack: (service: string, gathered: readonly Gathered[]) => Promise<void>) {
    this.#maxBytes = maxBytes;
    this.#pack = pack;
  }

  async add(service: string, one: Gathered): Promise<void> {
    const had = this.#of.get(service) ?? { all: [], bytes: 0 };
    const bytes = sizeOf(one);
    const isFull = had.bytes + bytes > this.#maxBytes && isNext(had.all, one);
    if (isFull) await this.#pack(service, had.all);
    const next = isFull ? { all: [], bytes: 0 } : had;
    next.all.push(one);
    next.bytes += bytes;
    this.#of.set(service, next);
  }

  async rest(): Promise<void> {
    for (const [service, { all }] of this.#of) {
      await this.#pack(service, all);
      this.#of.delete(service);
    }
  }
}

/** Packs what of these batches of a day no pack has, group by group; gives those of which something could not be packed. */
export async function packDay(
  work: PackingWork,
  day: number,
  indexes: readonly number[],
  source: BodySource,
): Promise<ReadonlySet<number>> {
  const { tx, port, maxBytes = MAX_BYTES } = work;
  const { batches, bytesOf, isPacked, packOf } = await unpackedOf(tx, day, indexes);
  const failed = new Set<number>();
  const orFailed = async (what: string, of: readonly number[], run: () => Promise<void>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      if (!(error instanceof PackError)) throw error;
      for (const index of of) failed.add(index);
      await port.failed(what, day, error.message);
    }
  };
  for (const group of groupsOf(bytesOf, maxBytes)) {
    const isOfGroup = new Set(group);
    const gathering = new Gathering(maxBytes, (service, gathered) =>
      orFailed(
        service,
        gathered.map(({ index }) => index),
        () => packService(work, service, day, gathered),
      ),
    );
    for (const batch of batches) {
      const { index } = batch;
      if (failed.has(index)) continue;
      await orFailed(`batch ${index}`, [index], async () => {
        const isWanted = (named: string): boolean => {
          const service = packOf(named, index);
          return isOfGroup.has(service) && !isPacked(service, index);
        };
        for (const body of await source.bodies(index, isWanted))
          await gathering.add(packOf(body.service, index), gather(batch, body));
      });
    }
    await gathering.rest();
  }
  return failed;
}

/** Bodies in rows. */
const rows = (tx: ReadTx): BodySource => ({
  async bodies(index, isWanted) {
    try {
      return (await tx.heldBodies(index, isWanted)) ?? [];
    } catch (error) {
      throw new PackError('its row of bodies is damaged', { cause: error });
    }
  },
});

/** Packs all days that are over for long enough, the oldest first. */
export async function packDays(work: PackingWork): Promise<void> {
  const { tx, port, now } = work;
  for (const [day, indexes] of await heldDays(tx, now)) {
    const failed = await packDay(work, day, indexes, rows(tx));
    await port.packed(indexes.filter((index) => !failed.has(index)));
  }
}
