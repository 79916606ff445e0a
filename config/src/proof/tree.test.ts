import { describe, expect, test } from 'vitest';
import { sha256 } from '../keys.ts';
import { utf8 } from './bytes.ts';
import { leafHash } from './leaf-hash.ts';
import { buildTiles } from './testing/tree.ts';
import { bundlePath, tilePath } from './tiles.ts';
import {
  type TileBytes,
  consistencyProof,
  inclusionProof,
  rootAt,
  rootOfLeaves,
  tilesForConsistency,
  tilesForInclusion,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

describe('names of tiles', () => {
  // c2sp.org/tlog-tiles, "Merkle Tree".
  test('the example of the specification', () => {
    expect(tilePath({ level: 3, index: 1_234_067, width: 256 })).toBe('tile/3/x001/x234/067');
    expect(bundlePath(1_234_067, 8)).toBe('tile/entries/x001/x234/067.p/8');
  });
});

describe('a small tree', () => {
  const size = 600;
  const leaves = Array.from({ length: size }, (_, i) => leafHash(utf8(`entry ${i}`), sha256));
  const tiles = buildTiles(leaves);

  test('roots, inclusion and consistency, and only the tiles that are named', () => {
    const root = rootOfLeaves(leaves, sha256);
    expect(rootAt(size, tiles(size), sha256)).toEqual(root);
    for (const index of [0, 1, 255, 256, 511, 512, 598, 599]) {
      const named = new Set(tilesForInclusion(index, size).map(tilePath));
      const proof = inclusionProof(index, size, only(named, tiles(size)), sha256);
      const claim = { index, size, leaf: leaves[index] ?? new Uint8Array(), root, proof };
      expect(verifyInclusion(claim, sha256)).toBe(true);
      expect(verifyInclusion({ ...claim, index: (index + 1) % size }, sha256)).toBe(false);
    }
    for (const oldSize of [0, 1, 2, 3, 255, 256, 257, 512, 599, 600]) {
      const named = new Set(tilesForConsistency(oldSize, size).map(tilePath));
      const proof = consistencyProof(oldSize, size, only(named, tiles(size)), sha256);
      const oldRoot = rootOfLeaves(leaves.slice(0, oldSize), sha256);
      const claim = { oldSize, newSize: size, oldRoot, newRoot: root, proof };
      expect(verifyConsistency(claim, sha256)).toBe(true);
      expect(verifyConsistency({ ...claim, newRoot: oldRoot }, sha256))
        // Every tree begins with the empty one.
        .toBe(oldSize === size || oldSize === 0);
    }
  });
});

function only(named: ReadonlySet<string>, tiles: TileBytes): TileBytes {
  return (tile) => {
    if (!named.has(tilePath(tile))) throw new Error(`not named: ${tilePath(tile)}`);
    return tiles(tile);
  };
}
