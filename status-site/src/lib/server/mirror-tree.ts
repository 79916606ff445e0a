/**
 * Tiles that are proven by a signed root before anybody uses them: the partial ones of a tree are hashed into its root, and
 * each full one into a hash of a tile one level up. So what is wrong is known at once, and by which source.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { sameBytes } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import {
  decodeBundle,
  HASH_BYTES,
  hashesAt,
  TILE_WIDTH,
  type Tile,
  tileHash,
  tilePath,
} from '@highwater/config/proof/tiles.ts';
import { rootAt, tilesForRoot } from '@highwater/config/proof/tree.ts';

/** What no source could prove. It may be damaged on the way, or not there. */
export class Unproven extends Error {
  override name = 'Unproven';
}

/** Gives what is said to be a tile, or nothing. */
export interface TileSource {
  read(tile: Tile): Promise<Uint8Array | undefined>;
  /** Told that what it gave is not the tile of this tree. */
  wrong?(tile: Tile): Promise<void>;
}

export interface Tree {
  readonly size: number;
  /** The bytes of a tile of this tree, proven. Throws Unproven. */
  tile(tile: Tile): Promise<Uint8Array>;
}

/** A tile of a tree of `size` at this place, as wide as it is there. */
export function tileAt(level: number, index: number, size: number): Tile {
  return { level, index, width: Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH) };
}

const hashIn = (bytes: Uint8Array, place: number): Uint8Array =>
  bytes.subarray(place * HASH_BYTES, (place + 1) * HASH_BYTES);

/** The root of `size` from these bytes; undefined where one is missing or short. */
function rootOf(
  size: number,
  tiles: readonly Tile[],
  all: readonly (Uint8Array | undefined)[],
): Uint8Array | undefined {
  const byPath = new Map(tiles.map((tile, i) => [tilePath(tile), all[i]]));
  if (tiles.some((tile, i) => all[i]?.length !== tile.width * HASH_BYTES)) return undefined;
  return rootAt(size, (tile) => byPath.get(tilePath(tile)) ?? new Uint8Array(), sha256);
}

/** Opens the tree of a signed size and root, from the first source that has what gives this root. Throws Unproven. */
export async function openTree(
  size: number,
  root: Uint8Array,
  sources: readonly TileSource[],
): Promise<Tree> {
  const edge = tilesForRoot(size);
  const proven = new Map<string, Uint8Array>();
  /** The newest full tile of each level: they are asked for in order. */
  const recent = new Map<number, { index: number; bytes: Uint8Array }>();

  for (const source of sources) {
    const all = await Promise.all(edge.map((tile) => source.read(tile)));
    const made = rootOf(size, edge, all);
    if (made === undefined || !sameBytes(made, root)) continue;
    for (const [i, tile] of edge.entries()) proven.set(tilePath(tile), all[i] ?? new Uint8Array());
    break;
  }
  if (proven.size < edge.length)
    throw new Unproven(`its tiles do not give the root that is signed at ${size}`);

  async function full(tile: Tile): Promise<Uint8Array> {
    const known = recent.get(tile.level);
    if (known?.index === tile.index) return known.bytes;
    const above = await get(tileAt(tile.level + 1, Math.floor(tile.index / TILE_WIDTH), size));
    const expected = hashIn(above, tile.index % TILE_WIDTH);
    for (const source of sources) {
      const bytes = await source.read(tile);
      if (bytes?.length === TILE_WIDTH * HASH_BYTES && sameBytes(tileHash(bytes, sha256), expected)) {
        recent.set(tile.level, { index: tile.index, bytes });
        return bytes;
      }
      if (bytes !== undefined) await source.wrong?.(tile);
    }
    throw new Unproven(`${tilePath(tile)} is not the one that is signed`);
  }

  async function get(tile: Tile): Promise<Uint8Array> {
    return proven.get(tilePath(tile)) ?? full(tile);
  }
  return { size, tile: get };
}

/** The root that the first `size` entries of a tree have. */
export async function rootWithin(tree: Tree, size: number): Promise<Uint8Array> {
  const bytes = new Map<string, Uint8Array>();
  for (const tile of tilesForRoot(size)) {
    bytes.set(tilePath(tile), await tree.tile(tileAt(tile.level, tile.index, tree.size)));
  }
  return rootAt(size, (tile) => bytes.get(tilePath(tile)) ?? new Uint8Array(), sha256);
}

/** The entries of a bundle, when they are those whose hashes a tile of level 0 begins with, `width` of them. */
export function entriesUnder(
  bundle: Uint8Array,
  tile: Uint8Array,
  width: number,
): readonly Uint8Array[] | undefined {
  const entries = decodeBundle(bundle);
  if ('error' in entries || entries.length !== width || tile.length < width * HASH_BYTES) return undefined;
  const isGood = entries.every((entry, i) => sameBytes(leafHash(entry, sha256), hashIn(tile, i)));
  return isGood ? entries : undefined;
}
