/** The files of one log at one size: which they are, where, and whether they are of the tree that was signed. */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import {
  bundlePath,
  bundlesBetween,
  decodeBundle,
  HASH_BYTES,
  type Tile,
  tilePath,
  tilesAt,
} from '@highwater/config/proof/tiles.ts';
import { rootAt } from '@highwater/config/proof/tree.ts';
import { keyOfTile, readTile } from '../log/files.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { GrowingRoot } from './root.ts';

/** Paths of the tiles and bundles of a tree of that size. */
export function* pathsAt(size: number): Generator<string> {
  for (const tile of tilesAt(size)) yield tilePath(tile);
  for (const { index, width } of bundlesBetween(0, size)) yield bundlePath(index, width);
}

/** What is wrong with the files of a log that was signed at `size` with `root` (base64); undefined when nothing is. */
export async function wrongTiles(
  blobs: Blobs,
  year: number,
  size: number,
  root: string,
): Promise<string | undefined> {
  const tiles = new Map<string, Uint8Array>();
  for (const tile of tilesAt(size)) {
    const bytes = await readTile(blobs, year, tilePath(tile));
    if (bytes?.length !== tile.width * HASH_BYTES) return `${tilePath(tile)} is missing or cut short`;
    tiles.set(keyOfTile(tile), bytes);
  }
  const bytesOf = (tile: Tile): Uint8Array => {
    const bytes = tiles.get(keyOfTile(tile));
    if (bytes === undefined) throw new Error(`${tilePath(tile)} was not read`);
    return bytes;
  };
  if (encodeBase64(rootAt(size, bytesOf, sha256)) !== root)
    return 'the tiles do not give the root that was signed';
  const growing = new GrowingRoot(sha256);
  for (const { index, width } of bundlesBetween(0, size)) {
    const bytes = await readTile(blobs, year, bundlePath(index, width));
    const entries = bytes === undefined ? { error: 'it is missing' } : decodeBundle(bytes);
    if ('error' in entries) return `${bundlePath(index, width)}: ${entries.error}`;
    for (const entry of entries) growing.push(leafHash(entry, sha256));
  }
  return growing.size === size && growing.root() === root
    ? undefined
    : 'the entries do not give the root that was signed';
}
