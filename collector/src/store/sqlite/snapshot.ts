/** Copies of a store's file: made while another process writes it, checked, and cut short for a restore. */
import Database from 'better-sqlite3';
import { decodeCommits, encodeCommits } from './bodies.ts';
import type { Db } from './open.ts';

/** Pages copied between two looks at the progress: 4 MB. */
const PAGES_AT_ONCE = 1_024;

/**
 * Copies the file at `from` to the new file `to`, as it is at one moment, while others may write it: the copy is made
 * inside one read transaction, so it never has to begin again. The copy is one file, without a write-ahead log.
 */
export async function snapshotDatabase(
  from: string,
  to: string,
  progress: (share: number) => void = () => undefined,
): Promise<void> {
  const db = new Database(from, { readonly: true, fileMustExist: true, timeout: 5_000 });
  try {
    db.exec('BEGIN');
    // The first read fixes the moment.
    db.pragma('user_version');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    await db.backup(to, {
      progress({ totalPages, remainingPages }) {
        progress(totalPages === 0 ? 1 : 1 - remainingPages / totalPages);
        return PAGES_AT_ONCE;
      },
    });
    db.exec('COMMIT');
    asOneFile(to);
  } finally {
    db.close();
  }
}

/** Takes in what a write-ahead log beside it holds, and leaves none: the file alone is the database. */
export function asOneFile(path: string): void {
  const db = new Database(path, { fileMustExist: true });
  try {
    db.pragma('synchronous = FULL');
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}

/** What is wrong with a database file; undefined when nothing is. */
export function damageOf(path: string): string | undefined {
  let db: Db;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be opened';
  }
  try {
    const found = db.pragma('integrity_check', { simple: true });
    return found === 'ok' ? undefined : String(found);
  } catch (error) {
    return error instanceof Error ? error.message : 'it cannot be read';
  } finally {
    db.close();
  }
}

/** What is made of commits by cursors: of all of them again, when some are others than they were. */
const DERIVED_CORES = ['ground', 'slots', 'conflicts'];

/**
 * Packs name commits by index, and others come in the place of those that are cut. The objects stay: what they have of the
 * others is named by probe, epoch and number.
 */
function forgetPacked(db: Db, index: number): void {
  const rows = db.prepare<
    [],
    { shard: number; day: number; service: number; part: number; commits: Uint8Array }
  >('SELECT shard, day, service, part, commits FROM packs');
  const update = db.prepare(
    'UPDATE packs SET commits = ? WHERE shard = ? AND day = ? AND service = ? AND part = ?',
  );
  for (const { shard, day, service, part, commits } of rows.all()) {
    const all = decodeCommits(commits);
    const left = all.filter((each) => each < index);
    if (left.length < all.length) update.run(encodeCommits(left), shard, day, service, part);
  }
}

export interface CutCommit {
  readonly note: string;
  readonly body?: string;
}

/**
 * In the copy that a restore works on: takes back the commits from `index` on, and all views that followed the commits.
 * The triggers hold a running collector to append; here the log itself, as it was published, says otherwise, and the
 * backup keeps what was there. Returns what was taken out, in order.
 */
export function cutCommits(path: string, index: number): CutCommit[] {
  const db = new Database(path, { fileMustExist: true });
  try {
    db.pragma('synchronous = FULL');
    return db.transaction(() => {
      const trigger = db
        .prepare<[], string>("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'commits_hold'")
        .pluck()
        .get();
      if (trigger === undefined) throw new Error(`${path}: not a store of this version`);
      const cut = db
        .prepare<[number], { note: string; body: string | null }>(
          'SELECT note, body FROM commits WHERE idx >= ? ORDER BY idx',
        )
        .all(index)
        .map(({ note, body }) => ({ note, ...(body === null ? {} : { body }) }));
      db.exec('DROP TRIGGER commits_hold');
      for (const table of ['commits', 'batch_minutes', 'bodies', 'body_places']) {
        db.prepare(`DELETE FROM ${table} WHERE idx >= ?`).run(index);
      }
      forgetPacked(db, index);
      db.exec(trigger);
      db.exec('DELETE FROM blocks');
      const forget = db.prepare('DELETE FROM state WHERE core = ?');
      for (const core of DERIVED_CORES) forget.run(core);
      return cut;
    })();
  } finally {
    db.close();
  }
}
