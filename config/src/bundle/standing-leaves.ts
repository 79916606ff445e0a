/** Earlier entries that still matter: each with the proof that it is in its log. */
import { leafHash } from '../proof/leaf-hash.ts';
import { MAX_ENTRY_BYTES } from '../proof/tiles.ts';
import { parseTlogProof } from '../proof/tlog-proof.ts';
import { verifyInclusion } from '../proof/tree.ts';
import { type SignedCheckpoint, moreThanLog, openCheckpoint } from './checkpoints.ts';
import { isCarried } from './carried.ts';
import type { EntryPlace } from './entries.ts';
import { names } from './files.ts';
import type { Range } from './range.ts';
import type { Reading } from './reading.ts';
import type { Ties } from './ties.ts';
import type { Trusted } from './trust.ts';

/** By year: what the bundle's own checkpoints say of a size. */
export type Roots = ReadonlyMap<number, ReadonlyMap<number, string>>;

/**
 * Reads them in their order. Of the log that the month begins in, the proof is under one of the bundle's own checkpoints, so
 * that it is the same log; of an older log under the last of it, which entry 0 of the log after it carries (Ties).
 */
export async function readStandingLeaves(
  reading: Reading,
  range: Range,
  trusted: Trusted,
  own: Roots,
  ties: Ties,
  take: (entry: Uint8Array, leaf: Uint8Array, place: EntryPlace) => void,
): Promise<void> {
  const { checker, problems, signatures } = reading;
  const opened = new Map<string, SignedCheckpoint | { error: string }>();
  for (const { year, index } of range.leaves) {
    const file = names.leaf(year, index);
    const proofFile = names.leafProof(year, index);
    const entry = await reading.need(file, MAX_ENTRY_BYTES);
    const proofText = await reading.needText(proofFile);
    const proof = parseTlogProof(proofText);
    if ('error' in proof) return problems.fatal('mismatch', proofFile, proof.error);
    if (proof.index !== index) return problems.fatal('mismatch', proofFile, `it is of entry ${proof.index}`);
    if (proof.extra !== undefined)
      return problems.fatal('mismatch', proofFile, 'it has extra data, which nothing proves');
    const key = trusted.logs.get(year);
    if (key === undefined)
      return problems.fatal('incomplete', names.keys, `the key of the log ${year} is not in it`);
    const id = `${year}\n${proof.checkpoint}`;
    const before = opened.get(id);
    const checkpoint = before ?? (await openCheckpoint(reading, proof.checkpoint, key));
    opened.set(id, checkpoint);
    if ('error' in checkpoint)
      return problems.fatal('mismatch', proofFile, `its checkpoint: ${checkpoint.error}`);
    const more = moreThanLog(checkpoint, proofText);
    if (more !== undefined) problems.mismatch(proofFile, more);
    if (!own.has(year)) ties.prove(proofFile, year, checkpoint);
    else if (own.get(year)?.get(checkpoint.size) !== checkpoint.root)
      return problems.fatal('mismatch', proofFile, 'its checkpoint is of another log than the others here');
    const leaf = leafHash(entry, checker.hash);
    const claim = { index, size: checkpoint.size, leaf, root: checkpoint.rootBytes, proof: proof.proof };
    if (!verifyInclusion(claim, checker.hash))
      return problems.fatal('mismatch', file, 'the proof beside it does not show that it is in the log');
    const place = { year, index, file, isInPart: false };
    if (index > 0 || !(await isCarried(reading, range, trusted, ties, entry, place)))
      take(entry, leaf, place);
    if (signatures.isFull) await signatures.settle();
  }
}
