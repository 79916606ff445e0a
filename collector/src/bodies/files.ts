/** Bodies in files of their own among the blobs: versions before kept all of them so, and they are read until packs have them. */
import { sha256 } from '@highwater/config/keys.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { decodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import type { SaltOf } from '../ingest/salts.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { HeldBody, Shown } from '../store/store.ts';

/** A body's name among the blobs: its SHA-256 in hex. */
export function bodyName(hash: string): string {
  return encodeHex(decodeBase64(hash) ?? new Uint8Array());
}

/**
 * By whether it may be served: one of a service that was not public when it came is never; of one that is committed to
 * under a salt the name is what the log says, for its SHA-256 is nobody's to know.
 */
const nameAs: Readonly<Record<Shown, (hash: string) => string>> = {
  public: bodyName,
  private: (hash) => `private.${bodyName(hash)}`,
  salted: (hash) => `private.salted.${bodyName(hash)}`,
};

const kinds: readonly Shown[] = ['public', 'private', 'salted'];

/** The body that a batch commits to by a hash, whether it may be served or not; undefined when there is none. */
export async function readFileBody(
  blobs: Blobs,
  hash: string,
): Promise<{ readonly bytes: Uint8Array; readonly shown: Shown } | undefined> {
  for (const shown of kinds) {
    const bytes = await blobs.get(nameAs[shown](hash));
    if (bytes !== undefined) return { bytes, shown };
  }
  return undefined;
}

/** Puts a body where it is found by its hash although no commit names it (yet): what a restore takes out of a store. */
export async function keepFileBody(blobs: Blobs, { hash, shown, text }: HeldBody): Promise<void> {
  await blobs.putIfAbsent(nameAs[shown](hash), utf8(text));
}

/** Removes a body's file, whichever kind it is of. */
export async function removeFileBody(blobs: Blobs, hash: string): Promise<void> {
  for (const shown of kinds) await blobs.remove(nameAs[shown](hash));
}

/** Whether a body, or a pack, of the blobs is what its name says; undefined for a blob that is named by anything else. */
export function isAsNamed(name: string, body: Uint8Array, saltOf: SaltOf): boolean | undefined {
  const packed = /^packed\/.*\/([0-9a-f]{32})$/.exec(name)?.[1];
  if (packed !== undefined) return encodeHex(sha256(body).subarray(0, 16)) === packed;
  const hex = /^(?:private\.(?:salted\.)?)?([0-9a-f]{64})$/.exec(name)?.[1];
  if (hex === undefined) return undefined;
  if (!name.startsWith('private.salted.')) return encodeHex(sha256(body)) === hex;
  const service = Buffer.from(body.subarray(0, 128)).toString('latin1').split('/', 1)[0] ?? '';
  const hash = Buffer.from(hex, 'hex').toString('base64');
  return howCommitted({ bytes: body.length, hash }, body, saltOf(service), sha256) === 'salted';
}
