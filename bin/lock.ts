import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { makeFolders } from '../collector/src/backup/files.ts';

/**
 * One `up` at a time per data folder: two collectors on one store would each believe that they own it.
 * A lock whose process is gone is taken over, and so is one that came with a copy of the folder: it names the folder that
 * it was made in, by device and inode. `say` is told of such a copy.
 * Throws an Error that names the other process.
 */
export function lockDataFolder(dataDir: string, say: (text: string) => void = () => undefined): Disposable {
  makeFolders(dataDir);
  const file = join(dataDir, 'up.pid');
  const mine = `${file}.${process.pid}`;
  const folder = folderOf(dataDir);
  const text = `${process.pid}\n${folder}\n`;
  // Whole from the start: whoever read it empty would take it over.
  writeFileSync(mine, text, { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt += 1) {
      if (placed(mine, file, text)) return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
      const holder = holderOf(file);
      const isCopied = holder?.folder !== undefined && holder.folder !== folder;
      if (holder !== undefined && (attempt > 2 || (isAlive(holder.pid) && !isCopied))) {
        throw new Error(
          `${dataDir} is in use by process ${holder.pid}; stop that one, or give this one its own with --data`,
        );
      }
      if (holder === undefined) continue;
      if (isCopied && isAlive(holder.pid)) say(copied(dataDir, holder.pid));
      moveAway(file, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

const copied = (dataDir: string, pid: number): string =>
  `${dataDir} is a copy: its lock is of the folder that it was copied from, so it does not hold here. Process ${pid} may still run on that one: two collectors with one key sign two histories, and the log stops; run one of them`;

/** What a copy does not share with the folder that it was made of; a folder that was moved keeps it. */
function folderOf(dataDir: string): string {
  const { dev, ino } = statSync(dataDir, { bigint: true });
  return `folder ${dev}:${ino}`;
}

interface Holder {
  /** NaN for a file that is none of ours. */
  readonly pid: number;
  /** Undefined in the lock of an earlier version. */
  readonly folder: string | undefined;
}

function placed(mine: string, file: string, text: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) throw error;
  }
  // Some file systems have no hard links.
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that is gone, and only that: another starter may have been here before us. */
function moveAway(file: string, holder: Holder): void {
  const aside = `${file}.${process.pid}.gone`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = holderOf(aside);
  if (moved !== undefined && !isDeepStrictEqual(moved, holder))
    placed(aside, file, readFileSync(aside, 'utf8'));
  rmSync(aside, { force: true });
}

/** Undefined where there is no lock. */
function holderOf(file: string): Holder | undefined {
  try {
    const [pid = '', folder] = readFileSync(file, 'utf8').trim().split('\n');
    return { pid: Number(pid || NaN), folder };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
