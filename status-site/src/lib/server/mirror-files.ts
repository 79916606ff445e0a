/**
 * The mirror's files, under data/site/log: a folder a year with key, checkpoint, tile/… and body/…, all as they are served.
 * Each is whole or not there: written beside its place and moved; fsynced, but for bodies.
 */
import { randomBytes } from 'node:crypto';
import {
  type FileHandle,
  mkdir,
  open,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  statfs,
  utimes,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Files {
  readonly dir: string;
  /** Undefined when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  write(path: string, bytes: Uint8Array | string): Promise<void>;
  /**
   * Writes in parts; kept only when `isGood` says so at the end, and resolves with that. Not fsynced: for what is checked
   * whenever it is read, and comes again when a power cut took it.
   */
  writeParts(path: string, parts: AsyncIterable<Uint8Array>, isGood: () => boolean): Promise<boolean>;
  /** Bytes and time of writing (Unix ms); undefined when there is none. */
  stat(path: string): Promise<{ bytes: number; at: number } | undefined>;
  /** Sets what `stat` says of when a file was written, Unix ms. */
  date(path: string, at: number): Promise<void>;
  /** Absent is fine. */
  remove(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
}

/** The disk is nearly full: the mirror stops before the machine does. */
export class NoRoom extends Error {
  override name = 'NoRoom';
}

const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(String((error as NodeJS.ErrnoException).code));

async function orAbsent<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Throws NoRoom when less than `bytes` would stay free on the disk of `dir`. */
export async function demandRoom(dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  const left = bavail * bsize;
  if (left < bytes)
    throw new NoRoom(`only ${Math.floor(left / 1_048_576)} MiB are free on the disk of ${dir}`);
}

export function filesIn(dir: string): Files {
  const made = new Set<string>();

  /** `fill` says whether what it has written is to be kept. */
  async function place(path: string, fill: (handle: FileHandle) => Promise<boolean>): Promise<boolean> {
    const target = join(dir, path);
    const folder = dirname(target);
    if (!made.has(folder)) await mkdir(folder, { recursive: true, mode: 0o700 });
    if (made.size > 10_000) made.clear();
    made.add(folder);
    const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await using handle = await open(temporary, 'wx', 0o600);
      if (!(await fill(handle))) return false;
      await rename(temporary, target);
      return true;
    } finally {
      // After the move there is nothing at that name.
      await rm(temporary, { force: true });
    }
  }

  return {
    dir,
    writeParts: (path, parts, isGood) =>
      place(path, async (handle) => {
        for await (const part of parts) await handle.writeFile(part);
        return isGood();
      }),
    async write(path, bytes) {
      await place(path, async (handle) => {
        await handle.writeFile(bytes);
        await handle.sync();
        return true;
      });
    },
    read: (path) => orAbsent(readFile(join(dir, path))),
    async stat(path) {
      const found = await orAbsent(stat(join(dir, path)));
      return found?.isFile() === true ? { bytes: found.size, at: Math.floor(found.mtimeMs) } : undefined;
    },
    async date(path, at) {
      await utimes(join(dir, path), at / 1_000, at / 1_000);
    },
    async remove(path) {
      await rm(join(dir, path), { force: true });
    },
    list: async (path) => (await orAbsent(readdir(join(dir, path)))) ?? [],
  };
}
