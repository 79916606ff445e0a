/**
 * Witness cosignatures (c2sp.org/tlog-cosignature, Ed25519, cosignature/v1): what a witness signs, and how its time
 * and signature lie in a signature line. keys.ts has the keys.
 */
import { MAX_INSTANT } from './bytes.ts';

/** Signature type of a timestamped Ed25519 cosignature, beside ED25519 of note.ts. */
export const COSIGNATURE = 0x04;

/** Largest time that is read: what a Date holds. The format goes on to 2^63 - 1, and lets verifiers refuse the future. */
export const MAX_COSIGNATURE_TIME_S = Math.floor(MAX_INSTANT / 1_000);

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;

export interface Cosignature {
  /** When the witness signed, whole seconds since 1970. */
  readonly timeS: number;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

/** What a witness signs: that at this time the checkpoint was the newest that it had seen of this log. */
export function cosignedText(timeS: number, checkpointText: string): string {
  return `cosignature/v1\ntime ${timeS}\n${checkpointText}`;
}

/** What follows the key id in a cosignature's line: 8 bytes of time, big-endian, then the signature. */
export function splitCosignature(bytes: Uint8Array): Cosignature | undefined {
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = new DataView(bytes.buffer, bytes.byteOffset, TIME_BYTES).getBigUint64(0);
  if (time > BigInt(MAX_COSIGNATURE_TIME_S)) return undefined;
  return { timeS: Number(time), signature: bytes.subarray(TIME_BYTES) };
}

/** The opposite of splitCosignature. Throws RangeError for a time or a signature that it would not take. */
export function joinCosignature(c: Cosignature): Uint8Array {
  if (!Number.isInteger(c.timeS) || c.timeS < 0 || c.timeS > MAX_COSIGNATURE_TIME_S)
    throw new RangeError('the time of a cosignature is whole seconds since 1970');
  if (c.signature.length !== SIGNATURE_BYTES) throw new RangeError('an Ed25519 signature has 64 bytes');
  const bytes = new Uint8Array(TIME_BYTES + SIGNATURE_BYTES);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(c.timeS));
  bytes.set(c.signature, TIME_BYTES);
  return bytes;
}
