/** What a browser lends to checking a bundle (config's bundle/checker.ts): WebCrypto, and what it lacks in JavaScript. */
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import type { Checker } from '@highwater/config/bundle/checker.ts';
import { decodeHex, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { isSmallOrder, verifyEd25519 } from '@highwater/config/proof/ed25519.ts';

/** Below this, hashing here takes less than handing over: about 1 us for each 64 bytes against 6 us and more. */
const SMALL_BYTES = 320;
/** Handed over at once: enough to keep the browser's threads busy. */
const IN_FLIGHT = 256;
/** Signatures that are verified in JavaScript: some milliseconds each. */
const MAX_SLOW = 2_000;
const MAX_KEYS = 1_024;

/** The browser verifies no Ed25519 signatures, and they are too many for JavaScript. */
export class TooManySignatures extends Error {
  override name = 'TooManySignatures';
}

export interface BrowserChecker extends Checker {
  /** Whether signatures are verified by the browser, and hashes made by it. */
  readonly lends: { readonly ed25519: boolean; readonly sha256: boolean };
}

export interface CheckerOptions {
  /** Undefined where there is none: pages that came by plain http have no WebCrypto. */
  readonly subtle?: SubtleCrypto | undefined;
  readonly maxSlow?: number;
}

/** A checker for one check: it remembers the keys that it was given. */
export async function browserChecker({
  subtle,
  maxSlow = MAX_SLOW,
}: CheckerOptions): Promise<BrowserChecker> {
  const native = subtle !== undefined && (await isSound(subtle)) ? subtle : undefined;
  const keys = new Map<string, Promise<CryptoKey>>();
  let slow = 0;

  function keyOf(raw: Uint8Array, by: SubtleCrypto): Promise<CryptoKey> {
    const hex = encodeHex(raw);
    const known = keys.get(hex);
    if (known) return known;
    if (keys.size >= MAX_KEYS) keys.clear();
    const key = importKey(by, raw);
    keys.set(hex, key);
    return key;
  }

  return {
    lends: { ed25519: native !== undefined, sha256: subtle !== undefined },
    hash: sha256,
    hashAll: (messages) => hashAll(messages, subtle),
    async verify({ publicKey }, message, signature) {
      if (signature.length !== 64) return false;
      // On these points browsers disagree (ed25519.ts).
      const isDisputed = isSmallOrder(publicKey) || isSmallOrder(signature.subarray(0, 32));
      if (native && !isDisputed) {
        const key = await keyOf(publicKey, native).catch(() => undefined);
        if (key) return native.verify('Ed25519', key, own(signature), own(message));
      }
      slow += 1;
      if (!native && slow > maxSlow)
        throw new TooManySignatures(`over ${maxSlow} signatures, and this browser verifies none`);
      return verifyEd25519(publicKey, message, signature, sha512);
    },
  };
}

async function hashAll(
  messages: readonly Uint8Array[],
  subtle: SubtleCrypto | undefined,
): Promise<readonly Uint8Array[]> {
  const hashes: Uint8Array[] = new Array<Uint8Array>(messages.length);
  let handed: Promise<void>[] = [];
  for (const [i, message] of messages.entries()) {
    if (subtle === undefined || message.length < SMALL_BYTES) {
      hashes[i] = sha256(message);
      continue;
    }
    const digest = subtle.digest('SHA-256', own(message));
    handed.push(digest.then((bytes) => void (hashes[i] = new Uint8Array(bytes))));
    if (handed.length < IN_FLIGHT) continue;
    await Promise.all(handed);
    handed = [];
  }
  await Promise.all(handed);
  return hashes;
}

function importKey(subtle: SubtleCrypto, raw: Uint8Array): Promise<CryptoKey> {
  return subtle.importKey('raw', own(raw), 'Ed25519', false, ['verify']);
}

/** No memory is shared with other threads here. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

// ------------------------------------------------------------- may this browser's verdicts be used

interface Vector {
  readonly key: string;
  readonly signature: string;
  readonly message: string;
  readonly isGood: boolean;
}

/**
 * Of the CCTV vectors: an ordinary signature, one with a key that has a component of small order and is good, and one
 * that is good for those alone who multiply by the cofactor. A browser that sees them otherwise is not asked.
 */
const vectors: readonly Vector[] = [
  {
    key: 'ef75b20e7540e3dff77404193652ba2bd13df99c1508eee1515e27ae25f28076',
    signature:
      'b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a350640657f1cb030f12543549bbabd848dc6403d354e7c99c4d0dcee9f63c9033b00',
    message: 'ed25519vectors 5',
    isGood: true,
  },
  {
    key: '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    signature:
      'b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a350608f32d206a7c0b7efa9a59e66546e8f1f599ef843fb502c9cc3c4ae8b7c11e05',
    message: 'ed25519vectors 5',
    isGood: true,
  },
  {
    key: '10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f',
    signature:
      'b62cf890de42c413b11b1411c9f01f1c4d77aa87ef182258d1251f69af2a3506030b03796b78f7afeadfccaedc9d09ce6d487d1ece1f16b1ae2b59b7e5c40603',
    message: 'ed25519vectors 3',
    isGood: false,
  },
];

async function isSound(subtle: SubtleCrypto): Promise<boolean> {
  try {
    for (const { key, signature, message, isGood } of vectors) {
      const bytes = (hex: string) => own(decodeHex(hex) ?? new Uint8Array());
      const imported = await importKey(subtle, bytes(key));
      if ((await subtle.verify('Ed25519', imported, bytes(signature), own(utf8(message)))) !== isGood)
        return false;
    }
    return true;
  } catch {
    return false;
  }
}
