import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DiskFullError } from '../store.ts';
import { BlobConflictError, type Blobs } from './blobs.ts';

const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && 'code' in error && codes.includes(String(error.code));

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A directory's entries are durable only once the directory itself was synced. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
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
    if (isCode(error, 'ENOSPC', 'EDQUOT')) {
      throw new DiskFullError('the disk that holds the bodies is full', { cause: error });
    }
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Blobs as files under `root`, spread over 256 folders by the first two characters of the name. */
export function folderBlobs(root: string): Blobs {
  const known = new Set<string>();
  const pathOf = (name: string): string => {
    if (!/^[a-z0-9][a-z0-9._-]{3,127}$/.test(name)) throw new Error(`not a blob name: ${name.slice(0, 40)}`);
    return join(root, name.slice(0, 2), name);
  };
  const ensureFolder = async (path: string): Promise<void> => {
    if (known.has(path)) return;
    await mkdir(path, { recursive: true, mode: 0o700 });
    await syncFolder(root);
    known.add(path);
  };
  const get = (name: string): Promise<Uint8Array | undefined> => orAbsent(readFile(pathOf(name)));
  return {
    get,
    async putIfAbsent(name, bytes) {
      const path = pathOf(name);
      const have = await get(name);
      if (have !== undefined) {
        if (Buffer.compare(have, bytes) !== 0) throw new BlobConflictError(`blob ${name} holds other bytes`);
        // It may be there by another call that has not yet synced the folder: durable means durable.
        await syncFolder(dirname(path));
        return;
      }
      await ensureFolder(dirname(path));
      await writeDurably(path, bytes);
    },
    async range(name, start, end) {
      const handle = await orAbsent(open(pathOf(name), 'r'));
      if (handle === undefined) return undefined;
      try {
        const buffer = Buffer.alloc(Math.max(0, end - start));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
        return buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}
