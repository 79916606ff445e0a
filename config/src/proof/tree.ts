/**
 * The Merkle tree of RFC 6962 section 2.1 over tiles: roots, inclusion and consistency proofs, and their checks
 * (RFC 9162 sections 2.1.3.2 and 2.1.4.2). Sizes and indexes are whole numbers up to 2^53 - 1, so there are no bit
 * operations here: those of the language end at 32 bits. A hash is 32 bytes.
 *
 * What a proof does not bind: an inclusion proof holds for every size in which the leaf's path has the same turns
 * (index 0 has one proof in trees of 3 and of 4), and likewise a consistency proof. The signed checkpoint binds
 * a size to its root.
 */
import { type Hash, sameBytes } from './bytes.ts';
import { emptyRoot, nodeHash } from './leaf-hash.ts';
import { HASH_BYTES, TILE_WIDTH, type Tile, foldTile, hashesAt } from './tiles.ts';

/** Bytes of a tile, `width * 32` of them or more; throws when it is missing. */
export type TileBytes = (tile: Tile) => Uint8Array;

/** Entries [from, end) whose root is wanted: `from` is a multiple of a power of two that is not below their number. */
interface Span {
  readonly from: number;
  readonly end: number;
}

/** A complete subtree: entries [index * 2^height, (index + 1) * 2^height). */
interface Node {
  readonly height: number;
  readonly index: number;
}

// ------------------------------------------------------------- reading

/** Tiles that rootAt asks for. */
export function tilesForRoot(size: number): Tile[] {
  return tilesOf(size === 0 ? [] : [{ from: 0, end: size }], size);
}

/** Tiles that inclusionProof asks for. */
export function tilesForInclusion(index: number, size: number): Tile[] {
  return tilesOf(inclusionSpans(index, size), size);
}

/** Tiles of the tree of `newSize` that consistencyProof asks for. */
export function tilesForConsistency(oldSize: number, newSize: number): Tile[] {
  return tilesOf(consistencySpans(oldSize, newSize), newSize);
}

export function rootAt(size: number, tiles: TileBytes, hash: Hash): Uint8Array {
  demandSize(size);
  return size === 0 ? emptyRoot(hash) : spanRoot({ from: 0, end: size }, size, tiles, hash);
}

/** The proof that entry `index` is in the tree of `size`, from the leaf upwards. Throws RangeError unless index < size. */
export function inclusionProof(index: number, size: number, tiles: TileBytes, hash: Hash): Uint8Array[] {
  return inclusionSpans(index, size).map((span) => spanRoot(span, size, tiles, hash));
}

/**
 * The proof that the tree of `newSize` begins with the tree of `oldSize`; empty for equal sizes and from size 0.
 * Throws RangeError when oldSize > newSize.
 */
export function consistencyProof(
  oldSize: number,
  newSize: number,
  tiles: TileBytes,
  hash: Hash,
): Uint8Array[] {
  return consistencySpans(oldSize, newSize).map((span) => spanRoot(span, newSize, tiles, hash));
}

/** RFC 6962 section 2.1.1, PATH, without its recursion. */
function inclusionSpans(index: number, size: number): Span[] {
  demandSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size)
    throw new RangeError('the entry is not in a tree of this size');
  const spans: Span[] = [];
  let from = 0;
  let end = size;
  while (end - from > 1) {
    const middle = from + powerBelow(end - from);
    if (index < middle) {
      spans.unshift({ from: middle, end });
      end = middle;
    } else {
      spans.unshift({ from, end: middle });
      from = middle;
    }
  }
  return spans;
}

/** RFC 6962 section 2.1.2, SUBPROOF, without its recursion. */
function consistencySpans(oldSize: number, newSize: number): Span[] {
  demandSize(oldSize);
  demandSize(newSize);
  if (oldSize > newSize) throw new RangeError('a tree does not shrink');
  if (oldSize === 0 || oldSize === newSize) return [];
  const spans: Span[] = [];
  let from = 0;
  let end = newSize;
  while (oldSize < end) {
    const middle = from + powerBelow(end - from);
    if (oldSize <= middle) {
      spans.unshift({ from: middle, end });
      end = middle;
    } else {
      spans.unshift({ from, end: middle });
      from = middle;
    }
  }
  // From 0 on, the rest is the old tree itself, whose root the reader has.
  if (from > 0) spans.unshift({ from, end });
  return spans;
}

function demandSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw new RangeError('a size is a whole number up to 2^53 - 1');
}

/** The largest power of two below `count`, which is 2 or more. */
function powerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

/** The complete subtrees of a span, from the left, ever smaller. */
function nodesOf(span: Span): Node[] {
  const nodes: Node[] = [];
  let { from } = span;
  while (from < span.end) {
    let height = 0;
    while (2 ** (height + 1) <= span.end - from) height += 1;
    nodes.push({ height, index: from / 2 ** height });
    from += 2 ** height;
  }
  return nodes;
}

function spanRoot(span: Span, size: number, tiles: TileBytes, hash: Hash): Uint8Array {
  return nodesOf(span)
    .map((node) => nodeRoot(node, size, tiles, hash))
    .reduceRight((right, left) => nodeHash(left, right, hash));
}

function nodeRoot(node: Node, size: number, tiles: TileBytes, hash: Hash): Uint8Array {
  const tile = tileOf(node, size);
  const bytes = tiles(tile);
  if (bytes.length < tile.width * HASH_BYTES) throw new RangeError('a tile is shorter than its width');
  const count = 2 ** (node.height % 8);
  return foldTile(bytes, (node.index * count) % TILE_WIDTH, count, hash);
}

/** The tile, as wide as the tree of `size` has it, from which the root of a node is folded. */
function tileOf(node: Node, size: number): Tile {
  const level = Math.floor(node.height / 8);
  const index = Math.floor((node.index * 2 ** (node.height % 8)) / TILE_WIDTH);
  return { level, index, width: Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH) };
}

function tilesOf(spans: readonly Span[], size: number): Tile[] {
  const tiles = new Map<string, Tile>();
  for (const node of spans.flatMap(nodesOf)) {
    const tile = tileOf(node, size);
    tiles.set(`${tile.level}/${tile.index}`, tile);
  }
  return [...tiles.values()];
}

// ---------------------------------------------------------- second path

/** The root of leaf hashes by the plain recursion of RFC 6962, without tiles: what a root from tiles is held against. */
export function rootOfLeaves(leafHashes: readonly Uint8Array[], hash: Hash): Uint8Array {
  const root = (from: number, end: number): Uint8Array => {
    const only = leafHashes[from];
    if (end - from === 1 && only) return only;
    const middle = from + powerBelow(end - from);
    return nodeHash(root(from, middle), root(middle, end), hash);
  };
  return leafHashes.length === 0 ? emptyRoot(hash) : root(0, leafHashes.length);
}

// ------------------------------------------------------------- checking

export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  /** Leaf hash. */
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly newSize: number;
  readonly oldRoot: Uint8Array;
  readonly newRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** Whether the leaf is entry `index` of the tree of `size` with this root. Never throws. */
export function verifyInclusion(claim: InclusionClaim, hash: Hash): boolean {
  const { index, size, leaf, root, proof } = claim;
  if (!areSizes(index, size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let own = index;
  let last = size - 1;
  let node = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(own) || own === last) {
      node = nodeHash(sibling, node, hash);
      for (; own > 0 && !isOdd(own); own /= 2) last = half(last);
    } else {
      node = nodeHash(node, sibling, hash);
    }
    own = half(own);
    last = half(last);
  }
  return last === 0 && sameBytes(node, root);
}

/**
 * Whether the tree of `newSize` begins with that of `oldSize`. Every tree begins with the empty one, and equal sizes
 * with equal roots need no proof: both with an empty proof alone. Never throws.
 */
export function verifyConsistency(claim: ConsistencyClaim, hash: Hash): boolean {
  const { oldSize, newSize, oldRoot, newRoot, proof } = claim;
  if (!areSizes(oldSize, newSize) || oldSize > newSize) return false;
  if (!areHashes([oldRoot, newRoot, ...proof])) return false;
  if (oldSize === newSize) {
    const isEmpty = newSize > 0 || sameBytes(newRoot, emptyRoot(hash));
    return proof.length === 0 && sameBytes(oldRoot, newRoot) && isEmpty;
  }
  if (oldSize === 0) return proof.length === 0 && sameBytes(oldRoot, emptyRoot(hash));
  let own = oldSize - 1;
  let last = newSize - 1;
  for (; isOdd(own); own = half(own)) last = half(last);
  // An old tree of a power of two is itself the first node of the new one's path.
  const [first, ...rest] = own === 0 ? [oldRoot, ...proof] : proof;
  if (!first) return false;
  let oldNode = first;
  let newNode = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(own) || own === last) {
      oldNode = nodeHash(sibling, oldNode, hash);
      newNode = nodeHash(sibling, newNode, hash);
      for (; own > 0 && !isOdd(own); own /= 2) last = half(last);
    } else {
      newNode = nodeHash(newNode, sibling, hash);
    }
    own = half(own);
    last = half(last);
  }
  return last === 0 && sameBytes(oldNode, oldRoot) && sameBytes(newNode, newRoot);
}

function areSizes(...sizes: number[]): boolean {
  return sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((bytes) => bytes.length === HASH_BYTES);
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}
