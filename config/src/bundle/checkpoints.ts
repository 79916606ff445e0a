/** Signed checkpoints: opening them, and whose cosignatures on them are good. */
import { decodeBase64, utf8 } from '../proof/bytes.ts';
import { type Checkpoint, parseCheckpointText } from '../proof/checkpoint.ts';
import { cosignedText, splitCosignature } from '../proof/cosignature.ts';
import { type Note, type NoteSignature, type VerifierKey, formatNote, parseNote } from '../proof/note.ts';
import type { Policy } from '../proof/policy.ts';
import { isBy, witnessKeys } from './bundled.ts';
import type { Reading } from './reading.ts';

export interface SignedCheckpoint extends Checkpoint {
  readonly rootBytes: Uint8Array;
  readonly note: Note;
  /** Of the log. */
  readonly key: VerifierKey;
}

/** Opens a checkpoint of the log whose key is given: others may have signed it too. Of two by its key the first decides. */
export async function openCheckpoint(
  reading: Reading,
  text: string,
  key: VerifierKey,
): Promise<SignedCheckpoint | { error: string }> {
  const note = parseNote(text);
  if ('error' in note) return note;
  const own = note.signatures.find((signature) => isBy(key, signature));
  if (own === undefined) return { error: `it is not signed by ${key.name}` };
  if (!(await reading.signatures.verify(key, utf8(note.text), own.bytes)))
    return { error: `the signature of ${key.name} does not fit the text` };
  const checkpoint = parseCheckpointText(note.text);
  if ('error' in checkpoint) return checkpoint;
  if (checkpoint.origin !== key.name) return { error: "its origin is not the name of the log's key" };
  return { ...checkpoint, rootBytes: decodeBase64(checkpoint.root) ?? new Uint8Array(), note, key };
}

/**
 * What keeps a checkpoint from being one of a bundle's, on which its log's signature stands alone. Readers of checkpoints are to
 * ignore signatures that they do not know (c2sp.org/signed-note); of a bundle every byte is vouched for, so that whoever holds
 * one that passes holds the one that was made, and not one in which something was put that no reader looks at.
 * @param text that ends with it
 */
export function moreThanLog({ note, key }: SignedCheckpoint, text = formatNote(note)): string | undefined {
  const place = note.signatures.findIndex((signature, i) => i > 0 || !isBy(key, signature));
  const other = note.signatures[place];
  if (other === undefined) return undefined;
  const who = `${other.name}+${other.keyId}`;
  return `line ${signaturesFrom(text) + place}: a signature of ${who}, where that of the log stands alone`;
}

/** The line of a text, counted from 1, on which the signatures of the checkpoint at its end begin. */
function signaturesFrom(text: string): number {
  return text.slice(0, text.lastIndexOf('\n\n')).split('\n').length + 2;
}

/**
 * The policy's names of the witnesses whose cosignature of a checkpoint is good; one that stands on it with a witness's name and
 * key and is not good is a mismatch. Under the bundle's own policy so is everything but the log's signature, then one of each
 * witness at most, in the order of the policy (see moreThanLog); a reader's policy lets pass whom it does not know.
 * @param text that ends with it
 */
export async function cosignersOf(
  reading: Reading,
  file: string,
  { note, key }: SignedCheckpoint,
  policy: Policy,
  text = formatNote(note),
): Promise<string[]> {
  const { options, problems, checker } = reading;
  const isOwn = options.policy === undefined;
  const witnesses = witnessKeys(policy, checker.hash);
  const good = new Set<string>();
  const bad = new Set<string>();
  const firstLine = signaturesFrom(text);
  let next = 0;
  for (const [i, signature] of note.signatures.entries()) {
    const say = (says: string): void => {
      problems.mismatch(file, `line ${firstLine + i}: ${says}`);
    };
    const place = witnesses.findIndex((witness) => isBy(witness.key, signature));
    const witness = witnesses[place];
    if (isOwn && (i === 0 ? !isBy(key, signature) : place < next)) {
      const who = `${signature.name}+${signature.keyId}`;
      if (i === 0) say(`a signature of ${who}, where that of the log comes first`);
      else if (witness === undefined) say(`a signature of ${who}, which the bundle's policy does not know`);
      else say(`a cosignature of ${witness.name} that is out of the policy's order, or there twice`);
    }
    if (witness === undefined) continue;
    next = Math.max(next, place + 1);
    if (await isCosigned(reading, note.text, signature, witness.key)) good.add(witness.name);
    else if (isOwn) say(`the cosignature of ${witness.name} is not good`);
    else bad.add(witness.name);
  }
  for (const name of bad)
    if (!good.has(name)) problems.mismatch(file, `the cosignature of ${name} is not good`);
  return witnesses.flatMap(({ name }) => (good.has(name) ? [name] : []));
}

/** How many witnesses of a policy have a good cosignature on it; says nothing of others. */
export async function countCosigners(
  reading: Reading,
  { note }: SignedCheckpoint,
  policy: Policy,
): Promise<number> {
  const witnesses = witnessKeys(policy, reading.checker.hash);
  const good = new Set<string>();
  for (const signature of note.signatures) {
    const witness = witnesses.find(({ key }) => isBy(key, signature));
    if (witness !== undefined && (await isCosigned(reading, note.text, signature, witness.key)))
      good.add(witness.name);
  }
  return good.size;
}

async function isCosigned(
  reading: Reading,
  text: string,
  { bytes }: NoteSignature,
  key: VerifierKey,
): Promise<boolean> {
  const parts = splitCosignature(bytes);
  if (parts === undefined) return false;
  return reading.signatures.verify(key, utf8(cosignedText(parts.timeS, text)), parts.signature);
}

/** What is asked for, for people: `quorum`, or `2 of a, b, c`. */
export function quorumText(policy: Policy): string {
  const group = policy.groups.find(({ name }) => name === policy.quorum);
  return group === undefined ? policy.quorum : `${group.threshold} of ${group.members.join(', ')}`;
}
