/** Bodies that a probe sends with its batch, and the projections that configurations commit to. */
import { type Batch, type BodyRef, dueMinuteOf, linesOfBody } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { encodeHex, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { RebuiltBody } from './rebuild.ts';
import type { SaltOf } from './salts.ts';

/** Reads a body that was sent; an error where it is not the one that the batch commits to. */
function readBody(batch: Batch, ref: BodyRef, text: string, saltOf: SaltOf): RebuiltBody | { error: string } {
  const named = `body ${ref.service}`;
  const how = howCommitted(ref, utf8(text), saltOf(ref.service), sha256);
  if (how === undefined) return { error: `${named} is not the one that the batch commits to` };
  const lines = linesOfBody(text);
  if (lines === undefined || lines.length !== ref.lines)
    return { error: `${named} is not ${ref.lines} whole sorted lines` };
  for (const [i, line] of lines.entries()) {
    const parsed = parseLine(line);
    if ('error' in parsed) return { error: `${named}, line ${i + 1}: ${parsed.error}` };
    if (!line.startsWith(`${ref.service}/`)) return { error: `${named}, line ${i + 1}: of another service` };
    const minute = dueMinuteOf(line);
    if (minute < batch.minutes.first || minute > batch.minutes.last) {
      return { error: `${named}, line ${i + 1}: due outside of the batch's minutes` };
    }
  }
  return { text, lines: new Set(lines), isSalted: how === 'salted' };
}

/** The bodies that were sent with a batch; an error where one is not what the batch commits to. */
export function readSent(
  batch: Batch,
  sent: Readonly<Record<string, string>>,
  saltOf: SaltOf,
): { readonly bodies: ReadonlyMap<string, RebuiltBody> } | { error: string } {
  const bodies = new Map<string, RebuiltBody>();
  for (const [service, text] of Object.entries(sent)) {
    const ref = batch.bodies.find((each) => each.service === service);
    if (ref === undefined) return { error: `the batch has no body ${service}` };
    const read = readBody(batch, ref, text, saltOf);
    if ('error' in read) return read;
    bodies.set(service, read);
  }
  return { bodies };
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
