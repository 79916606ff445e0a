/**
 * Which commit lies in which year's log, at which index. A commit is of the year of its time, but never of an earlier
 * one than the commit before it: a clock that is set back over New Year does not open a closed log again.
 *
 * The log of a year begins at its first commit. Entry 0 is the last checkpoint of the log before, as its key signed it,
 * where there is one: so each log commits to all before it.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { leafHash } from '@highwater/config/proof/leaf-hash.ts';
import { MAX_ENTRY_BYTES } from '@highwater/config/proof/tiles.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { CheckpointRow, CommitRow, ReadTx, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { Refusal, RESTORE } from './refusal.ts';

/** The state row of a year's log: core `log`, by year. */
export interface YearState {
  readonly vkey: string;
  /** Index of its first commit. */
  readonly firstCommit: number;
  /** Entry 0: the last checkpoint of the log before. */
  readonly carried?: string;
}
export const YEAR_CORE = 'log';

export interface YearLog extends YearState {
  readonly year: number;
  /** Of the row. */
  readonly version: number;
}

export const yearOf = (at: Instant): number => new Date(at).getUTCFullYear();

/** Entries before those of commits. */
const ahead = (log: YearState): number => (log.carried === undefined ? 0 : 1);
export const indexOf = (log: YearState, commit: number): number => commit - log.firstCommit + ahead(log);
export const commitOf = (log: YearState, index: number): number => log.firstCommit + index - ahead(log);

/** Oldest first. */
export async function readYears(tx: ReadTx): Promise<YearLog[]> {
  const rows = await tx.listState(YEAR_CORE);
  return rows
    .map(({ key, version, value }) => ({ ...(value as YearState), year: Number(key), version }))
    .sort((a, b) => a.year - b.year);
}

/** The log that a commit lies in; undefined for one that none has been begun for. */
export function logOf<L extends YearLog>(years: readonly L[], commit: number): L | undefined {
  return years.findLast((log) => log.firstCommit <= commit);
}

/** Where the log stands, all read at once. */
export interface Standing {
  readonly years: readonly YearLog[];
  /** The newest. */
  readonly current: YearLog | undefined;
  /** What was last signed of it. */
  readonly last: CheckpointRow | undefined;
  /** Commits that are kept. */
  readonly commits: number;
  /** Commits that no checkpoint covers. */
  readonly pending: number;
  /** The first of those. */
  readonly next: CommitRow | undefined;
}

export async function readStanding(store: Store): Promise<Standing> {
  return store.read(LOG_SHARD, async (tx) => {
    const years = await readYears(tx);
    const current = years.at(-1);
    const last = current && (await tx.lastCheckpoint(current.year));
    const from = current === undefined ? 0 : commitOf(current, Math.max(last?.size ?? 0, ahead(current)));
    const commits = await tx.commitSize();
    const [next] = await tx.commitsFrom(from, 1);
    return { years, current, last, commits, pending: Math.max(0, commits - from), next };
  });
}

/** Rows read at once: the store's reader is others' too. */
const CHUNK = 256;

/** An entry and its leaf hash. */
export interface Entry {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

export function entryOf(bytes: Uint8Array): Entry {
  return { bytes, hash: leafHash(bytes, sha256) };
}

function entryOfCommit({ index, note, hash }: CommitRow): Entry {
  const entry = entryOf(utf8(note));
  if (encodeBase64(entry.hash) !== hash) {
    throw new Refusal(
      `commit ${index} in the store is not what was acknowledged: its leaf hash is another`,
      RESTORE,
    );
  }
  if (entry.bytes.length > MAX_ENTRY_BYTES) {
    throw new Refusal(
      `commit ${index} has ${entry.bytes.length} bytes, and an entry of the log at most ${MAX_ENTRY_BYTES}`,
      'report it with the version of the collector that accepted it: such a commit should have been refused',
    );
  }
  return entry;
}

/**
 * Entries of a year's log from number `from` on, while they are of its year: to number `least` at least, where there
 * are so many, and beyond it to `most` or until they have `maxBytes`.
 */
export async function readEntries(
  store: Store,
  log: YearLog,
  bounds: { readonly from: number; readonly least: number; readonly most: number; readonly maxBytes: number },
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let bytes = 0;
  if (log.carried !== undefined && bounds.from === 0) entries.push(entryOf(utf8(log.carried)));
  for (;;) {
    const at = bounds.from + entries.length;
    const wanted = Math.min(CHUNK, bounds.most - at);
    if (wanted <= 0) return entries;
    const rows = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(commitOf(log, at), wanted));
    for (const row of rows) {
      const isPastLeast = bounds.from + entries.length >= bounds.least;
      if (yearOf(row.at) > log.year || (isPastLeast && bytes >= bounds.maxBytes)) return entries;
      const entry = entryOfCommit(row);
      bytes += entry.bytes.length;
      entries.push(entry);
    }
    if (rows.length < wanted) return entries;
  }
}
