/**
 * How a batch commits to a body. Of a public service by SHA-256, which whoever reads the log computes from the published
 * body. Of a private one by HMAC-SHA-256 (RFC 2104) under a salt of the service: batches are published, and so are the
 * monitors' names and due times, so that a bare hash of a line or two is found by trying. HMAC and not SHA-256(salt || body):
 * its security does not rest on how the two are told apart, and nobody can extend what was hashed. The length and the
 * number of lines are not hidden.
 */
import { type Hash, concat, encodeBase64, utf8 } from './bytes.ts';

/** Salts of services whose bodies are not for everyone, 32 bytes each. */
export type Salts = ReadonlyMap<string, Uint8Array>;

export const noSalts: Salts = new Map();

/** Of SHA-256, bytes. */
const BLOCK = 64;

function hmac(key: Uint8Array, data: Uint8Array, hash: Hash): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? hash(key) : key);
  const inner = hash(
    concat(
      block.map((byte) => byte ^ 0x36),
      data,
    ),
  );
  return hash(
    concat(
      block.map((byte) => byte ^ 0x5c),
      inner,
    ),
  );
}

/**
 * The salt of a service, from the secret of the log: each has its own, so that who is given one, to look or to check, can
 * try bodies of that service alone.
 */
export function saltOf(secret: Uint8Array, service: string, hash: Hash): Uint8Array {
  return hmac(secret, utf8(`highwater/body-salt/v1\n${service}\n`), hash);
}

/** What stands in the `body` line, base64. */
export function bodyHash(body: Uint8Array, salt: Uint8Array | undefined, hash: Hash): string {
  return encodeBase64(salt === undefined ? hash(body) : hmac(salt, body, hash));
}

/** How a body is the one that was committed to; undefined when it is not. */
export function howCommitted(
  ref: { readonly bytes: number; readonly hash: string },
  body: Uint8Array,
  salt: Uint8Array | undefined,
  hash: Hash,
): 'plain' | 'salted' | undefined {
  if (body.length !== ref.bytes) return undefined;
  if (bodyHash(body, undefined, hash) === ref.hash) return 'plain';
  return salt !== undefined && bodyHash(body, salt, hash) === ref.hash ? 'salted' : undefined;
}
