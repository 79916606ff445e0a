/** The store of the alerts role, which holds it for itself while it runs: then its files are copied as they lie. */
import { stat } from 'node:fs/promises';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode } from '../store/blobs/durable.ts';
import { asOneFile, damageOf, snapshotDatabase } from '../store/sqlite/snapshot.ts';
import { copyDurably, sizeOf, syncFile } from './files.ts';
import { BackupProblem } from './problem.ts';

const ATTEMPTS = 50;

async function shapeOf(path: string): Promise<string> {
  const of = async (file: string): Promise<string> => {
    try {
      const { size, mtimeNs, ino } = await stat(file, { bigint: true });
      return `${ino} ${size} ${mtimeNs}`;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return '-';
      throw error;
    }
  };
  return `${await of(path)} ${await of(`${path}-wal`)}`;
}

/**
 * File and write-ahead log, as they are while nothing is written: the same before and after. What a writer had begun
 * after its last commit is left out by SQLite's own recovery, as after a power cut.
 */
async function copyAsItLies(from: string, to: string): Promise<boolean> {
  const before = await shapeOf(from);
  await copyDurably(from, to);
  if ((await sizeOf(`${from}-wal`)) !== undefined) await copyDurably(`${from}-wal`, `${to}-wal`);
  if ((await shapeOf(from)) !== before) return false;
  asOneFile(to);
  return damageOf(to) === undefined;
}

/** Its path in the backup; undefined when the role never ran here. */
export async function copyAlerts(dataDir: string, dir: string, at: number): Promise<string | undefined> {
  const from = join(dataDir, 'alerts', 'alerts.db');
  if ((await sizeOf(from)) === undefined) return undefined;
  const path = join('alerts', `alerts-${at}.db`);
  const to = join(dir, path);
  await mkdir(join(dir, 'alerts'), { recursive: true, mode: 0o700 });
  const forget = async (): Promise<void> => {
    for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${to}${end}`, { force: true });
  };
  await forget();
  try {
    await snapshotDatabase(from, to);
    await syncFile(to);
    return path;
  } catch (error) {
    if (!isCode(error, 'SQLITE_BUSY', 'SQLITE_CANTOPEN', 'SQLITE_BUSY_RECOVERY')) throw error;
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await forget();
    if (await copyAsItLies(from, to)) {
      await syncFile(to);
      return path;
    }
  }
  throw new BackupProblem(
    'no',
    `${from} is being written all the time`,
    'try again, or stop the alerts role',
  );
}
