/** Bodies that a probe sends with its batch, and the projections that configurations commit to. */
import { type Batch, type BodyRef, dueMinuteOf, linesOfBody } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { SaltOf } from './salts.ts';

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
