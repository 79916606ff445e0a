/** What a runtime lends to checking: Node by node:crypto, a browser by WebCrypto. */
import type { Hash } from '../proof/bytes.ts';
import type { VerifierKey } from '../proof/note.ts';

export interface Checker {
  /** SHA-256 of what is few. */
  readonly hash: Hash;
  /** SHA-256 of many, in their order: where a runtime hashes in the background, it does so for all of them at once. */
  hashAll(messages: readonly Uint8Array[]): Promise<readonly Uint8Array[]>;
  /** Whether an Ed25519 signature is good: the same verdict in every runtime (ed25519.ts). */
  verify(key: VerifierKey, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}
