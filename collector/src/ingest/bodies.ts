import { type Batch, type BodyRef, dueMinuteOf, linesOfBody } from '@highwater/config/proof/batch.ts';
import { decodeBase64, encodeBase64, encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** A body's name among the blobs: its SHA-256 in hex. */
export function bodyName(hash: string): string {
  return encodeHex(decodeBase64(hash) ?? new Uint8Array());
}

/** The name of a body that is never served: of a service that was not public when it came. */
function privateName(hash: string): string {
  return `private.${bodyName(hash)}`;
}

/** A body, whether it may be served or not; undefined when there is none. */
export async function readKept(blobs: Blobs, hash: string): Promise<Uint8Array | undefined> {
  return (await blobs.get(bodyName(hash))) ?? (await blobs.get(privateName(hash)));
}

/** Why a body that was sent is not the one that the batch commits to; undefined when it is. */
function mismatch(batch: Batch, ref: BodyRef, body: string): string | undefined {
  const bytes = utf8(body);
  const named = `body ${ref.service}`;
  if (bytes.length !== ref.bytes || encodeBase64(sha256(bytes)) !== ref.hash) {
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
export function wrongBody(batch: Batch, sent: Readonly<Record<string, string>>): string | undefined {
  for (const [service, body] of Object.entries(sent)) {
    const ref = batch.bodies.find((each) => each.service === service);
    if (ref === undefined) return `the batch has no body ${service}`;
    const wrong = mismatch(batch, ref, body);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/**
 * Puts every body of a batch where it stays, durably. `isPublic` says of a service whether everyone may read what is
 * kept now; of one that it does not know, nobody may.
 */
export async function keepBodies(
  blobs: Blobs,
  batch: Batch,
  bodies: ReadonlyMap<string, string>,
  isPublic: (service: string) => boolean,
): Promise<void> {
  await Promise.all(
    batch.bodies.map(({ service, hash }) => {
      const name = isPublic(service) ? bodyName(hash) : privateName(hash);
      return blobs.putIfAbsent(name, utf8(bodies.get(service) ?? ''));
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
