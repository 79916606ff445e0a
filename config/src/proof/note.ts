/**
 * C2SP signed-note (c2sp.org/signed-note): the one envelope of everything that is signed.
 * A text that ends in LF, an empty line, then lines `— NAME BASE64(KEYID || SIGNATURE)`.
 */
import { type Hash, concat, decodeBase64, encodeBase64, encodeHex, utf8 } from './bytes.ts';

/** Ed25519, the only algorithm that our leaves use. */
export const ED25519 = 0x01;
/** A note larger than this is refused unread: nothing we sign is larger than one upload. */
export const MAX_NOTE_CHARS = 1_048_576;
/** Verifiers must take 16; a bound keeps a hostile note linear. */
export const MAX_SIGNATURES = 100;

export interface NoteSignature {
  readonly name: string;
  /** 8 hex digits. */
  readonly keyId: string;
  /** What follows the key id. */
  readonly bytes: Uint8Array;
}

export interface Note {
  /** Ends in LF. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A public key as `NAME+KEYID+BASE64(TYPE || KEY)`. */
export interface VerifierKey {
  readonly name: string;
  readonly keyId: string;
  readonly type: number;
  readonly publicKey: Uint8Array;
}

/** A key's name: not empty, no white space, no plus. */
export function isKeyName(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what the format forbids
  return name.length <= 255 && name.isWellFormed() && /^[^\p{White_Space}+\u0000-\u001f]+$/u.test(name);
}

/** Whether a text can be signed: well-formed, ends in LF, no control character but LF. */
export function isNoteText(text: string): boolean {
  return text.endsWith('\n') && isPlain(text);
}

function isPlain(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what the format forbids
  return text.isWellFormed() && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

/** Splits a note at its last empty line. Checks the form, never a signature. */
export function parseNote(note: string): Note | { error: string } {
  if (note.length > MAX_NOTE_CHARS) return { error: `the note has over ${MAX_NOTE_CHARS} characters` };
  if (!isPlain(note)) return { error: 'the note has a control character or is not well-formed text' };
  const split = note.lastIndexOf('\n\n');
  if (split < 0) return { error: 'the note has no empty line before its signatures' };
  if (!note.endsWith('\n') || note.length === split + 2)
    return { error: 'the note does not end in a signature line' };
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) return { error: `the note has over ${MAX_SIGNATURES} signatures` };
  const signatures: NoteSignature[] = [];
  for (const line of lines) {
    const signature = parseSignature(line);
    if (!signature)
      return { error: 'a signature line is not: em dash, name, base64 of key id and signature' };
    signatures.push(signature);
  }
  return { text: note.slice(0, split + 1), signatures };
}

function parseSignature(line: string): NoteSignature | undefined {
  const [dash, name = '', base64 = '', ...more] = line.split(' ');
  if (dash !== '—' || more.length > 0 || !isKeyName(name)) return undefined;
  const bytes = decodeBase64(base64);
  if (!bytes || bytes.length < 5) return undefined;
  return { name, keyId: encodeHex(bytes.subarray(0, 4)), bytes: bytes.subarray(4) };
}

/** The text of a note; the opposite of parseNote. */
export function formatNote(note: Note): string {
  const lines = note.signatures.map(
    (s) => `— ${s.name} ${encodeBase64(concat(hexBytes(s.keyId), s.bytes))}\n`,
  );
  return `${note.text}\n${lines.join('')}`;
}

function hexBytes(keyId: string): Uint8Array {
  return Uint8Array.from([0, 2, 4, 6], (i) => Number.parseInt(keyId.slice(i, i + 2), 16));
}

/** First 4 bytes, as 8 hex digits, of SHA-256(name LF type key). */
export function keyIdOf(name: string, type: number, publicKey: Uint8Array, hash: Hash): string {
  return encodeHex(hash(concat(utf8(name), Uint8Array.of(0x0a, type), publicKey)).subarray(0, 4));
}

/** `type` is ED25519 or COSIGNATURE, as in parseVerifierKey. */
export function formatVerifierKey(
  name: string,
  publicKey: Uint8Array,
  hash: Hash,
  type: number = ED25519,
): string {
  const keyId = keyIdOf(name, type, publicKey, hash);
  return `${name}+${keyId}+${encodeBase64(concat(Uint8Array.of(type), publicKey))}`;
}

/** Reads a verifier key of one type and checks its key id, which catches a letter lost in copying. Ed25519 only. */
export function parseVerifierKey(
  vkey: string,
  hash: Hash,
  wanted: number = ED25519,
): VerifierKey | { error: string } {
  // The base64 may itself hold plus signs; the name and the id cannot.
  const match = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  const [, name = '', keyId = '', base64 = ''] = match ?? [];
  const bytes = decodeBase64(base64);
  if (!isKeyName(name) || !bytes)
    return { error: 'not a verifier key NAME+KEYID+BASE64; copy the whole line' };
  const [type = 0] = bytes;
  const publicKey = bytes.subarray(1);
  if (type !== wanted || publicKey.length !== 32)
    return { error: `not an Ed25519 verifier key (type 0${wanted}, 32 bytes)` };
  if (keyIdOf(name, type, publicKey, hash) !== keyId) {
    return {
      error:
        'the key id does not belong to this name and key: a part was mistyped or exchanged; copy the whole line',
    };
  }
  return { name, keyId, type, publicKey };
}
