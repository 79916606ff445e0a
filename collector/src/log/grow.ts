/** Makes the files of a log that grew: the first of the two paths to its root. */
import { sha256 } from '@highwater/config/keys.ts';
import { concat } from '@highwater/config/proof/bytes.ts';
import {
  bundlePath,
  bundlesBetween,
  encodeBundle,
  HASH_BYTES,
  hashesAt,
  TILE_WIDTH,
  type Tile,
  tileHash,
  tilePath,
  tilesBetween,
} from '@highwater/config/proof/tiles.ts';
import { rootAt } from '@highwater/config/proof/tree.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { blobOf, keyOfTile, readTile } from './files.ts';
import type { Entry } from './sequence.ts';

/** Files written at once. */
const AT_ONCE = 8;

/** What a tree grows from: a number of entries that is a multiple of 256, and the right edge above its full bundles. */
export interface Edge {
  readonly size: number;
  /** By level - 1: the hashes of the last tile there, if it is not full. */
  readonly levels: readonly Uint8Array[];
}

/** The whole bundles of a tree of `size`: the entries after them are few, and in the store. */
export const wholeBundles = (size: number): number => size - (size % TILE_WIDTH);

/** The tiles of the right edge above level 0, which no commit has to be read for. */
function edgeTiles(size: number): (Tile | undefined)[] {
  const tiles: (Tile | undefined)[] = [];
  for (let level = 1; hashesAt(level, size) > 0; level += 1) {
    const count = hashesAt(level, size);
    const width = count % TILE_WIDTH;
    tiles.push(width === 0 ? undefined : { level, index: Math.floor(count / TILE_WIDTH), width });
  }
  return tiles;
}

/** Undefined when one of its tiles is not there. */
export async function readEdge(blobs: Blobs, year: number, size: number): Promise<Edge | undefined> {
  const levels: Uint8Array[] = [];
  for (const tile of edgeTiles(size)) {
    const bytes = tile === undefined ? new Uint8Array() : await readTile(blobs, year, tilePath(tile));
    if (bytes === undefined || (tile !== undefined && bytes.length !== tile.width * HASH_BYTES))
      return undefined;
    levels.push(bytes);
  }
  return { size: wholeBundles(size), levels };
}

export interface Grown {
  readonly root: Uint8Array;
  /** By path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Tiles of one level, by their key, from the hashes of its last partial one and those that come. */
function tilesOfLevel(
  level: number,
  first: number,
  hashes: Uint8Array,
  into: Map<string, Uint8Array>,
): Uint8Array[] {
  const full: Uint8Array[] = [];
  const bytes = TILE_WIDTH * HASH_BYTES;
  for (let at = 0; at < hashes.length; at += bytes) {
    const tile = hashes.subarray(at, at + bytes);
    into.set(`${level}/${first + at / bytes}`, tile);
    if (tile.length === bytes) full.push(tileHash(tile, sha256));
  }
  return full;
}

/** A tree that had `oldSize` entries and has those of `edge` and `entries` now. Pure. */
export function grow(edge: Edge, oldSize: number, entries: readonly Entry[]): Grown {
  const size = edge.size + entries.length;
  const tiles = new Map<string, Uint8Array>();
  let coming = entries.map(({ hash }) => hash);
  for (let level = 0; hashesAt(level, size) > 0; level += 1) {
    const had = level === 0 ? new Uint8Array() : (edge.levels[level - 1] ?? new Uint8Array());
    const first = Math.floor(hashesAt(level, edge.size) / TILE_WIDTH);
    coming = tilesOfLevel(level, first, concat(had, ...coming), tiles);
  }
  const bytesOf = (tile: Tile): Uint8Array => {
    const bytes = tiles.get(keyOfTile(tile));
    if (bytes === undefined) throw new Error(`${tilePath(tile)} was not made`);
    return bytes;
  };
  const files = new Map<string, Uint8Array>();
  for (const { index, width } of bundlesBetween(oldSize, size)) {
    const from = index * TILE_WIDTH - edge.size;
    const bundle = entries.slice(from, from + width).map((entry) => entry.bytes);
    files.set(bundlePath(index, width), encodeBundle(bundle));
  }
  for (const tile of tilesBetween(oldSize, size)) files.set(tilePath(tile), bytesOf(tile));
  return { root: rootAt(size, bytesOf, sha256), files };
}

/** Puts the files where they stay, durably. Rejects with BlobConflictError when other bytes are there. */
export async function writeFiles(blobs: Blobs, year: number, files: Grown['files']): Promise<void> {
  const left = files.entries();
  const write = async (): Promise<void> => {
    for (const [path, bytes] of left) await blobs.putIfAbsent(blobOf(year, path), bytes);
  };
  // All are waited for, so that nothing is written any more when this rejects.
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, write));
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
