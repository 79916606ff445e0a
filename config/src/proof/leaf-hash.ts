/** RFC 6962 section 2.1: how entries and inner nodes of a Merkle tree are hashed. */
import { type Hash, concat, encodeBase64, utf8 } from './bytes.ts';

/** SHA-256(0x00 || entry). */
export function leafHash(entry: Uint8Array, hash: Hash): Uint8Array {
  return hash(concat(Uint8Array.of(0), entry));
}

/** What is hashed for an inner node, filled anew for each: over half of the time of a proof went into allocating it. */
const node = Uint8Array.of(1, ...new Uint8Array(64));

/** SHA-256(0x01 || left || right), of two hashes of 32 bytes. */
export function nodeHash(left: Uint8Array, right: Uint8Array, hash: Hash): Uint8Array {
  // Of any other length only what is wrong comes out, and not what was left there by the call before.
  if (left.length !== 32 || right.length !== 32) return hash(concat(Uint8Array.of(1), left, right));
  node.set(left, 1);
  node.set(right, 33);
  return hash(node);
}

/** The root of a tree without entries: SHA-256 of nothing. */
export function emptyRoot(hash: Hash): Uint8Array {
  return hash(new Uint8Array(0));
}

/** The leaf hash of a whole note, base64: how leaves name each other. */
export function leafHashOfNote(note: string, hash: Hash): string {
  return encodeBase64(leafHash(utf8(note), hash));
}

/** What stands for the leaf hash before the first: 32 zero bytes, base64. */
export const ZERO_HASH = encodeBase64(new Uint8Array(32));
