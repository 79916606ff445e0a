import { type Batch, type BodyRef, dueMinuteOf, linesOfBody } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { decodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { SaltOf } from './salts.ts';

/** A body's name among the blobs: its SHA-256 in hex. */
export function bodyName(hash: string): string {
  return encodeHex(decodeBase64(hash) ?? new Uint8Array());
}

/** The name of a body that is never served: of a service that was not public when it came. */
function privateName(hash: string): string {
  return `private.${bodyName(hash)}`;
}

/** The name of a body that is committed to under a salt: by what the log says, for its SHA-256 is nobody's to know. */
function saltedName(hash: string): string {
  return `private.salted.${bodyName(hash)}`;
}

/** Whether a body of the blobs is what its name says; undefined for a blob that is named by anything else. */
export function isAsNamed(name: string, body: Uint8Array, saltOf: SaltOf): boolean | undefined {
  const hex = /^(?:private\.(?:salted\.)?)?([0-9a-f]{64})$/.exec(name)?.[1];
  if (hex === undefined) return undefined;
  if (!name.startsWith('private.salted.')) return encodeHex(sha256(body)) === hex;
  const service = Buffer.from(body.subarray(0, 128)).toString('latin1').split('/', 1)[0] ?? '';
  return (
    howCommitted(
      { bytes: body.length, hash: Buffer.from(hex, 'hex').toString('base64') },
      body,
      saltOf(service),
      sha256,
    ) === 'salted'
  );
}

/** The body that a batch commits to by a hash, whether it may be served or not; undefined when there is none. */
export async function readKept(blobs: Blobs, hash: string): Promise<Uint8Array | undefined> {
  for (const name of [bodyName(hash), privateName(hash), saltedName(hash)]) {
    const body = await blobs.get(name);
    if (body !== undefined) return body;
  }
  return undefined;
}

/** Why a body that was sent is not the one that the batch commits to; undefined when it is. */
function mismatch(batch: Batch, ref: BodyRef, body: string, saltOf: SaltOf): string | undefined {
  const named = `body ${ref.service}`;
  if (howCommitted(ref, utf8(body), saltOf(ref.service), sha256) === undefined) {
    return `${named} is not the one that the batch commits to`;
  }
  const lines = linesOfBody(body);
  if (lines === undefined || lines.length !== ref.lines)
    return `${named} is not ${ref.lines} whole sorted lines`;
  for (const [i, line] of lines.entries()) {
    const parsed = parseLine(line);
    if ('error' in parsed) return `${named}, line ${i + 1}: ${parsed.error}`;
    if (!line.startsWith(`${ref.service}/`)) return `${named}, line ${i + 1}: of another service`;
    const minute = dueMinuteOf(line);
    if (minute < batch.minutes.first || minute > batch.minutes.last) {
      return `${named}, line ${i + 1}: due outside of the batch's minutes`;
    }
  }
  return undefined;
}

/** What is wrong with the bodies that were sent; undefined when each is what the batch commits to. */
export function wrongBody(
  batch: Batch,
  sent: Readonly<Record<string, string>>,
  saltOf: SaltOf,
): string | undefined {
  for (const [service, body] of Object.entries(sent)) {
    const ref = batch.bodies.find((each) => each.service === service);
    if (ref === undefined) return `the batch has no body ${service}`;
    const wrong = mismatch(batch, ref, body, saltOf);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/**
 * Puts every body of a batch where it stays, durably. `isPublic` says of a service whether everyone may read what is
 * kept now; of one that it does not know, nobody may. A salted body was private to the probe that saw it, and stays so.
 */
export async function keepBodies(
  blobs: Blobs,
  batch: Batch,
  bodies: ReadonlyMap<string, string>,
  isPublic: (service: string) => boolean,
  saltOf: SaltOf = () => undefined,
): Promise<void> {
  await Promise.all(
    batch.bodies.map((ref) => {
      const { service, hash } = ref;
      const bytes = utf8(bodies.get(service) ?? '');
      const isSalted = howCommitted(ref, bytes, saltOf(service), sha256) === 'salted';
      const name = isSalted ? saltedName(hash) : isPublic(service) ? bodyName(hash) : privateName(hash);
      return blobs.putIfAbsent(name, bytes);
    }),
  );
}

/** Puts a projection among what is published, by its hash, as the configuration leaf names it. */
export async function keepProjection(blobs: Blobs, projection: string): Promise<void> {
  const bytes = utf8(projection);
  await blobs.putIfAbsent(encodeHex(sha256(bytes)), bytes);
}

/** Does so for all leaves: stores from before the log was published have them in the leaves alone. */
export async function keepProjections(blobs: Blobs, store: Store): Promise<void> {
  const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
  for (const { kind, body } of leaves) {
    if (kind === 'config' && body !== undefined) await keepProjection(blobs, body);
  }
}
