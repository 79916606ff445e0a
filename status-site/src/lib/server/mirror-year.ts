/**
 * One year's log as the mirror holds it. A checkpoint is taken once every entry and tile under it is here and proven by
 * it, and once it is shown to go on from the one before: what this page has shown is never taken back, whatever the
 * collector says. The first key that is seen for a year is that log's key for good.
 */
import { openCheckpoint, parseVerifier } from '@highwater/config/keys.ts';
import { decodeBase64, decodeUtf8, sameBytes } from '@highwater/config/proof/bytes.ts';
import { formatNote, MAX_SIGNATURES, type Note } from '@highwater/config/proof/note.ts';
import {
  bundlePath,
  HASH_BYTES,
  hashesAt,
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '@highwater/config/proof/tiles.ts';
import { demandRoom, type Files } from './mirror-files.ts';
import type { Source } from './mirror-source.ts';
import {
  entriesUnder,
  openTree,
  rootWithin,
  tileAt,
  type TileSource,
  type Tree,
  Unproven,
} from './mirror-tree.ts';

/** A hundred signatures of the longest kind there is. */
const MAX_CHECKPOINT_BYTES = 1_048_576;
/** The mirror stops when less is free on its disk. */
export const KEEP_FREE_BYTES = 536_870_912;

export interface Held {
  /** As it is served. */
  readonly note: string;
  readonly size: number;
  readonly root: Uint8Array;
  /** When it was taken, Unix ms. */
  readonly at: number;
}

/** A contradiction: what the collector shows now can not be the log that is held. */
export class Contradiction extends Error {
  override name = 'Contradiction';
  /** What shows it: a signed note, where there is one. */
  readonly evidence: string | undefined;
  constructor(message: string, evidence?: string) {
    super(message);
    this.evidence = evidence;
  }
}

export interface YearLog {
  readonly year: number;
  /** Verifier key. */
  readonly key: string;
  readonly files: Files;
  held(): Held | undefined;
  /**
   * Asks for the checkpoint and takes it; true when it is another than before. Throws Contradiction, and Unproven,
   * Unanswered or NoRoom when it could not be had: then nothing has changed.
   */
  look(source: Source): Promise<boolean>;
  /** Looks through what is held; what is damaged goes, and comes again from the source. Throws Unproven and Unanswered. */
  mend(source: Source): Promise<void>;
}

interface Opened {
  readonly size: number;
  readonly root: Uint8Array;
  readonly note: Note;
}

/** Opens what is kept of a year; what can't be read of it counts as not there. Throws KeyError for a key that is none. */
export async function openYear(year: number, key: string, files: Files): Promise<YearLog> {
  const verifier = parseVerifier(key);
  let held = await load();

  function opened(bytes: Uint8Array): Opened | { error: string } {
    const text = decodeUtf8(bytes);
    const read = text === undefined ? { error: 'it is not UTF-8' } : openCheckpoint(text, verifier);
    if ('error' in read) return { error: read.error };
    const root = decodeBase64(read.checkpoint.root) ?? new Uint8Array();
    return { size: read.checkpoint.size, root, note: read.note };
  }

  async function load(): Promise<Held | undefined> {
    const bytes = await files.read('checkpoint');
    const read = bytes === undefined ? undefined : opened(bytes);
    if (read === undefined || 'error' in read) return undefined;
    const at = (await files.stat('checkpoint'))?.at ?? 0;
    return { note: formatNote(read.note), size: read.size, root: read.root, at };
  }

  const here: TileSource = {
    read: (tile) => files.read(tilePath(tile)),
    wrong: (tile) => files.remove(tilePath(tile)),
  };
  const there = (source: Source): TileSource => ({
    read: (tile) => source.get(address(tilePath(tile)), tile.width * HASH_BYTES),
  });
  const address = (path: string): string => `/log/${year}/${path}`;

  /** Everything of a tree from entry `from` on, each part checked before it is kept. */
  async function fill(tree: Tree, from: number, source: Source): Promise<void> {
    const last = Math.floor((tree.size - 1) / TILE_WIDTH);
    for (let index = Math.floor(from / TILE_WIDTH); index <= last; index += 1) {
      await demandRoom(files.dir, KEEP_FREE_BYTES);
      const tile = tileAt(0, index, tree.size);
      const hashes = await tree.tile(tile);
      await fillBundle(index, tile.width, hashes, source);
      await keepTile(tile, hashes);
    }
    for (let level = 1; hashesAt(level, tree.size) > 0; level += 1) {
      const end = Math.ceil(hashesAt(level, tree.size) / TILE_WIDTH);
      for (let index = Math.floor(hashesAt(level, from) / TILE_WIDTH); index < end; index += 1) {
        const tile = tileAt(level, index, tree.size);
        await keepTile(tile, await tree.tile(tile));
      }
    }
  }

  async function fillBundle(index: number, width: number, hashes: Uint8Array, source: Source): Promise<void> {
    const path = bundlePath(index, width);
    const kept = await files.read(path);
    if (kept !== undefined) {
      if (entriesUnder(kept, hashes, width) !== undefined) return;
      await files.remove(path);
    }
    const bytes = await source.get(address(path), width * (MAX_ENTRY_BYTES + 2));
    if (bytes === undefined || entriesUnder(bytes, hashes, width) === undefined)
      throw new Unproven(`${path} is not the one that is signed`);
    await files.write(path, bytes);
  }

  async function keepTile(tile: Tile, bytes: Uint8Array): Promise<void> {
    const kept = await files.read(tilePath(tile));
    if (kept === undefined || !sameBytes(kept, bytes)) await files.write(tilePath(tile), bytes);
  }

  /** Partial ones that the tree of `size` has no more: what asks for them is cut from the wider one. */
  async function sweep(oldSize: number, size: number): Promise<void> {
    for (let level = 0; hashesAt(level, oldSize) > 0; level += 1) {
      const index = Math.floor(hashesAt(level, oldSize) / TILE_WIDTH);
      const now = tileAt(level, index, size);
      const full = { level, index, width: TILE_WIDTH };
      const places = level === 0 ? [tilePath(full), bundlePath(index, TILE_WIDTH)] : [tilePath(full)];
      for (const place of places) {
        for (const width of await files.list(`${place}.p`)) {
          if (now.width === TILE_WIDTH || width !== String(now.width))
            await files.remove(`${place}.p/${width}`);
        }
      }
    }
  }

  async function take(read: Opened, note: string, source: Source): Promise<void> {
    const before = held;
    const tree = await openTree(read.size, read.root, [here, there(source)]);
    if (before !== undefined && !sameBytes(await rootWithin(tree, before.size), before.root)) {
      const message = `its first ${before.size} entries of ${read.size} are others than those that this page holds`;
      throw new Contradiction(`the log was forked: ${message}`, note);
    }
    await fill(tree, before?.size ?? 0, source);
    await keep(read, note);
    if (before !== undefined) await sweep(before.size, read.size);
  }

  async function keep(read: Opened, note: string): Promise<void> {
    await files.write('checkpoint', note);
    held = { note, size: read.size, root: read.root, at: (await files.stat('checkpoint'))?.at ?? Date.now() };
  }

  return {
    year,
    key,
    files,
    held: () => held,
    async look(source) {
      const bytes = await source.get(address('checkpoint'), MAX_CHECKPOINT_BYTES);
      if (bytes === undefined) return false;
      const read = opened(bytes);
      if ('error' in read) throw new Contradiction(`its checkpoint is not signed by its key: ${read.error}`);
      const note = formatNote(read.note);
      if (held === undefined || read.size > held.size) {
        if (read.size === 0) return false;
        await take(read, note, source);
        return true;
      }
      if (read.size < held.size) {
        const message = `the log shrank: it has ${read.size} entries, and had ${held.size}`;
        throw new Contradiction(message, note);
      }
      if (!sameBytes(read.root, held.root))
        throw new Contradiction(`the log was forked: two checkpoints of ${held.size} entries differ`, note);
      const merged = withCosignatures(held.note, read.note, opened);
      if (merged === held.note) return false;
      // It is no newer one: when it was taken stays.
      const { at } = held;
      await keep(read, merged);
      await files.date('checkpoint', at);
      held = { ...held, at };
      return true;
    },
    async mend(source) {
      if (held === undefined) return;
      const tree = await openTree(held.size, held.root, [here, there(source)]);
      await fill(tree, 0, source);
    },
  };
}

/** The held note with the signatures of another of the same text: of each key the newer one; no line is ever lost. */
function withCosignatures(
  heldNote: string,
  other: Note,
  opened: (bytes: Uint8Array) => Opened | { error: string },
): string {
  const mine = opened(Buffer.from(heldNote));
  if ('error' in mine) return heldNote;
  const [own, ...cosigned] = mine.note.signatures;
  const isSame = (a: Note['signatures'][number], b: Note['signatures'][number]): boolean =>
    a.name === b.name && a.keyId === b.keyId;
  const fresh = other.signatures.filter((each) => own === undefined || !isSame(each, own));
  const stays = cosigned.filter((each) => !fresh.some((newer) => isSame(newer, each)));
  const signatures = [...(own === undefined ? [] : [own]), ...stays, ...fresh];
  if (signatures.length > MAX_SIGNATURES) return heldNote;
  const merged = formatNote({ text: other.text, signatures });
  const lines = (note: string): string => note.split('\n').sort().join('\n');
  return lines(merged) === lines(heldNote) ? heldNote : merged;
}
