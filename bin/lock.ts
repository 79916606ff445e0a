import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * One `up` at a time per data folder: two collectors on one store would each believe that they own it.
 * A lock whose process is gone is taken over. Throws an Error that names the other process.
 */
export function lockDataFolder(dataDir: string): Disposable {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = join(dataDir, 'up.pid');
  const mine = `${file}.${process.pid}`;
  // Whole from the start: whoever read it empty would take it over.
  writeFileSync(mine, `${process.pid}\n`, { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt += 1) {
      if (placed(mine, file)) return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
      const holder = holderOf(file);
      if (holder !== undefined && (attempt > 2 || isAlive(holder))) {
        throw new Error(
          `${dataDir} is in use by process ${holder}; stop that one, or give this one its own with --data`,
        );
      }
      if (holder !== undefined) moveAway(file, holder);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

function placed(mine: string, file: string): boolean {
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
    writeFileSync(file, `${process.pid}\n`, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Removes the lock of a process that is gone, and only that: another starter may have been here before us. */
function moveAway(file: string, holder: number): void {
  const aside = `${file}.${process.pid}.gone`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (!Object.is(holderOf(aside), holder)) placed(aside, file);
  rmSync(aside, { force: true });
}

/** NaN for a file that is none of ours; undefined where there is none. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8').trim() || NaN);
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
