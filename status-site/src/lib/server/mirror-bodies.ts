/**
 * The bodies that the leaves of a year name: fetched newest first, kept when they are what the leaf says, by hash. Those
 * that the collector does not show are done with too. What is done is in bodies.json, in spans of entries, so that a
 * process that was killed looks again at a few at most.
 */
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Batch, parseBatchText } from '@highwater/config/proof/batch.ts';
import { decodeBase64, decodeUtf8, encodeHex } from '@highwater/config/proof/bytes.ts';
import { parseConfigLeaf } from '@highwater/config/proof/leaves.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { bundlePath, decodeBundle, TILE_WIDTH } from '@highwater/config/proof/tiles.ts';
import type { Logger } from 'pino';
import { z } from 'zod';
import { demandRoom } from './mirror-files.ts';
import { addSpan, highestGap, type Spans } from './mirror-spans.ts';
import { type Source, Unanswered } from './mirror-source.ts';
import { tileAt } from './mirror-tree.ts';
import { KEEP_FREE_BYTES, type YearLog } from './mirror-year.ts';

/** A larger body is left out: a minute of 30,000 monitors of one service has a tenth of it. */
export const MAX_BODY_BYTES = 67_108_864;
/** Entries whose bodies are asked for at once, those of each one after the other. */
const AT_ONCE = 4;
/** Entries of a pass that may fail before it ends; the next one tries them again. */
const MAX_FAILURES = 10;

interface Named {
  readonly hex: string;
  readonly bytes: number;
}

/** A body does not fit beside those that are here. */
class TooMuch extends Error {
  override name = 'TooMuch';
  readonly bytes: number;
  constructor(bytes: number) {
    super(`${bytes} bytes more are over the limit`);
    this.bytes = bytes;
  }
}

/** What is known of a year's bodies. */
interface State {
  /** Entries whose bodies are here, or are not to be had. */
  done: Spans;
  /** Bodies of entries below it were let go, for there was no room. */
  floor: number;
  bytes: number;
}

const stateFile = z.object({
  done: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
  floor: z.int().min(0),
  bytes: z.int().min(0),
});

/** Of the bodies of all years together. */
export interface BodyLimit {
  readonly maxBytes: number;
  /** Whether so many bytes may come to those that are here or on their way. */
  fits(bytes: number): boolean;
}

export interface Bodies {
  /** Of those that are here or on their way. */
  bytes(): number;
  /**
   * Fetches what is missing until all is here, too much fails, or the signal aborts; resolves with the bytes of the one
   * that did not fit, where it ended for that. Limit and disk are asked before each. Throws NoRoom.
   */
  fetch(source: Source, limit: BodyLimit, signal: AbortSignal): Promise<number | undefined>;
  /** Lets the bodies of the oldest 256 entries go that have any; false when there are none. */
  dropOldest(): Promise<boolean>;
  /** A body was found damaged and is gone: all are looked at again. */
  lost(): Promise<void>;
}

export function bodyPath(hex: string): string {
  return `body/${hex.slice(0, 2)}/${hex}`;
}

/** The bodies that a leaf names. */
export function namedBy(entry: Uint8Array): Named[] {
  const note = parseNote(decodeUtf8(entry) ?? '');
  if ('error' in note) return [];
  const batch: Batch | { error: string } = parseBatchText(note.text);
  const refs = 'error' in batch ? undefined : batch.bodies;
  const config = refs === undefined ? parseConfigLeaf(note.text) : { error: 'a batch' };
  const all = refs ?? ('error' in config ? [] : [config]);
  return all.map(({ hash, bytes }) => ({ hex: encodeHex(decodeBase64(hash) ?? new Uint8Array()), bytes }));
}

/** @param demand throws NoRoom when less than so many bytes are free */
export async function openBodies(
  year: YearLog,
  log: Logger,
  demand: (dir: string, bytes: number) => Promise<void> = demandRoom,
): Promise<Bodies> {
  const { files } = year;
  /** Of those on their way: as their leaves say, which bounds what is taken of them. */
  let comingBytes = 0;
  let state = await load();

  async function load(): Promise<State> {
    try {
      const text = Buffer.from((await files.read('bodies.json')) ?? []).toString();
      if (text !== '') return stateFile.parse(JSON.parse(text));
    } catch {
      log.warn(
        { event: 'mirror.bodies.unreadable', year: year.year },
        'what is here of the bodies is looked for again',
      );
    }
    return { done: [], floor: 0, bytes: 0 };
  }

  const save = (): Promise<void> => files.write('bodies.json', JSON.stringify(state));

  async function entriesOf(index: number): Promise<readonly Uint8Array[]> {
    const size = year.held()?.size ?? 0;
    const bytes = await files.read(bundlePath(index, tileAt(0, index, size).width));
    const entries = bytes === undefined ? { error: 'missing' } : decodeBundle(bytes);
    return 'error' in entries ? [] : entries;
  }

  /** Throws NoRoom; rejects and resolves with the room given back, but for what is here now. */
  async function reserved<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    comingBytes += bytes;
    try {
      await demand(files.dir, KEEP_FREE_BYTES + comingBytes);
      return await work();
    } finally {
      comingBytes -= bytes;
    }
  }

  /** True when it is here or not to be had; false when it is to be tried again. Throws TooMuch and NoRoom. */
  async function fetchOne(source: Source, limit: BodyLimit, { hex, bytes }: Named): Promise<boolean> {
    const path = bodyPath(hex);
    if ((await files.stat(path))?.bytes === bytes) {
      state.bytes += bytes;
      return true;
    }
    if (bytes > Math.min(MAX_BODY_BYTES, limit.maxBytes)) return true;
    if (!limit.fits(bytes)) throw new TooMuch(bytes);
    return reserved(bytes, () => take(source, { hex, bytes }));
  }

  async function take(source: Source, { hex, bytes }: Named): Promise<boolean> {
    try {
      const parts = await source.parts(`/log/${year.year}/body/${hex}`, bytes);
      if (parts === undefined) return true;
      const hash = createHash('sha256');
      const isGood = await files.writeParts(
        bodyPath(hex),
        hashed(parts, hash),
        () => hash.digest('hex') === hex,
      );
      if (isGood) state.bytes += bytes;
      else log.warn({ event: 'mirror.body.wrong', year: year.year, hex }, 'a body is not what its leaf says');
      return isGood;
    } catch (error) {
      if (error instanceof Unanswered) return false;
      throw error;
    }
  }

  async function fetchEntry(
    source: Source,
    limit: BodyLimit,
    at: number,
    entry: Uint8Array,
  ): Promise<boolean> {
    for (const named of namedBy(entry)) if (!(await fetchOne(source, limit, named))) return false;
    state.done = addSpan(state.done, at, at + 1);
    return true;
  }

  return {
    bytes: () => state.bytes + comingBytes,
    async fetch(source, limit, signal) {
      let failures = 0;
      let size = 0;
      let top = 0;
      while (!signal.aborted && failures < MAX_FAILURES) {
        // What came meanwhile is newer than what is left.
        const now = year.held()?.size ?? 0;
        if (now > size) top = size = now;
        const gap = highestGap(state.done, state.floor, top);
        if (gap === undefined) return undefined;
        await demand(files.dir, KEEP_FREE_BYTES);
        const index = Math.floor((gap[1] - 1) / TILE_WIDTH);
        const entries = await entriesOf(index);
        const from = Math.max(gap[0], index * TILE_WIDTH);
        // A bundle that is not here comes with the next mending.
        if (entries.length < gap[1] - index * TILE_WIDTH) return undefined;
        for (let end = gap[1]; end > from && failures < MAX_FAILURES && !signal.aborted; end -= AT_ONCE) {
          const some = Array.from({ length: Math.min(AT_ONCE, end - from) }, (_, i) => end - 1 - i);
          // All end before one that failed is told: none goes on behind the back of the next pass.
          const ended = await Promise.allSettled(
            some.map((at) =>
              fetchEntry(source, limit, at, entries[at - index * TILE_WIDTH] ?? new Uint8Array()),
            ),
          );
          const lost = ended
            .filter((one) => one.status === 'rejected')
            .map(({ reason }) => reason as unknown);
          if (lost.length > 0) {
            await save();
            const worst = lost.find((reason) => !(reason instanceof TooMuch));
            if (worst !== undefined) throw worst;
            return Math.max(...lost.map((reason) => (reason as TooMuch).bytes));
          }
          failures += ended.filter((one) => one.status === 'fulfilled' && !one.value).length;
          // After a restart thousands may be here already: others have their turn in between.
          await setImmediate();
        }
        await save();
        top = from;
      }
      return undefined;
    },
    async dropOldest() {
      const size = year.held()?.size ?? 0;
      while (state.floor < size) {
        const index = Math.floor(state.floor / TILE_WIDTH);
        const before = state.bytes;
        for (const { hex } of (await entriesOf(index)).flatMap(namedBy)) {
          const kept = await files.stat(bodyPath(hex));
          if (kept === undefined) continue;
          await files.remove(bodyPath(hex));
          state.bytes = Math.max(0, state.bytes - kept.bytes);
        }
        state.floor = Math.min(size, (index + 1) * TILE_WIDTH);
        if (state.bytes < before) {
          await save();
          return true;
        }
      }
      await save();
      return false;
    },
    async lost() {
      state = { ...state, done: [], bytes: 0 };
      await save();
    },
  };
}

async function* hashed(
  parts: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const part of parts) {
    hash.update(part);
    yield part;
  }
}
