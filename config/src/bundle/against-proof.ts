/** Whether a report is in the log that it counted: its proof, the witnesses of that, and what the log knows of other revisions. */
import { decodeUtf8 } from '../proof/bytes.ts';
import { parseCheckpointText } from '../proof/checkpoint.ts';
import { leafHash } from '../proof/leaf-hash.ts';
import { parseNote } from '../proof/note.ts';
import { policyMet } from '../proof/policy.ts';
import { parseTlogProof } from '../proof/tlog-proof.ts';
import { verifyConsistency, verifyInclusion } from '../proof/tree.ts';
import type { Report } from '../report/report.ts';
import { type SignedCheckpoint, cosignersOf, openCheckpoint, quorumText } from './checkpoints.ts';
import type { Found } from './evidence.ts';
import { names } from './files.ts';
import type { Reading } from './reading.ts';
import { parseHashes } from './tree.ts';

/** That the note is in the log: anybody who reads the log finds it there, and every re-issue beside it. */
export async function againstProof(
  reading: Reading,
  found: Found,
  report: Report,
  entry: Uint8Array | undefined,
): Promise<void> {
  againstRevisions(reading, found, report);
  const checkpoint = await ofProof(reading, found, entry);
  const hashes = await reading.find(names.continues);
  if (hashes === undefined) {
    const says =
      'it is not here: nothing shows that the log with the report continues the one that was counted';
    reading.problems.incomplete(names.continues, says);
    return;
  }
  if (checkpoint === undefined) return;
  const proof = parseHashes(decodeUtf8(hashes) ?? '');
  const end = found.logs.byYear.get(yearOf(found, checkpoint.origin))?.end;
  const isFit =
    !('error' in proof) &&
    end !== undefined &&
    verifyConsistency(
      {
        oldSize: end.size,
        newSize: checkpoint.size,
        oldRoot: end.rootBytes,
        newRoot: checkpoint.rootBytes,
        proof,
      },
      reading.checker.hash,
    );
  if (isFit) return;
  const says = `it does not show that the checkpoint in ${names.proof} continues the end of what was counted`;
  reading.problems.mismatch(names.continues, says);
}

const yearOf = ({ range }: Found, origin: string): number => Number(origin.slice(range.origin.length + 1));

/** Its checkpoint, where that is one of the log. */
async function ofProof(
  reading: Reading,
  found: Found,
  entry: Uint8Array | undefined,
): Promise<SignedCheckpoint | undefined> {
  const { problems, checker } = reading;
  const bytes = await reading.find(names.proof);
  if (bytes === undefined) {
    problems.incomplete(names.proof, 'it is not here: nothing shows that the report is in the log');
    return undefined;
  }
  const say = (says: string): undefined => {
    problems.mismatch(names.proof, says);
  };
  const text = decodeUtf8(bytes) ?? '';
  const proof = parseTlogProof(text);
  if ('error' in proof) return say(proof.error);
  if (proof.extra !== undefined) say('it has extra data, which nothing proves');
  const opened = parseNote(proof.checkpoint);
  const claimed = 'error' in opened ? opened : parseCheckpointText(opened.text);
  const origin = 'error' in claimed ? '' : claimed.origin;
  const key = found.trusted.logs.get(yearOf(found, origin));
  if (key?.name !== origin) return say('its checkpoint is of no log whose key is here');
  const checkpoint = await openCheckpoint(reading, proof.checkpoint, key);
  if ('error' in checkpoint) return say(`its checkpoint: ${checkpoint.error}`);
  const { policy } = found.trusted;
  const signed = await cosignersOf(reading, names.proof, checkpoint, policy, text);
  if (!policyMet(policy, signed)) {
    const who = signed.length > 0 ? signed.join(', ') : 'none of them';
    const wanted = quorumText(policy);
    problems.incomplete(
      names.proof,
      `too few witnesses have cosigned its checkpoint: the policy asks for ${wanted}; ${who} did`,
    );
  }
  const own = found.logs.byYear.get(yearOf(found, origin))?.end;
  if (own !== undefined && checkpoint.size < own.size)
    say('its checkpoint is older than the end of what was counted');
  if (entry === undefined) return checkpoint;
  const claim = {
    index: proof.index,
    size: checkpoint.size,
    leaf: leafHash(entry, checker.hash),
    root: checkpoint.rootBytes,
    proof: proof.proof,
  };
  if (!verifyInclusion(claim, checker.hash)) say('it does not show that report.note is in the log');
  return checkpoint;
}

/**
 * Other revisions of the month that the part of the log here has: one with the same number or a higher one is another report. That
 * a report names one which is not here, or none, is no fault: it may lie before the part, or be lost.
 */
function againstRevisions({ problems }: Reading, { reports, range }: Found, report: Report): void {
  const { revision, supersedes } = report;
  const others = reports.filter(({ leaf }) => leaf.month === range.month);
  for (const { leaf, name } of others) {
    if (leaf.revision >= revision)
      problems.mismatch(
        names.report,
        `revision: it says ${revision}, and ${name} is revision ${leaf.revision} of the same month, which was logged before it`,
      );
  }
  const newest = others.at(-1);
  if (supersedes === undefined) {
    if (newest !== undefined)
      problems.remark(names.report, `supersedes: it names no report, and ${newest.name} is an earlier one`);
    return;
  }
  if (supersedes.revision >= revision)
    problems.mismatch(names.report, `supersedes: revision ${supersedes.revision} is not before ${revision}`);
  const named = others.find(({ hash }) => hash === supersedes.leaf);
  if (named === undefined)
    problems.remark(
      names.report,
      `supersedes: the report that it names, revision ${supersedes.revision}, is not in the part of the log that is here`,
    );
  else if (named.leaf.revision !== supersedes.revision)
    problems.mismatch(
      names.report,
      `supersedes: it says revision ${supersedes.revision}, and ${named.name} is revision ${named.leaf.revision}`,
    );
}
