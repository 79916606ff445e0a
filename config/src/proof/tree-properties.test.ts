/** What holds for trees of every size; 10,000 runs each, over one tree of 5,000 entries that is made once. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { sha256 } from '../keys.ts';
import { encodeHex } from './bytes.ts';
import { buildTiles, growFiles, makeLeaves } from './testing/tree.ts';
import {
  MAX_ENTRY_BYTES,
  TILE_WIDTH,
  bundlePath,
  bundlesBetween,
  decodeBundle,
  encodeBundle,
  parseTilePath,
  tileHash,
  tilePath,
  tilesAt,
  tilesBetween,
} from './tiles.ts';
import {
  consistencyProof,
  inclusionProof,
  rootAt,
  rootOfLeaves,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

// Other suites may have the machine.
vi.setConfig({ testTimeout: 120_000 });

const numRuns = 10_000;
const LARGEST = 5_000;
const leaves = makeLeaves(LARGEST);
const tilesOf = buildTiles(leaves);
const roots = new Map<number, Uint8Array>();

/** 48 bits of the hash that begins there. */
function bitsAt(data: Uint8Array, at: number): number {
  const of = (i: number): number => data[at + i] ?? 0;
  const high = of(0) * 65_536 + of(1) * 256 + of(2);
  return high * 16_777_216 + of(3) * 65_536 + of(4) * 256 + of(5);
}

/**
 * SHA-256 that remembers: proofs of one tree are made of the same few ten thousand nodes, told apart by bits of both halves.
 * Checking is done with the plain one, so two nodes that were mixed up would be a proof that fails.
 */
const made = new Map<number, Uint8Array>();
function remembered(data: Uint8Array): Uint8Array {
  const key = bitsAt(data, 1) * 31 + bitsAt(data, 33);
  const known = made.get(key) ?? sha256(data);
  made.set(key, known);
  return known;
}

function rootOf(size: number): Uint8Array {
  const known = roots.get(size) ?? rootAt(size, tilesOf(size), remembered);
  roots.set(size, known);
  return known;
}

function leafAt(index: number): Uint8Array {
  return leaves[index] ?? new Uint8Array();
}

function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  return bytes.map((byte, i) => (i === (bit >> 3) % bytes.length ? byte ^ (1 << (bit & 7)) : byte));
}

/** One of several hashes with one bit changed; `nth` counts over all of them. */
function flipOne(hashes: readonly Uint8Array[], nth: number): Uint8Array[] {
  const which = Math.floor(nth / 256) % hashes.length;
  return hashes.map((hash, i) => (i === which ? flipBit(hash, nth % 256) : hash));
}

/** The turns of a leaf's path by the recursion of RFC 6962, from the leaf: what a proof is bound to. */
function turns(index: number, size: number): string {
  if (index >= size) return 'no such entry';
  if (size === 1) return '';
  const left = 2 ** Math.floor(Math.log2(size - 1));
  return index < left ? `${turns(index, left)}<` : `${turns(index - left, size - left)}>`;
}

/** The same for a consistency proof. */
function shape(oldSize: number, newSize: number, isOld = true): string {
  if (oldSize < 1 || oldSize > newSize) return 'none';
  if (oldSize === newSize) return isOld ? 'old' : 'node';
  const left = 2 ** Math.floor(Math.log2(newSize - 1));
  return oldSize <= left
    ? `${shape(oldSize, left, isOld)}<`
    : `${shape(oldSize - left, newSize - left, false)}>`;
}

const bit = fc.nat(256 * 64 - 1);
const sizeBit = fc.nat(12).map((n) => 2 ** n);

describe('inclusion', () => {
  const place = fc
    .integer({ min: 1, max: LARGEST })
    .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }));
  test('proofs verify; one changed bit in leaf, root, proof or index fails; in the size, when the turns are others', () => {
    fc.assert(
      fc.property(place, bit, sizeBit, ({ size, index }, nth, change) => {
        const proof = inclusionProof(index, size, tilesOf(size), remembered);
        const claim = { index, size, leaf: leafAt(index), root: rootOf(size), proof };
        const [leaf = claim.leaf, root = claim.root, ...changed] = flipOne(
          [claim.leaf, claim.root, ...proof],
          nth,
        );
        const isSameWay = turns(index, size ^ change) === turns(index, size);
        const verdicts = [
          claim,
          { ...claim, leaf, root, proof: changed },
          { ...claim, index: index ^ change },
          { ...claim, size: size ^ change },
        ].map((each) => verifyInclusion(each, sha256));
        expect(verdicts.join(' ')).toBe(`true false false ${isSameWay}`);
      }),
      { numRuns },
    );
  });
  test('a proof that is longer, shorter or out of order fails, as do hashes that are none', () => {
    for (const [index, size] of [[0, 1], [4, 5], [3, 8], [4_999, 5_000]] as const) {
      const proof = inclusionProof(index, size, tilesOf(size), sha256);
      const claim = { index, size, leaf: leafAt(index), root: rootOf(size), proof };
      const bad = [[...proof, claim.root], [claim.leaf, ...proof], proof.slice(1), proof.slice(0, -1)];
      if (proof.length > 1) bad.push([...proof].reverse());
      for (const other of bad.filter((other) => other.length !== proof.length || proof.length > 1))
        expect(verifyInclusion({ ...claim, proof: other }, sha256)).toBe(false);
      expect(verifyInclusion({ ...claim, root: claim.root.subarray(1) }, sha256)).toBe(false);
      expect(verifyInclusion({ ...claim, leaf: new Uint8Array() }, sha256)).toBe(false);
    }
    const whole = { index: 0, size: 1, leaf: leafAt(0), root: leafAt(0), proof: [] };
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 53, Infinity])
      expect(verifyInclusion({ ...whole, size }, sha256)).toBe(false);
    for (const index of [-1, 0.5, Number.NaN]) expect(verifyInclusion({ ...whole, index }, sha256)).toBe(false);
  }); // prettier-ignore
});

describe('consistency', () => {
  const pair = fc
    .integer({ min: 1, max: LARGEST })
    .chain((newSize) =>
      fc.record({ newSize: fc.constant(newSize), oldSize: fc.integer({ min: 1, max: newSize }) }),
    );
  test('proofs verify; one changed bit in a root or in the proof fails; in a size, when the proof has another shape', () => {
    fc.assert(
      fc.property(pair, bit, sizeBit, ({ oldSize, newSize }, nth, change) => {
        const proof = consistencyProof(oldSize, newSize, tilesOf(newSize), remembered);
        const claim = { oldSize, newSize, oldRoot: rootOf(oldSize), newRoot: rootOf(newSize), proof };
        const [oldRoot = claim.oldRoot, newRoot = claim.newRoot, ...changed] = flipOne(
          [claim.oldRoot, claim.newRoot, ...proof],
          nth,
        );
        const others = [
          { ...claim, oldSize: oldSize ^ change },
          { ...claim, newSize: newSize ^ change },
        ];
        const own = shape(oldSize, newSize);
        const isSameWay = others.map((other) => shape(other.oldSize, other.newSize) === own);
        const verdicts = [claim, { ...claim, oldRoot, newRoot, proof: changed }, ...others].map((each) =>
          verifyConsistency(each, sha256),
        );
        expect(verdicts.join(' ')).toBe(`true false ${isSameWay.join(' ')}`);
      }),
      { numRuns },
    );
  });
  test('every tree begins with the empty one and with itself, without a proof', () => {
    const [empty, root] = [rootOf(0), rootOf(7)];
    const claim = { oldSize: 0, newSize: 7, oldRoot: empty, newRoot: root, proof: [] };
    expect(consistencyProof(0, 7, tilesOf(7), sha256)).toEqual([]);
    expect(verifyConsistency(claim, sha256)).toBe(true);
    expect(verifyConsistency({ ...claim, oldRoot: root }, sha256)).toBe(false);
    expect(verifyConsistency({ ...claim, proof: [root] }, sha256)).toBe(false);
    expect(verifyConsistency({ ...claim, oldSize: 7, oldRoot: root }, sha256)).toBe(true);
    expect(verifyConsistency({ ...claim, oldSize: 7, oldRoot: root, proof: [root] }, sha256)).toBe(false);
    expect(verifyConsistency({ ...claim, newSize: 0, newRoot: empty }, sha256)).toBe(true);
    expect(verifyConsistency({ ...claim, newSize: 0, oldRoot: root }, sha256)).toBe(false);
    expect(verifyConsistency({ ...claim, oldSize: 8, oldRoot: root }, sha256)).toBe(false);
    expect(() => consistencyProof(8, 7, tilesOf(7), sha256)).toThrow(RangeError);
    expect(() => inclusionProof(7, 7, tilesOf(7), sha256)).toThrow(RangeError);
  });
});

describe('roots', () => {
  test('from tiles as by the plain recursion, for each size to 600 and around the tile widths', () => {
    const around = [767, 768, 769, 1_023, 1_024, 4_095, 4_096, 4_097, 4_999, 5_000];
    for (const size of [...Array(601).keys(), ...around])
      expect(encodeHex(rootOf(size))).toBe(encodeHex(rootOfLeaves(leaves.slice(0, size), sha256)));
  });
});

describe('files', () => {
  test('whatever the steps of growth, the same full tiles and, for one size, the same partial ones', () => {
    const schedule = fc.uniqueArray(fc.integer({ min: 1, max: LARGEST }), { maxLength: 12 });
    fc.assert(
      fc.property(schedule, fc.integer({ min: 1, max: LARGEST }), (steps, size) => {
        const sizes = [...steps.filter((step) => step < size).sort((a, b) => a - b), size];
        const files = growFiles(leaves, sizes);
        const wanted = new Set([...tilesAt(size)].map(tilePath));
        for (const tile of tilesAt(size)) expect(files.get(tilePath(tile))).toEqual(tilesOf(size)(tile));
        for (const path of files.keys()) if (!path.includes('.p/')) expect(wanted).toContain(path);
      }),
      { numRuns: 25 },
    );
  });
  test('the tree of 70,000 of the specification', () => {
    const tiles = [...tilesAt(70_000)];
    const full = (level: number): number => tiles.filter((t) => t.level === level && t.width === 256).length;
    const partial = tiles.filter((tile) => tile.width < TILE_WIDTH);
    expect([full(0), full(1), full(2), tiles.length]).toEqual([273, 1, 0, 277]);
    expect(partial).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
    expect([...tilesAt(256)]).toEqual([
      { level: 0, index: 0, width: 256 },
      { level: 1, index: 0, width: 1 },
    ]);
    expect(tilesBetween(70_000, 70_000)).toEqual([]);
    expect(tilesBetween(255, 257).map(tilePath)).toEqual(['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1']);
    expect(bundlesBetween(255, 257)).toEqual([
      { index: 0, width: 256 },
      { index: 1, width: 1 },
    ]);
  });
  test('the largest size that a number holds', () => {
    const size = Number.MAX_SAFE_INTEGER;
    const tiles = tilesBetween(size - 1, size);
    expect(tiles).toEqual([{ level: 0, index: 2 ** 45 - 1, width: 255 }]);
    expect(tiles.map(tilePath)).toEqual(['tile/0/x035/x184/x372/x088/831.p/255']);
  });
});

describe('paths', () => {
  const tile = fc.record({
    level: fc.nat(63),
    index: fc.oneof(fc.maxSafeNat(), fc.nat(3_000)),
    width: fc.integer({ min: 1, max: TILE_WIDTH }),
  });
  test('tiles and bundles have one path each, and each path one tile or bundle', () => {
    fc.assert(
      fc.property(tile, (one) => {
        expect(parseTilePath(tilePath(one))).toEqual({ kind: 'hashes', tile: one });
        const { index, width } = one;
        expect(parseTilePath(bundlePath(index, width))).toEqual({ kind: 'entries', index, width });
      }),
      { numRuns },
    );
  });
  test('any other text is refused, or is the path of what it is read as', () => {
    const piece = fc.constantFrom(
      '',
      '0',
      '00',
      '000',
      'x',
      '/',
      '.p/',
      '256',
      '-1',
      'entries',
      ' ',
      '1e3',
      '..',
    );
    fc.assert(
      fc.property(tile, fc.nat(), fc.nat(4), piece, (one, at, drop, put) => {
        const path = tilePath(one);
        const from = at % (path.length + 1);
        const edited = path.slice(0, from) + put + path.slice(from + drop);
        const read = parseTilePath(edited);
        if (read?.kind === 'hashes') expect(tilePath(read.tile)).toBe(edited);
        if (read?.kind === 'entries') expect(bundlePath(read.index, read.width)).toBe(edited);
      }),
      { numRuns },
    );
  });
  test.each(['', 'tile', 'tile/0', 'tile/64/000', 'tile/00/000', 'tile/-1/000', 'tile/0/0', 'tile/0/0000',
    'tile/0/x000/001', 'tile/0/001/002', 'tile/0/x001', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/08',
    'tile/0/000.p/', '/tile/0/000', 'tile/0/000/', 'tile/data/000', 'tile/8/0/000', 'tile/0/../000', 'tile/0/000\n',
    'tile/0/x009/x007/x199/x254/x740/992', 'tile/entries/x000/000'])('%j is no path', (path) => {
    expect(parseTilePath(path)).toBeUndefined();
  }); // prettier-ignore
});

describe('bundles and tiles', () => {
  test('bundles come back, and only what is written is read', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: TILE_WIDTH });
    fc.assert(
      fc.property(entries, fc.nat(), (list, cut) => {
        const bytes = encodeBundle(list);
        expect(decodeBundle(bytes)).toEqual(list);
        const part = bytes.subarray(0, cut % bytes.length);
        const read = decodeBundle(part);
        if (Array.isArray(read)) expect(encodeBundle(read)).toEqual(part);
      }),
      { numRuns: 1_000 },
    );
  });
  test('limits', () => {
    const longest = new Uint8Array(MAX_ENTRY_BYTES);
    expect(decodeBundle(encodeBundle([longest]))).toEqual([longest]);
    expect(() => encodeBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)])).toThrow(RangeError);
    expect(() => encodeBundle([])).toThrow(RangeError);
    expect(() => encodeBundle(Array<Uint8Array>(257).fill(longest))).toThrow(RangeError);
    expect(decodeBundle(new Uint8Array())).toHaveProperty('error');
    expect(decodeBundle(Uint8Array.of(0))).toHaveProperty('error');
    expect(decodeBundle(Uint8Array.of(0, 2, 1))).toHaveProperty('error');
    expect(decodeBundle(new Uint8Array(2 * 257))).toHaveProperty('error');
    expect(() => tileHash(new Uint8Array(8_191), sha256)).toThrow(RangeError);
    expect(() => rootAt(1, () => new Uint8Array(31), sha256)).toThrow(RangeError);
  });
});
