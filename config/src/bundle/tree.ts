/** The root of a log as its entries come: from the full subtrees before the first of them, with the roots of sizes on the way. */
import type { Hash } from '../proof/bytes.ts';
import { decodeBase64, encodeBase64, isHashText } from '../proof/bytes.ts';
import { emptyRoot, nodeHash } from '../proof/leaf-hash.ts';
import { MAX_PROOF_HASHES } from '../proof/hash-lines.ts';

/** Hashes in base64, one a line: a consistency proof, a frontier. */
export function parseHashes(text: string): Uint8Array[] | { error: string } {
  if (text === '') return [];
  if (!text.endsWith('\n')) return { error: 'the text does not end in a line feed' };
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > MAX_PROOF_HASHES) return { error: `there are over ${MAX_PROOF_HASHES} hashes` };
  const hashes: Uint8Array[] = [];
  for (const [i, line] of lines.entries()) {
    const bytes = isHashText(line) ? decodeBase64(line) : undefined;
    if (bytes === undefined) return { error: `line ${i + 1} is not the base64 of 32 bytes` };
    hashes.push(bytes);
  }
  return hashes;
}

/** The opposite of parseHashes. */
export function formatHashes(hashes: readonly Uint8Array[]): string {
  return hashes.map((hash) => `${encodeBase64(hash)}\n`).join('');
}

/** How many full subtrees a tree of that size is made of: the ones in its binary digits. */
export function subtreesOf(size: number): number {
  let count = 0;
  for (let left = size; left > 0; left = Math.floor(left / 2)) count += left % 2;
  return count;
}

/** Of a full tile's leaves, 256. */
const TILE_LEVEL = 8;
const HASH_BYTES = 32;

/**
 * Keeps what it takes to give the root of any size from its first to its last: each leaf hash, and each full subtree that is at
 * least a tile wide (7 MB and 1,700 of them for 222,000 entries).
 */
export class GrowingTree {
  readonly #hash: Hash;
  /** Full subtrees from the left, ever smaller. */
  readonly #stack: Uint8Array[];
  readonly #first: number;
  readonly #firstStack: readonly Uint8Array[];
  /** Leaf hashes from the first on, a tile's in each. */
  readonly #leaves: Uint8Array[] = [];
  /** By level and place (nodeId). */
  readonly #nodes = new Map<number, Uint8Array>();
  #size: number;

  /**
   * @param size of whole tiles, or 0
   * @param frontier subtreesOf(size) hashes, widest first
   */
  constructor(size: number, frontier: readonly Uint8Array[], hash: Hash) {
    if (frontier.length !== subtreesOf(size)) throw new RangeError('not the subtrees of this size');
    if (size % 2 ** TILE_LEVEL !== 0) throw new RangeError('not whole tiles');
    this.#hash = hash;
    this.#first = size;
    this.#firstStack = frontier;
    this.#stack = [...frontier];
    this.#size = size;
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    this.#keep(leaf);
    let node = leaf;
    let level = 0;
    let place = this.#size;
    for (; place % 2 === 1; place = (place - 1) / 2) {
      node = nodeHash(this.#stack.pop() ?? node, node, this.#hash);
      level += 1;
      if (level >= TILE_LEVEL) this.#nodes.set(nodeId(level, (place - 1) / 2), node);
    }
    this.#stack.push(node);
    this.#size += 1;
  }

  /** Of a size that has been since the first entry that is here. */
  rootAt(size: number): Uint8Array | undefined {
    if (size < this.#first || size > this.#size) return undefined;
    if (size === 0) return emptyRoot(this.#hash);
    const subtrees: Uint8Array[] = [];
    let at = 0;
    for (let level = Math.floor(Math.log2(size)); level >= TILE_LEVEL; level -= 1) {
      const width = 2 ** level;
      if (size - at < width) continue;
      // What is wholly before the first entry is one of the subtrees that it began with, in their order.
      const isBefore = at + width <= this.#first;
      const node = isBefore ? this.#firstStack[subtrees.length] : this.#nodes.get(nodeId(level, at / width));
      if (node === undefined) return undefined;
      subtrees.push(node);
      at += width;
    }
    return this.#fold([...subtrees, ...this.#rest(at, size)]);
  }

  #keep(leaf: Uint8Array): void {
    const place = (this.#size - this.#first) % 2 ** TILE_LEVEL;
    if (place === 0) this.#leaves.push(new Uint8Array(HASH_BYTES * 2 ** TILE_LEVEL));
    this.#leaves.at(-1)?.set(leaf, place * HASH_BYTES);
  }

  /** Full subtrees of the leaves of one tile, up to `size`. */
  #rest(at: number, size: number): Uint8Array[] {
    const tile = this.#leaves[(at - this.#first) / 2 ** TILE_LEVEL] ?? new Uint8Array();
    const stack: Uint8Array[] = [];
    for (let i = 0; i < size - at; i += 1) {
      let node: Uint8Array = tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      for (let place = i; place % 2 === 1; place = (place - 1) / 2)
        node = nodeHash(stack.pop() ?? node, node, this.#hash);
      stack.push(node);
    }
    return stack;
  }

  #fold(subtrees: readonly Uint8Array[]): Uint8Array {
    return subtrees.reduceRight((right, left) => nodeHash(left, right, this.#hash));
  }
}

/** Logs have fewer than 2^40 entries, so a tile's place is below 2^32. */
function nodeId(level: number, place: number): number {
  return place * 64 + level;
}
