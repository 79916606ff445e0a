/** Trees for tests: all their tiles, of every size up to the number of leaves. */
import { sha256 } from '../../keys.ts';
import { sameBytes, utf8 } from '../bytes.ts';
import { HASH_BYTES, TILE_WIDTH, tileHash, tilePath, tilesBetween } from '../tiles.ts';
import type { TileBytes } from '../tree.ts';

/** The tiles of the tree of `size` over the first leaf hashes; a tile that this tree does not have throws. */
export function buildTiles(leaves: readonly Uint8Array[]): (size: number) => TileBytes {
  const levels: Uint8Array[] = [];
  for (let hashes = leaves; hashes.length > 0;) {
    const bytes = joined(hashes);
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

/** As concat, of more than a call has room for. */
function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * HASH_BYTES);
  return bytes;
}

/** The leaf hashes of `count` made-up entries: any 32 bytes do. */
export function makeLeaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.from(sha256(utf8(`entry ${i}`))));
}

/**
 * The files that a log writes when it grows through `sizes`, by path: each tile is made from the entries and from the
 * files that are there, and nothing that is there is written with other bytes. Partial tiles stay.
 */
export function growFiles(leaves: readonly Uint8Array[], sizes: readonly number[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  let oldSize = 0;
  for (const size of sizes) {
    for (const tile of tilesBetween(oldSize, size)) {
      const from = tile.index * TILE_WIDTH;
      const hashes = Array.from({ length: tile.width }, (_, i) => {
        if (tile.level === 0) return leaves[from + i] ?? new Uint8Array();
        const below = { level: tile.level - 1, index: from + i, width: TILE_WIDTH };
        return tileHash(files.get(tilePath(below)) ?? new Uint8Array(), sha256);
      });
      const bytes = joined(hashes);
      const path = tilePath(tile);
      const there = files.get(path);
      if (there && !sameBytes(there, bytes)) throw new Error(`${path} would change`);
      files.set(path, bytes);
    }
    oldSize = size;
  }
  return files;
}
