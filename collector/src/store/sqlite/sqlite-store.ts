import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DiskFullError, type ReadTx, type Store, type Tx } from '../store.ts';
import { blockReads, blockWrites } from './blocks.ts';
import { bodyReads, bodyWrites } from './bodies.ts';
import { checkpointReads, checkpointWrites } from './checkpoints.ts';
import { commitReads, commitWrites } from './commits.ts';
import { flipReads, flipWrites } from './flips.ts';
import { feedReads, feedWrites } from './feed.ts';
import { frameReads, frameWrites } from './frames.ts';
import { groupCommit } from './group-commit.ts';
import { mutex } from '../../mutex.ts';
import { migrations } from './migrations.ts';
import { openNames, type Names } from './names.ts';
import { lockFolder, openReader, openWriter, type Db } from './open.ts';
import { stateReads, stateWrites } from './state.ts';

function reads(db: Db, names: Names): (shard: number) => ReadTx {
  const parts = [
    stateReads(db),
    frameReads(db, names),
    commitReads(db, names),
    flipReads(db),
    feedReads(db),
    checkpointReads(db),
    bodyReads(db, names),
    blockReads(db, names),
  ] as const;
  return (shard) => ({
    ...parts[0](shard),
    ...parts[1](shard),
    ...parts[2](shard),
    ...parts[3](shard),
    ...parts[4](shard),
    ...parts[5](shard),
    ...parts[6](shard),
    ...parts[7](shard),
  });
}

function writes(db: Db, names: Names): (shard: number) => Tx {
  const read = reads(db, names);
  const parts = [
    stateWrites(db),
    frameWrites(db, names),
    commitWrites(db, names),
    flipWrites(db),
    feedWrites(db),
    checkpointWrites(db),
    bodyWrites(db, names),
    blockWrites(db, names),
  ] as const;
  return (shard) => ({
    ...read(shard),
    ...parts[0](shard),
    ...parts[1](shard),
    ...parts[2](shard),
    ...parts[3](shard),
    ...parts[4](shard),
    ...parts[5](shard),
    ...parts[6](shard),
    ...parts[7](shard),
  });
}

/** Makes each shard's calls once: a transaction would otherwise make forty functions. */
function once<T>(bind: (shard: number) => T): (shard: number) => T {
  const bound = new Map<number, T>();
  return (shard) => {
    const known = bound.get(shard) ?? bind(shard);
    bound.set(shard, known);
    return known;
  };
}

/** SQLITE_FULL and its kin become DiskFullError; everything else stays what it is. */
function named(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const full = code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT';
  return full ? new DiskFullError('the disk that holds the store is full', { cause: error }) : error;
}

/** The file was written by another version of this program. */
export class OtherVersionError extends Error {
  override name = 'OtherVersionError';
}

/** Reads from a file that nobody writes. Throws OtherVersionError when it is of another version than this program. */
export async function readCopy<T>(path: string, shard: string, work: (tx: ReadTx) => Promise<T>): Promise<T> {
  const db = openReader(path);
  try {
    const version = Number(db.pragma('user_version', { simple: true }));
    if (version !== migrations.length) {
      throw new OtherVersionError(
        `${path} is of version ${version}, and this program of ${migrations.length}`,
      );
    }
    const names = openNames(db);
    return await work(reads(db, names)(names.find(shard) ?? -1));
  } finally {
    db.close();
  }
}

/**
 * The store in one SQLite file in `folder`: WAL, FULL, one writer, one reader.
 * Throws when the folder is in use by another collector, or the file can't be made durable.
 */
export function openSqliteStore(folder: string): Store {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(join(folder, 'lock.db'));
  let writer: Db;
  try {
    writer = openWriter(join(folder, 'store.db'));
  } catch (error) {
    lock.close();
    throw error;
  }
  const reader = openReader(join(folder, 'store.db'));
  const [writerNames, readerNames] = [openNames(writer), openNames(reader)];
  const [bindTx, bindRead] = [once(writes(writer, writerNames)), once(reads(reader, readerNames))];
  const commit = groupCommit(writer, () => writerNames.forget());
  const [begin, end] = [reader.prepare('BEGIN'), reader.prepare('COMMIT')];
  const aloneReading = mutex();

  return {
    transact: (shard, work) =>
      commit(() => work(bindTx(writerNames.make(shard)))).catch((error: unknown) => {
        throw named(error);
      }),
    read: (shard, work) =>
      aloneReading(async () => {
        begin.run();
        try {
          return await work(bindRead(readerNames.find(shard) ?? -1));
        } finally {
          end.run();
        }
      }),
    async [Symbol.asyncDispose]() {
      await commit(async () => undefined);
      await aloneReading(async () => undefined);
      reader.close();
      writer.close();
      lock.close();
    },
  };
}
