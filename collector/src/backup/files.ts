/** Files of a backup: linked where that is possible, else copied; durable before the manifest names them. */
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, constants, createReadStream, mkdirSync, openSync, statSync } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isCode, syncFolder } from '../store/blobs/durable.ts';

/**
 * Makes a folder and those above it, one by one: Node's own recursive mkdir never ends where a file system makes none and
 * says ENOENT (/proc). Throws the error of the first that can't be made.
 */
export function makeFolders(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isCode(error, 'EEXIST') && statSync(path).isDirectory()) return;
    if (!isCode(error, 'ENOENT') || isFolder(dirname(path))) throw error;
    makeFolders(dirname(path));
    mkdirSync(path, { mode: 0o700 });
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** A file for this user's eyes alone, empty where there was none. */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  chmodSync(path, 0o600);
}

/** Size in bytes; undefined when there is no such file. */
export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** An independent copy, whole or not there. */
export async function copyDurably(from: string, to: string, mode = 0o600): Promise<void> {
  const temporary = join(dirname(to), `.${process.pid}.copy.tmp`);
  await copyFile(from, temporary, constants.COPYFILE_FICLONE);
  const handle = await open(temporary, 'r+');
  try {
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, to);
}

/** Codes with which a file system says that it makes no link here. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES'];

/** A file that never changes: under both names the same one, or a copy. One of the same size that is there stays. */
export async function linkOrCopy(from: string, to: string): Promise<'there' | 'linked' | 'copied'> {
  const have = await sizeOf(to);
  if (have !== undefined && have === (await sizeOf(from))) return 'there';
  if (have === undefined) {
    try {
      await link(from, to);
      return 'linked';
    } catch (error) {
      if (!isCode(error, ...NO_LINK)) throw error;
    }
  }
  await copyDurably(from, to);
  return 'copied';
}

/** Makes folders once each, and syncs those that something was put in. */
export class Folders {
  readonly #known = new Set<string>();

  async ensure(path: string): Promise<void> {
    if (this.#known.has(path)) return;
    await mkdir(path, { recursive: true, mode: 0o700 });
    this.#known.add(path);
    this.#known.add(dirname(path));
  }

  async sync(): Promise<void> {
    for (const path of this.#known) await syncFolder(path);
  }
}

const FLAT = /^[a-z0-9][a-z0-9._-]{3,127}$/;

/** Names of the blobs without a slash: bodies and projections, public and private. What a crash left begins with a dot. */
export async function* bodiesIn(blobs: string): AsyncGenerator<string> {
  for (const folder of await namesIn(blobs)) {
    if (folder.length !== 2) continue;
    for (const name of await namesIn(join(blobs, folder))) {
      if (FLAT.test(name) && name.startsWith(folder)) yield name;
    }
  }
}

/** Names of packs: `packed/DATE/SERVICE/HASH`. */
export async function* packsIn(blobs: string): AsyncGenerator<string> {
  for (const day of await namesIn(join(blobs, 'packed'))) {
    for (const service of await namesIn(join(blobs, 'packed', day))) {
      for (const name of await namesIn(join(blobs, 'packed', day, service))) {
        if (/^[0-9a-f]{32}$/.test(name)) yield `packed/${day}/${service}/${name}`;
      }
    }
  }
}

/** Reports that are whole, and their indexes; no drafts. Both never change. */
export async function reportFilesIn(folder: string): Promise<string[]> {
  const isReport = /^[0-9]{4}-[0-9]{2}\.[0-9]+\.tar\.gz(?:\.index\.json)?$/;
  return (await namesIn(folder)).filter((name) => isReport.test(name));
}

/** Links or copies them all, and makes them durable; what is gone meanwhile is left out. */
export async function copyReports(
  from: string,
  to: string,
  copy: (from: string, to: string) => Promise<unknown> = linkOrCopy,
): Promise<void> {
  const names = await reportFilesIn(from);
  if (names.length === 0) return;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    try {
      await copy(join(from, name), join(to, name));
    } catch (error) {
      // Let go by retention in this moment.
      if (!isCode(error, 'ENOENT')) throw error;
    }
  }
  await syncFolder(to);
}

/** Sorted; none of a folder that is not there. */
export async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Where a body or a pack lies below the root of blobs (store/blobs/folder.ts). */
export const bodyPlace = (name: string): string => (name.includes('/') ? name : join(name.slice(0, 2), name));

/** Both: all that bodies are read from. */
export async function* bodiesAndPacksIn(blobs: string): AsyncGenerator<string> {
  yield* bodiesIn(blobs);
  yield* packsIn(blobs);
}

/** SHA-256, hex. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
