/** A report's leaf into the log, and the proof that it is there. */
import { formatHashes } from '@highwater/config/bundle/tree.ts';
import type { SigningKey } from '@highwater/config/keys.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { formatTlogProof } from '@highwater/config/proof/tlog-proof.ts';
import {
  consistencyProof,
  inclusionProof,
  tilesForConsistency,
  tilesForInclusion,
} from '@highwater/config/proof/tree.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Log } from '../log/log.ts';
import { fetchTiles, readPublished } from '../log/witness-proof.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { End } from './plan.ts';
import { keyOf, type Logged, type Made, REPORT_CORE } from './states.ts';

/** In one transaction with the row, so that a leaf is there once: the text is that of the row, whoever comes again. */
export async function logReport(
  store: Store,
  key: SigningKey,
  month: string,
  revision: number,
  now: Instant,
): Promise<Logged> {
  return store.transact(LOG_SHARD, async (tx) => {
    const row = await tx.getState(REPORT_CORE, keyOf(month, revision));
    const made = row?.value as Made | Logged | undefined;
    if (row === undefined || made === undefined) throw new Error(`no report of ${month} is made`);
    if (made.phase === 'logged') return made;
    const note = key.sign(made.leafText);
    const leaf = leafHashOfNote(note, sha256);
    const held = await tx.commitByHash(leaf);
    const index = held?.index ?? (await tx.addCommit({ kind: 'report', at: now, note, hash: leaf }));
    const logged: Logged = { ...made, phase: 'logged', note, leaf, index };
    await tx.putState(REPORT_CORE, row.key, row.version, logged, now);
    return logged;
  });
}

export interface NoteProof {
  /** c2sp.org/tlog-proof of the note. */
  readonly proof: string;
  /** That its checkpoint continues what was counted. */
  readonly consistency: string;
}

/**
 * Undefined while none of the checkpoints covers it.
 *
 * @param counted how far the report counted each log
 */
export async function proofOf(
  log: Pick<Log, 'years' | 'place' | 'tile'>,
  index: number,
  ends: readonly End[],
  counted: readonly { readonly year: number; readonly size: number }[],
): Promise<NoteProof | undefined> {
  const place = await log.place(index);
  const end = ends.find(({ year }) => year === place?.year);
  const key = log.years.find(({ year }) => year === place?.year)?.key;
  if (place === undefined || end === undefined || key === undefined) return undefined;
  const checkpoint = await readPublished({ checkpoint: async () => end.checkpoint }, place.year, key);
  if (checkpoint === undefined || checkpoint.size <= place.index) return undefined;
  const tiles = await fetchTiles(log, place.year, tilesForInclusion(place.index, checkpoint.size));
  const proof = formatTlogProof({
    index: place.index,
    proof: inclusionProof(place.index, checkpoint.size, tiles, sha256),
    checkpoint: end.checkpoint,
  });
  const old = counted.find(({ year }) => year === place.year)?.size ?? 0;
  if (old === 0 || old >= checkpoint.size) return { proof, consistency: '' };
  const more = await fetchTiles(log, place.year, tilesForConsistency(old, checkpoint.size));
  const consistency = formatHashes(consistencyProof(old, checkpoint.size, more, sha256));
  return { proof, consistency };
}
