/** What goes into a bundle of a policy and of checkpoints: what a check has a use for, since it refuses what it could not vouch for. */
import type { Hash } from '../proof/bytes.ts';
import { COSIGNATURE } from '../proof/cosignature.ts';
import {
  type NoteSignature,
  type VerifierKey,
  formatNote,
  parseNote,
  parseVerifierKey,
} from '../proof/note.ts';
import { type Policy, formatPolicy } from '../proof/policy.ts';
import { formatTlogProof, parseTlogProof } from '../proof/tlog-proof.ts';

/** Without comments, and without the addresses that nobody can check. */
export function bundledPolicy(policy: Policy): string {
  const { logs, witnesses, groups, quorum } = policy;
  return formatPolicy({
    logs: logs.map(({ vkey }) => ({ vkey })),
    witnesses: witnesses.map(({ name, vkey }) => ({ name, vkey })),
    groups,
    quorum,
  });
}

export function isBy({ name, keyId }: VerifierKey, signature: NoteSignature): boolean {
  return signature.name === name && signature.keyId === keyId;
}

/** Of each witness of a policy, in its order; of keys that can't be read none. */
export function witnessKeys(
  policy: Policy,
  hash: Hash,
): { readonly name: string; readonly key: VerifierKey }[] {
  return policy.witnesses.flatMap(({ name, vkey }) => {
    const key = parseVerifierKey(vkey, hash, COSIGNATURE);
    return 'error' in key ? [] : [{ name, key }];
  });
}

/**
 * A signed checkpoint with the signature of its log, and one of each witness of the policy in its order, where one is given.
 * A text that is not signed so stays as it is, for the check to say so.
 */
export function bundledCheckpoint(
  checkpoint: string,
  logVkey: string,
  policy: Policy | undefined,
  hash: Hash,
): string {
  const note = parseNote(checkpoint);
  const log = parseVerifierKey(logVkey, hash);
  if ('error' in note || 'error' in log) return checkpoint;
  const witnesses = policy === undefined ? [] : witnessKeys(policy, hash).map(({ key }) => key);
  const signatures = [log, ...witnesses].flatMap(
    (key) => note.signatures.find((signature) => isBy(key, signature)) ?? [],
  );
  return signatures.length === 0 ? checkpoint : formatNote({ text: note.text, signatures });
}

/** The same of the checkpoint in a tlog-proof, of a log of the policy; it has no extra data then. */
export function bundledProof(proof: string, policy: Policy, hash: Hash): string {
  const parsed = parseTlogProof(proof);
  if ('error' in parsed) return proof;
  const [origin = ''] = parsed.checkpoint.split('\n');
  const { vkey = '' } = policy.logs.find((log) => log.vkey.startsWith(`${origin}+`)) ?? {};
  const checkpoint = bundledCheckpoint(parsed.checkpoint, vkey, policy, hash);
  return formatTlogProof({ index: parsed.index, proof: parsed.proof, checkpoint });
}
