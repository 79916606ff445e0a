/**
 * Packs what is to be packed: reads with a connection of its own, writes each object, reads it back and compares every body
 * before a row may name it. What changes the store is asked of the port, whose owner is the one writer. Killed anywhere and
 * done again, nothing is lost and nothing doubled: bodies are held until packs have all of their batch.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeHex } from '@highwater/config/proof/bytes.ts';
import {
  type PackBody,
  PackError,
  readDirectory,
  readPackSegment,
  writePack,
} from '@highwater/config/proof/packed/pack.ts';
import { formatDay, type Instant } from '@highwater/config/time.ts';
import type { Packed } from '../bodies/packed.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { HeldBody, PackRow, ReadTx } from '../store/store.ts';
import { groupsOf, type HeldBatch, heldDays, readBatch } from './plan.ts';
import { zstd } from './zstd.ts';

/** Bodies in memory at once, and in one object, bytes. */
const MAX_BYTES = 134_217_728;
/** A service's day with so many parts is made one part, together with what comes next. */
export const MAX_PARTS = 8;

/** What the store's one writer does; each is durable when it resolves. */
export interface PackingPort {
  /** Before an object is written: if no row names it later, it goes. */
  writing(blob: string): Promise<void>;
  /** A row for what was written, in place of others. */
  written(row: PackRow, replaced: readonly PackRow[]): Promise<void>;
  /** All bodies of these batches are in packs. */
  packed(indexes: readonly number[]): Promise<void>;
  /** What could not be packed stays held. */
  failed(service: string, day: number, because: string): Promise<void>;
}

export interface PackingWork {
  readonly tx: ReadTx;
  readonly blobs: Blobs;
  /** What is packed already, by batch. */
  readonly packed: Pick<Packed, 'ofBatch'>;
  readonly port: PackingPort;
  readonly now: Instant;
  readonly maxBytes?: number;
}

interface Gathered {
  readonly index: number;
  readonly body: PackBody;
}

/** By what is in it: a name stands for the same bytes for ever, in backups too, whatever a crash left. */
export function blobOf(service: string, day: number, object: Uint8Array): string {
  return `packed/${formatDay(day)}/${service}/${encodeHex(sha256(object).subarray(0, 16))}`;
}

const bodyOf = ({ batch }: HeldBatch, { text, shown }: HeldBody): PackBody => ({
  probe: batch.probe,
  epoch: batch.epoch,
  number: batch.number,
  minute: batch.minutes.first,
  shown,
  text,
});

/** Throws PackError unless the object, as it was read back, gives exactly these bodies. */
function compare(
  object: Uint8Array | undefined,
  bodies: readonly PackBody[],
): { lines: number; bodyBytes: number } {
  if (object === undefined) throw new PackError('what was written is not there');
  const told = (body: Pick<PackBody, 'probe' | 'epoch' | 'number' | 'shown'>, text: string): string =>
    `${body.probe} ${body.epoch} ${body.number} ${body.shown} ${text}`;
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

/** By size, so that no object takes more memory than there may be. */
function* inParts(gathered: readonly Gathered[], maxBytes: number): Generator<Gathered[]> {
  let [part, bytes]: [Gathered[], number] = [[], 0];
  for (const each of gathered) {
    if (part.length > 0 && bytes + each.body.text.length > maxBytes) {
      yield part;
      [part, bytes] = [[], 0];
    }
    part.push(each);
    bytes += each.body.text.length;
  }
  if (part.length > 0) yield part;
}

/** What the parts of a service's day give, to be made one; undefined when they are few, large, or one is not readable. */
async function mergeable(
  { tx, packed, maxBytes = MAX_BYTES }: PackingWork,
  rows: readonly PackRow[],
): Promise<Gathered[] | undefined> {
  const bytes = rows.reduce((sum, row) => sum + row.bodyBytes, 0);
  if (rows.length < MAX_PARTS || bytes > maxBytes / 2) return undefined;
  const gathered: Gathered[] = [];
  for (const { service, commits } of rows) {
    for (const index of commits) {
      const held = await readBatch(tx, index);
      if (held === undefined) return undefined;
      const [body] = await packed.ofBatch(held.commit, held.batch, (each) => each === service);
      if (body === undefined) return undefined;
      gathered.push({ index, body: bodyOf(held, body) });
    }
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
  const merged = await mergeable(work, rows);
  const all = merged === undefined ? gathered : [...merged, ...gathered];
  for (const [i, part] of [...inParts(all, work.maxBytes ?? MAX_BYTES)].entries()) {
    // Parts that are replaced go with the first; they are small enough for one.
    const replaced = merged !== undefined && i === 0 ? rows : [];
    await writePart(work, { service, day, part: first + i, replaced }, part);
  }
}

/** Those of each service's batches that no pack has, and how many bytes their bodies have. */
async function unpacked(tx: ReadTx, day: number, batches: readonly HeldBatch[]) {
  const packed = new Map<string, Set<number>>();
  const bytesOf = new Map<string, number>();
  for (const { index, refs } of batches) {
    for (const [service, { bytes }] of refs) {
      let known = packed.get(service);
      if (known === undefined) {
        known = new Set((await tx.packs(service, day)).flatMap(({ commits }) => commits));
        packed.set(service, known);
      }
      if (!known.has(index)) bytesOf.set(service, (bytesOf.get(service) ?? 0) + bytes);
    }
  }
  const isPacked = (service: string, index: number): boolean => packed.get(service)?.has(index) ?? false;
  return { isPacked, bytesOf };
}

async function packDay(work: PackingWork, day: number, batches: readonly HeldBatch[]): Promise<void> {
  const { tx, port, maxBytes = MAX_BYTES } = work;
  const { isPacked, bytesOf } = await unpacked(tx, day, batches);
  const failed = new Set<string>();
  for (const group of groupsOf(bytesOf, maxBytes)) {
    const wanted = new Map(group.map((service): [string, Gathered[]] => [service, []]));
    for (const held of batches) {
      if (!group.some((service) => held.refs.has(service) && !isPacked(service, held.index))) continue;
      for (const body of (await tx.heldBodies(held.index)) ?? []) {
        if (isPacked(body.service, held.index)) continue;
        wanted.get(body.service)?.push({ index: held.index, body: bodyOf(held, body) });
      }
    }
    for (const [service, gathered] of wanted) {
      if (gathered.length === 0) continue;
      try {
        await packService(work, service, day, gathered);
      } catch (error) {
        if (!(error instanceof PackError)) throw error;
        failed.add(service);
        await port.failed(service, day, error.message);
      }
    }
  }
  const done = batches.filter(({ refs }) => [...refs.keys()].every((service) => !failed.has(service)));
  await port.packed(done.map(({ index }) => index));
}

/** Packs all days that are over for long enough, the oldest first. */
export async function packDays(work: PackingWork): Promise<void> {
  for (const [day, batches] of await heldDays(work.tx, work.now)) await packDay(work, day, batches);
}
