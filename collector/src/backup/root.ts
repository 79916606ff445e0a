/** Roots of a growing list of leaf hashes, in little memory: the complete subtrees of RFC 6962 from the left. */
import { type Hash, encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { emptyRoot, nodeHash } from '@highwater/config/proof/leaf-hash.ts';

export class GrowingRoot {
  readonly #hash: Hash;
  readonly #subtrees: { readonly leaves: number; readonly root: Uint8Array }[] = [];
  #size = 0;

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  get size(): number {
    return this.#size;
  }

  push(leaf: Uint8Array): void {
    this.#size += 1;
    let made = { leaves: 1, root: leaf };
    for (let last = this.#subtrees.at(-1); last?.leaves === made.leaves; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      made = { leaves: 2 * made.leaves, root: nodeHash(last.root, made.root, this.#hash) };
    }
    this.#subtrees.push(made);
  }

  /** Base64, of all that was pushed. */
  root(): string {
    const roots = this.#subtrees.map(({ root }) => root);
    const root =
      roots.length === 0
        ? emptyRoot(this.#hash)
        : roots.reduceRight((right, left) => nodeHash(left, right, this.#hash));
    return encodeBase64(root);
  }
}
