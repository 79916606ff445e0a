import { open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BlobConflictError, type Blobs } from './blobs.ts';
import { Folders, isCode, orDiskFull, syncFolder, writeDurably } from './durable.ts';

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    // ENOTDIR and EISDIR: a name of which one is the other's folder.
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}

async function readPart(path: string, start: number, end: number): Promise<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(Math.max(0, end - start));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

const FLAT = /^[a-z0-9][a-z0-9._-]{3,127}$/;
const SEGMENT = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const MAX_SEGMENTS = 8;

/** Where a name lies below the root; undefined for what is no name. */
function placeOf(name: string): string | undefined {
  if (!name.includes('/')) return FLAT.test(name) ? join(name.slice(0, 2), name) : undefined;
  const segments = name.split('/');
  if (segments.length > MAX_SEGMENTS || !segments.every((segment) => SEGMENT.test(segment))) return undefined;
  return (segments[0] ?? '').length > 2 ? name : undefined;
}

/**
 * Blobs as files under `root`: a name without a slash in one of up to 1,296 folders, by its first two characters;
 * a name with slashes at that path.
 */
export function folderBlobs(root: string): Blobs {
  const folders = new Folders(root);
  const pathOf = (name: string): string => {
    const place = placeOf(name);
    if (place === undefined) throw new Error(`not a blob name: ${name.slice(0, 40)}`);
    return join(root, place);
  };
  const get = async (name: string): Promise<Uint8Array | undefined> => orAbsent(readFile(pathOf(name)));
  const put = async (name: string, bytes: Uint8Array): Promise<void> => {
    const path = pathOf(name);
    await folders.ensure(dirname(path));
    await writeDurably(path, bytes);
  };
  return {
    get,
    async putIfAbsent(name, bytes) {
      const have = await get(name);
      if (have === undefined) return orDiskFull(put(name, bytes));
      if (Buffer.compare(have, bytes) !== 0) throw new BlobConflictError(name);
      // It may be there by another call that has not yet synced the folders: durable means durable.
      const folder = dirname(pathOf(name));
      await folders.ensure(folder);
      await syncFolder(folder);
    },
    replace: (name, bytes) => orDiskFull(put(name, bytes)),
    range: async (name, start, end) => orAbsent(readPart(pathOf(name), start, end)),
    async remove(name) {
      await rm(pathOf(name), { force: true });
    },
    async removeUnder(name) {
      if (!name.includes('/')) throw new Error(`not a path of blobs: ${name.slice(0, 40)}`);
      const path = pathOf(name);
      folders.forget(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}
