/** The files of a bundle that tell of a log's tree, from its leaf hashes. */
import { type SigningKey, type WitnessSigningKey, sha256 } from '../../keys.ts';
import { encodeBase64, utf8 } from '../../proof/bytes.ts';
import { formatCheckpointText } from '../../proof/checkpoint.ts';
import { leafHash } from '../../proof/leaf-hash.ts';
import { formatNote, parseNote } from '../../proof/note.ts';
import { buildTiles } from '../../proof/testing/tree.ts';
import { TILE_WIDTH } from '../../proof/tiles.ts';
import { formatTlogProof } from '../../proof/tlog-proof.ts';
import { consistencyProof, inclusionProof, rootAt } from '../../proof/tree.ts';
import { names } from '../files.ts';
import { formatHashes } from '../tree.ts';

export type File = readonly [name: string, bytes: Uint8Array];

/** Of a cosignature: some time after all that tests are about. */
const COSIGNED_AT_S = 1_800_000_000;

export function text(name: string, content: string): File {
  return [name, utf8(content)];
}

export function testLeafHash(entry: Uint8Array): Uint8Array {
  return Uint8Array.from(leafHash(entry, sha256));
}

export class TestTree {
  readonly #key: SigningKey;
  readonly #leaves: readonly Uint8Array[];
  readonly #tiles: ReturnType<typeof buildTiles>;

  /** The key's name is the log's origin. */
  constructor(key: SigningKey, leaves: readonly Uint8Array[]) {
    this.#key = key;
    this.#leaves = leaves;
    this.#tiles = buildTiles(leaves);
  }

  /** That an entry behind all others is in the log, and that this then continues what it was. */
  proofOfNext(entry: Uint8Array): { readonly proof: string; readonly consistency: string } {
    const index = this.#leaves.length;
    const tree = new TestTree(this.#key, [...this.#leaves, testLeafHash(entry)]);
    return {
      proof: tree.proofOf(index, index + 1),
      consistency: formatHashes(tree.consistency(index, index + 1)),
    };
  }

  rootAt(size: number): Uint8Array {
    return rootAt(size, this.#tiles(size), sha256);
  }

  checkpoint(size: number, witnesses: readonly WitnessSigningKey[] = []): string {
    const root = encodeBase64(this.rootAt(size));
    const body = formatCheckpointText({ origin: this.#key.name, size, root });
    const note = parseNote(this.#key.sign(body));
    if ('error' in note) throw new Error(note.error);
    const cosigned = witnesses.map((witness) => witness.cosign(body, COSIGNED_AT_S));
    return formatNote({ text: body, signatures: [...note.signatures, ...cosigned] });
  }

  proofOf(index: number, size: number, witnesses?: readonly WitnessSigningKey[]): string {
    const proof = inclusionProof(index, size, this.#tiles(size), sha256);
    return formatTlogProof({ index, proof, checkpoint: this.checkpoint(size, witnesses) });
  }

  consistency(start: number, size: number): Uint8Array[] {
    return consistencyProof(start, size, this.#tiles(size), sha256);
  }

  /** Roots of the full subtrees of a tree of `size`, widest first. */
  frontier(size: number): Uint8Array[] {
    const roots: Uint8Array[] = [];
    for (let from = 0; from < size;) {
      let width = 1;
      while (from + width * 2 <= size) width *= 2;
      roots.push(rootAt(width, buildTiles(this.#leaves.slice(from, from + width))(width), sha256));
      from += width;
    }
    return roots;
  }
}

export function* treeFiles(
  tree: TestTree,
  log: { readonly year: number; readonly start: number; readonly size: number },
  witnesses?: readonly WitnessSigningKey[],
): Generator<File, void> {
  const { year, start, size } = log;
  const lines = (hashes: readonly Uint8Array[]): string =>
    hashes.map((hash) => `${encodeBase64(hash)}\n`).join('');
  if (start > 0) yield text(names.start(year), tree.checkpoint(start));
  yield text(names.end(year), tree.checkpoint(size, witnesses));
  if (start === 0) return;
  yield text(names.consistency(year), lines(tree.consistency(start, size)));
  yield text(names.frontier(year), lines(tree.frontier(start - (start % TILE_WIDTH))));
}
