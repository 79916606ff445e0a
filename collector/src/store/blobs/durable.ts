/** Files that are whole or not there after a crash, and still there after a power cut. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { DiskFullError } from '../store.ts';

export const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

/** A folder's entries are durable only once the folder itself was synced. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What a full disk says becomes DiskFullError; everything else stays what it is. */
export async function orDiskFull<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isCode(error, 'ENOSPC', 'EDQUOT')) throw error;
    throw new DiskFullError('the disk that holds the bodies is full', { cause: error });
  }
}

/**
 * Puts `bytes` at `path` in one step: a temporary file, fsync, rename, fsync of the folder, which must be there.
 * What a crash leaves of the temporary file begins with a dot, so it is never taken for a blob.
 */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Folders under `root`, made durably: each one's parent is synced once a process, whether it was made now or by one
 * that a crash may have kept from syncing it.
 */
export class Folders {
  readonly #root: string;
  readonly #durable = new Map<string, Promise<void>>();
  constructor(root: string) {
    this.#root = root;
  }

  ensure(path: string): Promise<void> {
    const known = this.#durable.get(path);
    if (known !== undefined) return known;
    const made = this.#make(path).catch((error: unknown) => {
      this.#durable.delete(path);
      throw error;
    });
    this.#durable.set(path, made);
    return made;
  }

  async #make(path: string): Promise<void> {
    if (path !== this.#root) await this.ensure(dirname(path));
    // EEXIST is a file in the way; a folder that is there is not.
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (path !== this.#root) await syncFolder(dirname(path));
  }

  /** They were removed: what is put there next makes them anew. */
  forget(path: string): void {
    for (const known of this.#durable.keys()) {
      if (known === path || known.startsWith(`${path}/`)) this.#durable.delete(known);
    }
  }
}
