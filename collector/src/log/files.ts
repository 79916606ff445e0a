/** The files of the logs among the blobs: `log/YEAR/tile/…` never change, `log/YEAR/checkpoint` does. */
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  HASH_BYTES,
  parseTilePath,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '@highwater/config/proof/tiles.ts';
import type { Blobs } from '../store/blobs/blobs.ts';

export const blobOf = (year: number, path: string): string => `log/${year}/${path}`;
export const checkpointBlob = (year: number): string => blobOf(year, 'checkpoint');

function cut(kind: 'hashes' | 'entries', full: Uint8Array, width: number): Uint8Array | undefined {
  if (kind === 'hashes') return full.subarray(0, width * HASH_BYTES);
  const entries = decodeBundle(full);
  return 'error' in entries ? undefined : encodeBundle(entries.slice(0, width));
}

/** A tile or bundle by its path; a partial one that is gone is cut from the full one. Undefined when there is neither. */
export async function readTile(blobs: Blobs, year: number, path: string): Promise<Uint8Array | undefined> {
  const read = parseTilePath(path);
  if (read === undefined) return undefined;
  const have = await blobs.get(blobOf(year, path));
  const width = read.kind === 'hashes' ? read.tile.width : read.width;
  if (have !== undefined || width === TILE_WIDTH) return have;
  const fullPath =
    read.kind === 'hashes'
      ? tilePath({ ...read.tile, width: TILE_WIDTH })
      : bundlePath(read.index, TILE_WIDTH);
  const full = await blobs.get(blobOf(year, fullPath));
  return full === undefined ? undefined : cut(read.kind, full, width);
}

/** Where the partial forms of a full tile or bundle lie. */
export const partialsOf = (year: number, path: string): string => blobOf(year, `${path}.p`);

export const keyOfTile = (tile: Tile): string => `${tile.level}/${tile.index}`;
