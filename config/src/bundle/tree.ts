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

export class GrowingTree {
  readonly #hash: Hash;
  /** Full subtrees from the left, ever smaller. */
  readonly #stack: Uint8Array[];
  readonly #wanted: ReadonlySet<number>;
  readonly #roots = new Map<number, Uint8Array>();
  #size: number;

  /** @param frontier subtreesOf(size) hashes, widest first */
  constructor(size: number, frontier: readonly Uint8Array[], wanted: Iterable<number>, hash: Hash) {
    if (frontier.length !== subtreesOf(size)) throw new RangeError('not the subtrees of this size');
    this.#hash = hash;
    this.#stack = [...frontier];
    this.#size = size;
    this.#wanted = new Set(wanted);
    this.#note();
  }

  get size(): number {
    return this.#size;
  }

  add(leaf: Uint8Array): void {
    let node = leaf;
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      node = nodeHash(this.#stack.pop() ?? node, node, this.#hash);
    }
    this.#stack.push(node);
    this.#size += 1;
    this.#note();
  }

  /** Of a size that was wanted and has been. */
  rootAt(size: number): Uint8Array | undefined {
    return this.#roots.get(size);
  }

  #note(): void {
    if (this.#wanted.has(this.#size)) this.#roots.set(this.#size, this.#root());
  }

  #root(): Uint8Array {
    if (this.#stack.length === 0) return emptyRoot(this.#hash);
    return this.#stack.reduceRight((right, left) => nodeHash(left, right, this.#hash));
  }
}
