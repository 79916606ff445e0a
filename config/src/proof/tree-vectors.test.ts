/** The published vectors of transparency-dev/merkle: every inclusion and consistency proof, good and bad. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { sha256 } from '../keys.ts';
import { verifyConsistency, verifyInclusion } from './tree.ts';

const folder = fileURLToPath(new URL('../../../../shared/vectors/merkle/testdata', import.meta.url));
const missing = !existsSync(folder);
if (missing && process.env['CI'] === 'true') {
  test('the published vectors are missing: ../shared/vectors/merkle/testdata', () => {
    expect.fail('put the vectors of transparency-dev/merkle there');
  });
}

interface Vector {
  readonly desc: string;
  readonly wantErr: boolean;
  readonly proof: readonly string[] | null;
}
type InclusionVector = Vector & { leafIdx: number; treeSize: number; root: string; leafHash: string };
type ConsistencyVector = Vector & { size1: number; size2: number; root1: string; root2: string };

const bytes = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));

function vectors<T extends Vector>(kind: string): T[] {
  const files = globSync(`${folder}/${kind}/**/*.json`).sort();
  return files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as T);
}

describe.skipIf(missing)('vectors (skipped without ../shared/vectors/merkle)', () => {
  test('inclusion', () => {
    const all = vectors<InclusionVector>('inclusion');
    for (const v of all) {
      const proof = (v.proof ?? []).map(bytes);
      const claim = {
        index: v.leafIdx,
        size: v.treeSize,
        leaf: bytes(v.leafHash),
        root: bytes(v.root),
        proof,
      };
      expect(verifyInclusion(claim, sha256), JSON.stringify(v)).toBe(!v.wantErr);
    }
    expect([all.length, all.filter((v) => !v.wantErr).length]).toEqual([98, 6]);
  });
  test('consistency', () => {
    const all = vectors<ConsistencyVector>('consistency');
    for (const v of all) {
      const proof = (v.proof ?? []).map(bytes);
      const claim = {
        oldSize: v.size1,
        newSize: v.size2,
        oldRoot: bytes(v.root1),
        newRoot: bytes(v.root2),
        proof,
      };
      // One good vector has words for roots: here a hash is 32 bytes or it is none.
      const isGood = !v.wantErr && claim.newRoot.length === 32;
      expect(verifyConsistency(claim, sha256), JSON.stringify(v)).toBe(isGood);
    }
    expect([all.length, all.filter((v) => !v.wantErr).length]).toEqual([98, 6]);
  });
});
