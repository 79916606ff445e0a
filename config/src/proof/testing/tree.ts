/** Trees for tests: all their tiles, of every size up to the number of leaves. */
import { sha256 } from '../../keys.ts';
import { concat } from '../bytes.ts';
import { HASH_BYTES, TILE_WIDTH, tileHash, tilePath } from '../tiles.ts';
import type { TileBytes } from '../tree.ts';

/** The tiles of the tree of `size` over the first leaf hashes; a tile that this tree does not have throws. */
export function buildTiles(leaves: readonly Uint8Array[]): (size: number) => TileBytes {
  const levels: Uint8Array[] = [];
  for (let hashes = leaves; hashes.length > 0;) {
    const bytes = concat(...hashes);
    levels.push(bytes);
    hashes = Array.from({ length: Math.floor(hashes.length / TILE_WIDTH) }, (_, i) =>
      tileHash(bytes.subarray(i * TILE_WIDTH * HASH_BYTES, (i + 1) * TILE_WIDTH * HASH_BYTES), sha256),
    );
  }
  return (size) => (tile) => {
    const count = Math.floor(size / TILE_WIDTH ** tile.level);
    const width = Math.min(TILE_WIDTH, count - tile.index * TILE_WIDTH);
    if (width !== tile.width || width < 1) throw new Error(`a tree of ${size} has no ${tilePath(tile)}`);
    const from = tile.index * TILE_WIDTH;
    const bytes = levels[tile.level]?.subarray(from * HASH_BYTES, (from + width) * HASH_BYTES);
    if (bytes?.length !== width * HASH_BYTES) throw new Error(`not built: ${tilePath(tile)}`);
    return bytes;
  };
}
