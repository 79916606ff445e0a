import Database from 'better-sqlite3';
import type { Db } from './db.ts';
import { migrations } from './migrations.ts';

export type { Db } from './db.ts';

/** Wal mode and FULL are asked for and then read back: what is acknowledged must survive a power cut. */
function makeDurable(db: Db): void {
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('busy_timeout = 5000');
  db.pragma('wal_autocheckpoint = 1000');
  const mode = db.pragma('journal_mode', { simple: true });
  const synchronous = db.pragma('synchronous', { simple: true });
  if (mode !== 'wal' || synchronous !== 2) {
    throw new Error(
      `the store is not durable: journal_mode is ${String(mode)} and synchronous ${String(synchronous)}, ` +
        'but wal and 2 (FULL) are needed; put the data folder on a local file system',
    );
  }
}

function migrate(db: Db): void {
  const have = Number(db.pragma('user_version', { simple: true }));
  if (have > migrations.length) {
    throw new Error(
      `the store is of a newer version (${have}) than this program knows (${migrations.length}); upgrade it`,
    );
  }
  for (const [i, step] of migrations.entries()) {
    if (i < have) continue;
    db.transaction(() => {
      if (typeof step === 'string') db.exec(step);
      else step(db);
      db.pragma(`user_version = ${i + 1}`);
    }).exclusive();
  }
}

/** The connection that writes. There is one. */
export function openWriter(path: string): Db {
  const db = new Database(path);
  try {
    makeDurable(db);
    migrate(db);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** A connection that can only read; it sees the last commit, never an open transaction. */
export function openReader(path: string): Db {
  const db = new Database(path, { readonly: true, fileMustExist: true });
  db.pragma('busy_timeout = 5000');
  return db;
}

/** Another process holds the data folder. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError';
}

/**
 * Holds the data folder for this process. The kernel lets go when the process ends, however it ends.
 * Throws FolderInUseError when another process holds it.
 */
export function lockFolder(path: string): Db {
  const db = new Database(path, { timeout: 0 });
  try {
    db.pragma('journal_mode = DELETE');
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw new FolderInUseError(
      `another collector is using ${path}; stop it, or give this one another --data`,
      { cause: error },
    );
  }
  return db;
}
