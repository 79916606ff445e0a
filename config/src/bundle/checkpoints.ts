/** Signed checkpoints: opening them, and whose cosignatures on them are good. */
import { decodeBase64, utf8 } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpointText } from '../proof/checkpoint.ts';
import { cosignedText, splitCosignature, COSIGNATURE } from '../proof/cosignature.ts';
import { type Note, type VerifierKey, parseNote, parseVerifierKey } from '../proof/note.ts';
import type { Policy } from '../proof/policy.ts';
import type { Reading } from './reading.ts';

export interface SignedCheckpoint extends Checkpoint {
  readonly rootBytes: Uint8Array;
  readonly note: Note;
}

/** Opens a checkpoint of the log whose key is given: others may have signed it too. Of two by its key the first decides. */
export async function openCheckpoint(
  reading: Reading,
  text: string,
  key: VerifierKey,
): Promise<SignedCheckpoint | { error: string }> {
  const note = parseNote(text);
  if ('error' in note) return note;
  const own = note.signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
  if (own === undefined) return { error: `it is not signed by ${key.name}` };
  if (!(await reading.signatures.verify(key, utf8(note.text), own.bytes)))
    return { error: `the signature of ${key.name} does not fit the text` };
  const checkpoint = parseCheckpointText(note.text);
  if ('error' in checkpoint) return checkpoint;
  if (checkpoint.origin !== key.name) return { error: "its origin is not the name of the log's key" };
  return { ...checkpoint, rootBytes: decodeBase64(checkpoint.root) ?? new Uint8Array(), note };
}

/**
 * The policy's names of the witnesses whose cosignature of a checkpoint is good. One that stands on it with a witness's name and
 * key and is not good is a mismatch; those of others are left alone.
 */
export async function cosignersOf(
  reading: Reading,
  file: string,
  note: Note,
  policy: Policy,
): Promise<string[]> {
  const good: string[] = [];
  for (const { name, vkey } of policy.witnesses) {
    const key = parseVerifierKey(vkey, reading.checker.hash, COSIGNATURE);
    const verdict = 'error' in key ? undefined : await hasCosigned(reading, note, key);
    if (verdict === true) good.push(name);
    if (verdict === false) reading.problems.mismatch(file, `the cosignature of ${name} is not good`);
  }
  return good;
}

/** Undefined where there is none by this key. */
async function hasCosigned(reading: Reading, note: Note, key: VerifierKey): Promise<boolean | undefined> {
  let verdict: boolean | undefined;
  for (const { name, keyId, bytes } of note.signatures) {
    if (name !== key.name || keyId !== key.keyId) continue;
    const parts = splitCosignature(bytes);
    const message = parts && utf8(cosignedText(parts.timeS, note.text));
    if (parts && message && (await reading.signatures.verify(key, message, parts.signature))) return true;
    verdict = false;
  }
  return verdict;
}

/** What is asked for, for people: `quorum`, or `2 of a, b, c`. */
export function quorumText(policy: Policy): string {
  const group = policy.groups.find(({ name }) => name === policy.quorum);
  return group === undefined ? policy.quorum : `${group.threshold} of ${group.members.join(', ')}`;
}
