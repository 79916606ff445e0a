/** What Node lends to checking a bundle (bundle/checker.ts). */
import type { Checker } from './bundle/checker.ts';
import { sha256, verifierOf } from './keys.ts';
import type { VerifierKey } from './proof/note.ts';

/** A checker; it remembers the keys that it was given. */
export function nodeChecker(): Checker {
  const verifiers = new WeakMap<VerifierKey, (message: Uint8Array, signature: Uint8Array) => boolean>();
  return {
    hash: sha256,
    // One after the other: a thread's hand-over costs more than hashing what a minute has.
    hashAll: (messages) => Promise.resolve(messages.map(sha256)),
    verify(key, message, signature) {
      const verify = verifiers.get(key) ?? verifierOf(key.publicKey);
      verifiers.set(key, verify);
      return Promise.resolve(verify(message, signature));
    },
  };
}
