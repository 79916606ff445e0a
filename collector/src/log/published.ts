/** The checkpoint that readers get: what was last signed of a year's log, with the cosignatures that came since. */
import { openCheckpoint, parseVerifier } from '@highwater/config/keys.ts';
import { decodeUtf8, utf8 } from '@highwater/config/proof/bytes.ts';
import { formatNote, MAX_SIGNATURES, parseNote } from '@highwater/config/proof/note.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CheckpointRow, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { checkpointBlob } from './files.ts';
import { Refusal, RESTORE } from './refusal.ts';
import type { YearLog } from './sequence.ts';

export async function readPublished(blobs: Blobs, year: number): Promise<string | undefined> {
  const bytes = await blobs.get(checkpointBlob(year));
  return bytes === undefined ? undefined : decodeUtf8(bytes);
}

/** Replaces what is published in one step. */
export async function publish(blobs: Blobs, { year, note }: CheckpointRow): Promise<void> {
  await blobs.replace(checkpointBlob(year), utf8(note));
}

/**
 * Makes sure that what is published is what was last signed: a crash may have come between the two. Throws Refusal when
 * it is something that this store did not sign. Returns whether it had to be published.
 */
export async function catchUp(
  store: Store,
  blobs: Blobs,
  log: YearLog,
  last: CheckpointRow | undefined,
): Promise<boolean> {
  const where = checkpointBlob(log.year);
  const bytes = await blobs.get(where);
  if (bytes === undefined) {
    if (last !== undefined) await publish(blobs, last);
    return last !== undefined;
  }
  const opened = openCheckpoint(decodeUtf8(bytes) ?? '', parseVerifier(log.vkey));
  if ('error' in opened) {
    throw new Refusal(
      `the published checkpoint (${where}) is none of this log: ${opened.error}`,
      `look for what wrote there; move the file away, and the last checkpoint is published again; ${RESTORE}`,
    );
  }
  const { size, root } = opened.checkpoint;
  if (last?.size === size && last.root === root) return false;
  const signed = await store.read(LOG_SHARD, (tx) => tx.checkpointAt(log.year, size));
  if (signed?.root !== root || last === undefined) {
    throw new Refusal(
      `the published checkpoint (${where}) is of ${size} entries with root ${root}, which this store did not sign: ` +
        `it signed ${last === undefined ? 'none' : `${last.size} entries with root ${last.root}`}`,
      RESTORE,
    );
  }
  await publish(blobs, last);
  return true;
}

/** A published checkpoint with more cosignatures; a newer one of the same key takes the older one's place. */
export function withLines(published: string, lines: readonly string[]): string {
  const note = parseNote(published);
  if ('error' in note) throw new Error(note.error);
  const more = parseNote(`${note.text}\n${lines.map((line) => `${line}\n`).join('')}`);
  if ('error' in more || more.text !== note.text) throw new Error('what came is no signature lines');
  const [own, ...others] = note.signatures;
  const signatures = new Map(
    [...others, ...more.signatures].map((line) => [`${line.name} ${line.keyId}`, line]),
  );
  // The log's own signature stays the first, and is nobody else's to replace.
  if (own !== undefined) signatures.delete(`${own.name} ${own.keyId}`);
  return formatNote({
    text: note.text,
    signatures: [...(own === undefined ? [] : [own]), ...signatures.values()].slice(0, MAX_SIGNATURES),
  });
}
