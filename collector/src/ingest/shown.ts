/**
 * What everyone may read of the evidence: bodies of services that are public, and were when their lines were due. One that
 * was taken out of the configuration is as public as the last declaration that names it says, for old reports are to be
 * verified for good. What was private stays so, although its service is public now; stores from before bodies were kept
 * apart hold such ones under the name of public ones, so a name alone says nothing.
 */
import type { Config } from '@highwater/config/model.ts';
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Bodies } from '../bodies/bodies.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CommitRow, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** Services whose bodies are shown, each with the instant from which on: lines due earlier were private. */
export type Shown = ReadonlyMap<string, Instant>;

/** Bytes of a blob in memory at once. */
const PART_BYTES = 65_536;
/** The first line of a projection; a line of a service named `highwater` goes on with a space. */
const PROJECTION = 'highwater/projection/v1\n';

/** Whether a service is public under a configuration. References of chains are: the projection names them. */
export function publicIn(config: Config): (service: string) => boolean {
  const known = new Set([
    ...config.services.filter(({ visibility }) => visibility === 'public').map(({ id }) => id),
    ...Object.keys(config.chains).map((name) => `${REFERENCE_PREFIX}${name}`),
  ]);
  return (service) => known.has(service);
}

/**
 * From when on each service, and each chain's references, were public without a break, by the configuration leaves; none
 * for one that the last leaf to name it calls private.
 */
function publicSince(leaves: readonly CommitRow[]): Map<string, Instant> {
  const since = new Map<string, Instant>();
  const wasPrivate = new Set<string>();
  for (const { kind, at, body = '' } of leaves) {
    if (kind !== 'config') continue;
    for (const [, service = '', visibility] of body.matchAll(/^service (\S+) \S+ (\S+)/gm)) {
      if (visibility === 'public') {
        if (!since.has(service)) since.set(service, wasPrivate.has(service) ? at : 0);
      } else {
        wasPrivate.add(service);
        since.delete(service);
      }
    }
    for (const [, name = ''] of body.matchAll(/^chain (\S+) /gm)) since.set(`${REFERENCE_PREFIX}${name}`, 0);
  }
  return since;
}

/** What is shown under a configuration, whose leaf is in the store. */
export async function shownServices(store: Store, config: Config): Promise<Shown> {
  const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
  const since = publicSince(leaves);
  // Whatever the leaves say: what the file calls private is not shown.
  for (const { id, visibility } of config.services) if (visibility === 'private') since.delete(id);
  return since;
}

/** A blob in parts. */
async function* partsOf(blobs: Blobs, name: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; at += PART_BYTES) {
    const part = await blobs.range(name, at, at + PART_BYTES);
    // Packed in this moment: who has a part must not take it for all.
    if (part === undefined && at > 0) throw new Error('a body went while it was read');
    if (part === undefined || part.length === 0) return;
    yield part;
    if (part.length < PART_BYTES) return;
  }
}

/** Whether no line of a body was due before `since`. What is no line of a body is taken as if it was. */
async function isAllSince(parts: AsyncIterable<Uint8Array>, since: Instant): Promise<boolean> {
  let rest = '';
  for await (const part of parts) {
    // Lines are ASCII; anything else in there makes a line that is none.
    const lines = (rest + Buffer.from(part).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > PART_BYTES) return false;
    if (!lines.every((line) => Number(/^\S+ ([0-9]+) /.exec(line)?.[1] ?? -1) >= since)) return false;
  }
  return rest === '';
}

/** The text in parts, so that an answer waits for who reads it slowly. */
async function* partsOfText(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += PART_BYTES) yield Buffer.from(text.slice(at, at + PART_BYTES));
}

/** Of a name among the blobs: a projection, or a body that a version before kept. */
async function readBlob(
  blobs: Blobs,
  shown: Shown,
  hex: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const head = await blobs.range(hex, 0, 128);
  if (head === undefined) return undefined;
  const text = Buffer.from(head).toString('latin1');
  if (text.startsWith(PROJECTION)) return partsOf(blobs, hex);
  const since = shown.get(text.slice(0, Math.max(0, text.indexOf('/'))));
  if (since === undefined) return undefined;
  if (since > 0 && !(await isAllSince(partsOf(blobs, hex), since))) return undefined;
  return partsOf(blobs, hex);
}

/**
 * What is published under a SHA-256 in hex: a projection, or a body that is shown. Undefined when there is none, and just
 * so when it is not shown: nobody learns which. A file is read 64 KiB at a time; a body in a row or a pack is in memory
 * until it has been sent.
 */
export async function readShown(
  { blobs, bodies }: { readonly blobs: Blobs; readonly bodies: Pick<Bodies, 'read'> },
  shown: Shown,
  hex: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const file = await readBlob(blobs, shown, hex);
  if (file !== undefined) return file;
  const body = await bodies.read(Buffer.from(hex, 'hex').toString('base64'));
  if (body?.shown !== 'public') return undefined;
  const since = shown.get(body.text.slice(0, Math.max(0, body.text.indexOf('/'))));
  if (since === undefined) return undefined;
  if (since > 0 && !(await isAllSince(partsOfText(body.text), since))) return undefined;
  return partsOfText(body.text);
}
