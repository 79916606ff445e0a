/**
 * One merge: commits become entries, entries files, files a checkpoint. Every step is repeatable and the next merge after
 * a crash begins at the first: bytes follow from the store alone, so what was written is found again, never written
 * otherwise. Files are durable before the checkpoint is kept, and it is kept before it is published.
 */
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { TILE_WIDTH } from '@highwater/config/proof/tiles.ts';
import type { SigningKey } from '@highwater/config/keys.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { BlobConflictError } from '../store/blobs/blobs.ts';
import type { CheckpointRow, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { blobOf } from './files.ts';
import { type Edge, grow, type Grown, readEdge, wholeBundles, writeFiles } from './grow.ts';
import { Refusal } from './refusal.ts';
import { broken, oldDiffers, secondRoot } from './second-path.ts';
import { type Entry, readEntries, type YearLog } from './sequence.ts';

/** Entries of one merge: a bound on its memory, and on how long the others wait for the processor. */
export const MERGE_ENTRIES = 4_096;
/** Their bytes, about; an entry has at most 65,535. */
const MERGE_BYTES = 16 * 1024 * 1024;

export interface Merging {
  readonly origin: string;
  readonly store: Store;
  readonly blobs: Blobs;
  readonly clock: Clock;
  /** Throws Refusal when somebody has shown another history: looked at last before the signing. */
  readonly demandOneHistory: () => void;
}

/** What there is of the log of a year, and what it was signed at: nothing at size 0. */
interface Signed {
  readonly log: YearLog;
  readonly size: number;
  /** Base64. */
  readonly root?: string;
}

/** Entries of the whole bundles' end on, so that a bundle that was partial is made of the store and not of itself. */
async function entriesAfter(store: Store, { log, size }: Signed): Promise<Entry[]> {
  const from = wholeBundles(size);
  const most = size + MERGE_ENTRIES;
  const entries = await readEntries(store, log, { from, least: size, most, maxBytes: MERGE_BYTES });
  const end = from + entries.length;
  // Where more follow, it ends with a whole bundle: fewer partial files.
  const isCut = end === most && wholeBundles(end) > size;
  return isCut ? entries.slice(0, wholeBundles(end) - from) : entries;
}

/** What was signed is looked at again before anything is put on it: the store's side by its root, the disk's by its bytes. */
async function checkOld(
  blobs: Blobs,
  { log, size, root }: Signed,
  edge: Edge,
  entries: readonly Entry[],
): Promise<void> {
  const old = grow(edge, edge.size, entries.slice(0, size - edge.size));
  if (root !== undefined && encodeBase64(old.root) !== root) {
    throw await oldDiffers({ blobs, year: log.year, oldSize: size });
  }
  for (const [path, bytes] of old.files) {
    const held = await blobs.get(blobOf(log.year, path));
    if (held !== undefined && Buffer.compare(held, bytes) !== 0) {
      throw broken(log.year, path, 'holds other bytes than were signed');
    }
  }
}

async function write(blobs: Blobs, year: number, files: Grown['files']): Promise<void> {
  try {
    await writeFiles(blobs, year, files);
  } catch (error) {
    if (!(error instanceof BlobConflictError)) throw error;
    throw broken(year, error.blob.slice(blobOf(year, '').length), 'holds other bytes than the log has there');
  }
}

/** One step of growth, written and found good by the second path; undefined when nothing follows. */
async function extend({ store, blobs }: Merging, signed: Signed): Promise<Signed | 'lost' | undefined> {
  const { log, size } = signed;
  const entries = await entriesAfter(store, signed);
  const newSize = wholeBundles(size) + entries.length;
  if (newSize <= size) return undefined;
  const edge = await readEdge(blobs, log.year, size);
  if (edge === undefined) return 'lost';
  await checkOld(blobs, signed, edge, entries);
  const { root, files } = grow(edge, size, entries);
  await write(blobs, log.year, files);
  const first = encodeBase64(root);
  const second = await secondRoot({ blobs, year: log.year, oldSize: size, oldRoot: signed.root, newSize });
  if (first !== second) {
    throw new Refusal(
      `two ways to the root of log/${log.year} at ${newSize} entries differ: ${first} and ${second}`,
      'report it, with a copy of the data folder: this is a fault of the program, or of the memory of this machine',
    );
  }
  return { log, size: newSize, root: first };
}

/** The right edge is gone from the disk: all of it is made again from the store, up to what was signed. */
async function regrow(parts: Merging, signed: Signed): Promise<void> {
  let made: Signed = { log: signed.log, size: 0 };
  while (made.size < signed.size) {
    const next = await extend(parts, made);
    if (next === undefined || next === 'lost') break;
    made = next;
  }
}

/**
 * Merges what follows the last checkpoint of a year, up to a bound, and keeps the new checkpoint; undefined when nothing
 * follows in that year. Rejects with Refusal, ConflictError or DiskFullError, and may be called again after each.
 */
export async function merge(
  parts: Merging,
  log: YearLog,
  last: CheckpointRow | undefined,
  key: SigningKey,
): Promise<CheckpointRow | undefined> {
  const signed: Signed = { log, size: last?.size ?? 0, ...(last === undefined ? {} : { root: last.root }) };
  let grown = await extend(parts, signed);
  if (grown === 'lost') {
    await regrow(parts, signed);
    grown = await extend(parts, signed);
  }
  if (grown === 'lost')
    throw broken(log.year, 'tile', 'lacks files that can not be made again from the store');
  if (grown?.root === undefined) return undefined;
  const { size, root } = grown;
  parts.demandOneHistory();
  const note = key.sign(formatCheckpointText({ origin: `${parts.origin}/${log.year}`, size, root }));
  const checkpoint = { year: log.year, size, root, at: parts.clock.now(), note };
  await parts.store.transact(LOG_SHARD, (tx) => tx.addCheckpoint(signed.size, checkpoint));
  return checkpoint;
}

/** How far back files of a merge may lie that a crash kept from being swept, entries. */
export const UNSWEPT = MERGE_ENTRIES + TILE_WIDTH;
