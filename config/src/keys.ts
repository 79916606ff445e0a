/**
 * The node:crypto side of signed notes: keys, signing, opening. Ed25519 only.
 * A private key lies in a file of its own, mode 0600, as `PRIVATE+KEY+NAME+KEYID+BASE64(TYPE || SEED)`.
 * No message of an error ever holds a key.
 */
import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  hash as hashOnce,
  randomBytes,
  randomUUID,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Hash, concat, decodeBase64, encodeBase64, utf8 } from './proof/bytes.ts';
import { type Checkpoint, parseCheckpointText } from './proof/checkpoint.ts';
import { COSIGNATURE, cosignedText, joinCosignature, splitCosignature } from './proof/cosignature.ts';
import { isSmallOrder, verifyEd25519 } from './proof/ed25519.ts';
import {
  ED25519,
  type Note,
  type NoteSignature,
  formatNote,
  formatVerifierKey,
  isKeyName,
  isNoteText,
  keyIdOf,
  parseNote,
  parseVerifierKey,
} from './proof/note.ts';

// In one call: half the time of createHash for the 65 bytes of an inner node.
export const sha256: Hash = (data) => hashOnce('sha256', data, 'buffer');

const sha512: Hash = (data) => createHash('sha512').update(data).digest();

/** RFC 8410: what stands before the 32 raw bytes in PKCS #8 and in SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/** A key's file is missing, unreadable, malformed or in the way; the message names the file and the remedy. */
export class KeyError extends Error {
  override name = 'KeyError';
}

export interface SigningKey {
  readonly name: string;
  readonly vkey: string;
  /** The whole note. Throws KeyError for a text that no note can hold. */
  sign(text: string): string;
}

export interface Verifier {
  readonly name: string;
  readonly vkey: string;
  /** 8 hex digits. */
  readonly keyId: string;
  verify(text: string, signature: Uint8Array): boolean;
}

export interface WitnessVerifier {
  readonly name: string;
  /** Of signature type 04. */
  readonly vkey: string;
  /** 8 hex digits. */
  readonly keyId: string;
  /** When it cosigned, by what follows the key id in its line; undefined when the cosignature is not good. */
  verify(checkpointText: string, bytes: Uint8Array): { timeS: number } | undefined;
}

export interface WitnessSigningKey {
  readonly name: string;
  readonly vkey: string;
  /** The cosignature of a checkpoint's text. Throws RangeError for a time that is not one. */
  cosign(checkpointText: string, timeS: number): NoteSignature;
}

export type OpenError = { error: string; code: 'malformed' | 'unknown-key' | 'bad-signature' };

// ------------------------------------------------------------- verifying

const verifiers = new Map<string, Verifier>();
const MAX_CACHED = 1_024;

/** The verifier of `NAME+KEYID+BASE64`; the same one for the same text. Throws KeyError with the remedy. */
export function parseVerifier(vkey: string): Verifier {
  const known = verifiers.get(vkey);
  if (known) return known;
  const key = parseVerifierKey(vkey, sha256);
  if ('error' in key) throw new KeyError(`verifier key: ${key.error}`);
  const verifier: Verifier = { name: key.name, vkey, keyId: key.keyId, verify: verifyWith(key.publicKey) };
  if (verifiers.size >= MAX_CACHED) verifiers.clear();
  verifiers.set(vkey, verifier);
  return verifier;
}

/** The verifier of a witness's key, of signature type 04. Throws KeyError with the remedy. */
export function parseWitnessVerifier(vkey: string): WitnessVerifier {
  const key = parseVerifierKey(vkey, sha256, COSIGNATURE);
  if ('error' in key) throw new KeyError(`witness key: ${key.error}`);
  const verify = verifyWith(key.publicKey);
  return {
    name: key.name,
    vkey,
    keyId: key.keyId,
    verify(checkpointText, bytes) {
      const parts = splitCosignature(bytes);
      if (!parts || !verify(cosignedText(parts.timeS, checkpointText), parts.signature)) return undefined;
      return { timeS: parts.timeS };
    },
  };
}

function verifyWith(raw: Uint8Array): Verifier['verify'] {
  const verify = verifierOf(raw);
  return (text, signature) => verify(utf8(text), signature);
}

/** Whether signatures by a raw public key are good: one verdict for all runtimes. Throws where it is no key of 32 bytes. */
export function verifierOf(raw: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean {
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  const isKeySmall = isSmallOrder(raw);
  return (message, signature) => {
    if (signature.length !== 64) return false;
    if (verifyBytes(null, message, publicKey, signature)) return true;
    // Where the runtime's verdict depends on its version, the slow one decides (proof/ed25519.ts).
    const disputed = isKeySmall || isSmallOrder(signature.subarray(0, 32));
    return disputed && verifyEd25519(raw, message, signature, sha512);
  };
}

/**
 * The same text, held in one byte a character where it is ASCII: as a piece of its note it has two, for the em dash of the
 * signature, and all that is cut from it would have two. Half the memory, and half the time to read a frame.
 */
function narrowed(text: string): string {
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length === text.length ? bytes.toString('latin1') : text;
}

/**
 * Opens one of our leaves: a note with exactly one signature, by one of `verifiers`.
 * A second signature would make the leaf's bytes malleable, so it is malformed.
 */
export function openNote(
  note: string,
  verifiers: readonly Verifier[],
): { text: string; verifier: Verifier } | OpenError {
  const parsed = parseNote(note);
  if ('error' in parsed) return { error: parsed.error, code: 'malformed' };
  const [signature, ...more] = parsed.signatures;
  if (!signature || more.length > 0)
    return { error: 'the note does not have exactly one signature', code: 'malformed' };
  const verifier = verifiers.find((v) => v.name === signature.name && v.keyId === signature.keyId);
  if (!verifier) return { error: 'the note is signed by a key that is not known here', code: 'unknown-key' };
  const text = narrowed(parsed.text);
  if (!verifier.verify(text, signature.bytes)) {
    return { error: `the signature of ${verifier.name} does not fit the text`, code: 'bad-signature' };
  }
  return { text, verifier };
}

/**
 * Opens a note that others may have signed too: theirs are left alone, that of `verifier` must be there and good.
 * Of two by its key the first decides, as in Go's x/mod.
 */
export function openSignedBy(note: string, verifier: Verifier): { text: string; note: Note } | OpenError {
  const parsed = parseNote(note);
  if ('error' in parsed) return { error: parsed.error, code: 'malformed' };
  const own = parsed.signatures.find((s) => s.name === verifier.name && s.keyId === verifier.keyId);
  if (!own) return { error: `the note is not signed by ${verifier.name}`, code: 'unknown-key' };
  if (!verifier.verify(parsed.text, own.bytes)) {
    return { error: `the signature of ${verifier.name} does not fit the text`, code: 'bad-signature' };
  }
  return { text: parsed.text, note: parsed };
}

/** Opens a checkpoint of the log whose key is `verifier`; the origin must be the key's name. */
export function openCheckpoint(
  note: string,
  verifier: Verifier,
): { checkpoint: Checkpoint; text: string; note: Note } | OpenError {
  const opened = openSignedBy(note, verifier);
  if ('error' in opened) return opened;
  const checkpoint = parseCheckpointText(opened.text);
  if ('error' in checkpoint) return { error: checkpoint.error, code: 'malformed' };
  if (checkpoint.origin !== verifier.name)
    return { error: "the checkpoint's origin is not the name of the log's key", code: 'malformed' };
  return { checkpoint, ...opened };
}

/** The good cosignatures by `witnesses` on an opened checkpoint, each witness once; all others are left out. */
export function cosignaturesOf(
  note: Note,
  witnesses: readonly WitnessVerifier[],
): { witness: WitnessVerifier; timeS: number; signature: NoteSignature }[] {
  return witnesses.flatMap((witness) => {
    for (const signature of note.signatures) {
      if (signature.name !== witness.name || signature.keyId !== witness.keyId) continue;
      const good = witness.verify(note.text, signature.bytes);
      if (good) return [{ witness, timeS: good.timeS, signature }];
    }
    return [];
  });
}

// --------------------------------------------------------------- signing

export function generateSigningKey(name: string): SigningKey {
  return withSeed(name, randomBytes(32));
}

/** Kept apart from the keys, so that no way of printing a key prints its seed. */
const seeds = new WeakMap<SigningKey, Uint8Array>();

function withSeed(name: string, seed: Uint8Array): SigningKey {
  if (!isKeyName(name))
    throw new KeyError('a key name has no white space, no plus sign and 1 to 255 characters');
  const privateKey = privateKeyOf(seed);
  const publicKey = rawPublicKey(privateKey);
  const keyId = keyIdOf(name, ED25519, publicKey, sha256);
  const key: SigningKey = {
    name,
    vkey: formatVerifierKey(name, publicKey, sha256),
    sign(text) {
      if (!isNoteText(text)) throw new KeyError('a note text ends in LF and has no other control character');
      return formatNote({
        text,
        signatures: [{ name, keyId, bytes: signBytes(null, utf8(text), privateKey) }],
      });
    },
  };
  seeds.set(key, seed);
  return key;
}

/** The key of 32 given bytes: for golden files and tests; real keys come from generateSigningKey. */
export function signingKeyFromSeed(name: string, seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new KeyError('a seed has 32 bytes');
  return withSeed(name, Uint8Array.from(seed));
}

/** A witness's key of 32 given bytes: for a witness of one's own, and for tests. Throws KeyError. */
export function witnessSigningKey(name: string, seed: Uint8Array): WitnessSigningKey {
  if (seed.length !== 32 || !isKeyName(name))
    throw new KeyError('a witness key has a name without white space and plus signs, and a seed of 32 bytes');
  const privateKey = privateKeyOf(seed);
  const publicKey = rawPublicKey(privateKey);
  const keyId = keyIdOf(name, COSIGNATURE, publicKey, sha256);
  return {
    name,
    vkey: formatVerifierKey(name, publicKey, sha256, COSIGNATURE),
    cosign(checkpointText, timeS) {
      const signature = signBytes(null, utf8(cosignedText(timeS, checkpointText)), privateKey);
      return { name, keyId, bytes: joinCosignature({ timeS, signature }) };
    },
  };
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

// ----------------------------------------------------------------- files

/** Reads a private key. Throws KeyError naming the file and what to do; never a byte of it. */
export function loadSigningKey(path: string): SigningKey {
  const line = readKeyFile(path);
  const match = /^PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n?$/.exec(line);
  const [, name = '', keyId = '', base64 = ''] = match ?? [];
  const bytes = decodeBase64(base64);
  const damaged = `${path}: not a signing key of this program; restore it from a backup, or move it away to make a new one`;
  if (!match || !bytes || bytes.length !== 33 || bytes[0] !== ED25519 || !isKeyName(name))
    throw new KeyError(damaged);
  const key = withSeed(name, bytes.subarray(1));
  if (key.vkey.slice(name.length + 1, name.length + 9) !== keyId) throw new KeyError(damaged);
  return key;
}

function readKeyFile(path: string): string {
  try {
    const mode = statSync(path).mode & 0o077;
    if (mode !== 0) throw new KeyError(`${path}: others may read this key; run: chmod 600 '${path}'`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof KeyError) throw cause;
    throw new KeyError(
      `${path}: the signing key cannot be read (${codeOf(cause)}); make it readable by this user`,
      { cause },
    );
  }
}

/**
 * Writes a new private key, mode 0600: a temporary file, fsync, then linked to its name, so that a crash leaves
 * a whole key or none and an existing file is never replaced. Throws KeyError.
 */
export function saveSigningKey(path: string, key: SigningKey): void {
  const seed = seeds.get(key);
  if (!seed) throw new KeyError(`${path}: this key was not made here and cannot be saved`);
  const keyId = key.vkey.slice(key.name.length + 1, key.name.length + 9);
  const line = `PRIVATE+KEY+${key.name}+${keyId}+${encodeBase64(concat(Uint8Array.of(ED25519), seed))}\n`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
    writeDurably(temporary, line);
    moveWithoutReplacing(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') {
      throw new KeyError(`${path}: exists already and is never overwritten; move it away first`, { cause });
    }
    throw new KeyError(`${path}: the signing key cannot be written (${codeOf(cause)}); check the folder`, {
      cause,
    });
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function moveWithoutReplacing(from: string, to: string): void {
  try {
    linkSync(from, to);
    unlinkSync(from);
  } catch (error) {
    // Some file systems have no hard links; there the look before the rename has to do.
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(codeOf(error)) && !existsSync(to)) {
      renameSync(from, to);
      return;
    }
    unlinkSync(from);
    throw error;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
}

/** The key at `path`, made there when there is none. A key of another name is an error: its signatures would not fit. */
export function loadOrMakeSigningKey(path: string, name: string): { key: SigningKey; made: boolean } {
  const made = !existsSync(path);
  if (made) saveSigningKey(path, generateSigningKey(name));
  const key = loadSigningKey(path);
  if (key.name !== name) {
    throw new KeyError(
      `${path}: this key is named '${key.name}', not '${name}'; move it away, or give back the old name`,
    );
  }
  return { key, made };
}
