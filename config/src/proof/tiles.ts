/**
 * The files of a tiled log (c2sp.org/tlog-tiles): their names, which of them a tree of some size has, and their bytes.
 * A hash tile of level L holds up to 256 hashes of 32 bytes, each the root of 256^L entries; an entry bundle holds
 * up to 256 entries. The last one of a level may be partial. Sizes and indexes are whole numbers up to 2^53 - 1.
 */
import { type Hash, concat, parseDecimal } from './bytes.ts';
import { nodeHash } from './leaf-hash.ts';

export const TILE_WIDTH = 256;
/** Bytes of a hash. */
export const HASH_BYTES = 32;
/** An entry's length stands in two bytes. */
export const MAX_ENTRY_BYTES = 65_535;
/** The format's own bound; a tree of 2^53 entries has levels 0 to 6. */
const MAX_LEVEL = 63;

export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256; 256 is a full tile. */
  readonly width: number;
}

export interface Bundle {
  readonly index: number;
  /** 1 to 256. */
  readonly width: number;
}

// ----------------------------------------------------------------- names

/** `tile/0/x001/067.p/8` */
export function tilePath(tile: Tile): string {
  return `tile/${tile.level}/${placeOf(tile.index, tile.width)}`;
}

/** `tile/entries/x001/067.p/8` */
export function bundlePath(index: number, width: number): string {
  return `tile/entries/${placeOf(index, width)}`;
}

/** Three digits a folder, all but the last behind an x, so that no name is both a file and a folder. */
function placeOf(index: number, width: number): string {
  let place = threeDigits(index);
  for (let left = Math.floor(index / 1_000); left > 0; left = Math.floor(left / 1_000)) {
    place = `x${threeDigits(left)}/${place}`;
  }
  return width === TILE_WIDTH ? place : `${place}.p/${width}`;
}

function threeDigits(index: number): string {
  return String(index % 1_000).padStart(3, '0');
}

export type TilePath =
  | { readonly kind: 'hashes'; readonly tile: Tile }
  | { readonly kind: 'entries'; readonly index: number; readonly width: number };

/** The opposite of tilePath and bundlePath: only what they write is accepted, undefined for anything else. */
export function parseTilePath(path: string): TilePath | undefined {
  if (path.length > 64) return undefined;
  const match = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/.exec(path);
  const [, kind = '', place = '', partial] = match ?? [];
  const index = Number(place.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : parseDecimal(partial, TILE_WIDTH - 1);
  if (!match || !Number.isSafeInteger(index) || width === undefined || width < 1) return undefined;
  if (kind === 'entries') {
    return bundlePath(index, width) === path ? { kind: 'entries', index, width } : undefined;
  }
  const level = parseDecimal(kind, MAX_LEVEL);
  if (level === undefined || tilePath({ level, index, width }) !== path) return undefined;
  return { kind: 'hashes', tile: { level, index, width } };
}

// ------------------------------------------------------------- which ones

/** How many hashes the tiles of `level` hold in a tree of `size` entries. */
export function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Tiles to be written when a tree grows: those that become full, and the partial ones of `newSize`; by level, then index. */
export function tilesBetween(oldSize: number, newSize: number): Tile[] {
  return [...grow(oldSize, newSize)];
}

/** Entry bundles to be written when a tree grows. */
export function bundlesBetween(oldSize: number, newSize: number): Bundle[] {
  return [...growLevel(0, oldSize, newSize)].map(({ index, width }) => ({ index, width }));
}

/** All tiles of a tree of that size, by level, then index. */
export function tilesAt(size: number): Iterable<Tile> {
  return grow(0, size);
}

function* grow(oldSize: number, newSize: number): Generator<Tile, undefined> {
  for (let level = 0; hashesAt(level, newSize) > 0; level += 1) {
    yield* growLevel(level, hashesAt(level, oldSize), hashesAt(level, newSize));
  }
}

function* growLevel(level: number, oldCount: number, newCount: number): Generator<Tile, undefined> {
  if (newCount <= oldCount) return;
  const last = Math.floor((newCount - 1) / TILE_WIDTH);
  for (let index = Math.floor(oldCount / TILE_WIDTH); index <= last; index += 1) {
    yield { level, index, width: Math.min(TILE_WIDTH, newCount - index * TILE_WIDTH) };
  }
}

// ------------------------------------------------------------------ bytes

/** 1 to 256 entries, each behind its length in two bytes, big-endian. Throws RangeError for other numbers and longer entries. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length < 1 || entries.length > TILE_WIDTH)
    throw new RangeError(`a bundle has 1 to ${TILE_WIDTH} entries`);
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry has at most ${MAX_ENTRY_BYTES} bytes`);
    parts.push(Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry);
  }
  return concat(...parts);
}

/** The opposite of encodeBundle; the entries are views of `bytes`. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] | { error: string } {
  const entries: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const from = at + 2;
    const end = from + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0));
    if (from > bytes.length || end > bytes.length) return { error: 'the bundle ends inside an entry' };
    if (entries.length === TILE_WIDTH) return { error: `the bundle has over ${TILE_WIDTH} entries` };
    entries.push(bytes.subarray(from, end));
    at = end;
  }
  return entries.length > 0 ? entries : { error: 'the bundle has no entry' };
}

/** The root of a full tile (8,192 bytes): the hash that stands for it one level up. Throws RangeError for other lengths. */
export function tileHash(tile: Uint8Array, hash: Hash): Uint8Array {
  if (tile.length !== TILE_WIDTH * HASH_BYTES)
    throw new RangeError('only a full tile has a hash one level up');
  return foldTile(tile, 0, TILE_WIDTH, hash);
}

/** The root over `count` hashes of a tile from number `from` on; `count` is a power of two. */
export function foldTile(tile: Uint8Array, from: number, count: number, hash: Hash): Uint8Array {
  if (count === 1) return tile.slice(from * HASH_BYTES, (from + 1) * HASH_BYTES);
  const half = count / 2;
  return nodeHash(foldTile(tile, from, half, hash), foldTile(tile, from + half, half, hash), hash);
}
