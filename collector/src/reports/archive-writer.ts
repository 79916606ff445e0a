/**
 * The archive of a report (.tar.gz): one ordinary gzip stream, whose pieces each begin anew, so that the data of each file is
 * a piece of its own. A piece with a header before it and an empty last block behind it is a gzip file: so one file of the
 * bundle is served without unpacking anything. The index of the pieces is kept beside the archive, and lies in it as its last file,
 * for whoever has the archive alone (config's bundle/archive-index.ts).
 *
 * What is written can be gone on with after the process was killed: `state` says how far it is durable.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { archiveHeader, formatArchiveIndex } from '@highwater/config/bundle/archive-index.ts';
import { names } from '@highwater/config/bundle/files.ts';
import { packTar } from 'modern-tar';
import { z } from 'zod';

const deflate = promisify(deflateRaw);

/** Of one file alone. No name, no time: the same files give the same bytes. */
export const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const LAST_BLOCK = Buffer.from([3, 0]);
const TAR_BLOCK = 512;
/** Two empty blocks end a tar. */
const TAR_END = Buffer.alloc(2 * TAR_BLOCK);
const GIB_4 = 2 ** 32;
const TAR_LEVEL = 9;
/** Notes are mostly signatures and hashes: more work on them gives nothing. */
const ENTRIES_LEVEL = 1;
const BODIES_LEVEL = 6;

/** Where a file's compressed data lies in the archive, and what it is. */
export const archivePiece = z.strictObject({
  name: z.string(),
  offset: z.int().min(0),
  length: z.int().min(0),
  bytes: z.int().min(0),
  crc32: z.int().min(0),
});
export type ArchivePiece = z.infer<typeof archivePiece>;

export const archiveState = z.strictObject({
  /** Of the archive so far, and of the tar in it. */
  length: z.int().min(0),
  bytes: z.int().min(0),
  crc32: z.int().min(0),
  pieces: z.array(archivePiece),
});
export type ArchiveState = z.infer<typeof archiveState>;

export interface ArchiveWriter {
  add(name: string, data: Uint8Array): Promise<void>;
  /** Makes durable what was added; it can be gone on with from there. */
  pause(): Promise<ArchiveState>;
  /** Ends and closes it; durable. */
  finish(): Promise<ArchiveState>;
  /** Closes it as it is. */
  close(): Promise<void>;
}

export interface ArchiveOptions {
  /** The folder that everything lies in. */
  readonly folder: string;
  /** Time of the files, Unix ms. */
  readonly at: number;
  /** Goes on from there; what lies behind it is cut off. */
  readonly state?: ArchiveState;
}

export async function openArchiveWriter(
  path: string,
  { folder, at, state }: ArchiveOptions,
): Promise<ArchiveWriter> {
  const handle = await open(path, state === undefined ? 'w' : 'r+', 0o600);
  const pieces = [...(state?.pieces ?? [])];
  let [length, bytes, crc] = [state?.length ?? 0, state?.bytes ?? 0, state?.crc32 ?? 0];

  const write = async (data: Uint8Array): Promise<void> => {
    await writeAll(handle, data, length);
    length += data.length;
  };
  /** Returns how many bytes it takes in the archive. */
  const piece = async (data: Uint8Array, level: number): Promise<number> => {
    if (data.length === 0) return 0;
    const packed = await deflate(data, { level, finishFlush: constants.Z_FULL_FLUSH });
    await write(packed);
    bytes += data.length;
    crc = crc32(data, crc);
    return packed.length;
  };

  const file = async (name: string, data: Uint8Array): Promise<ArchivePiece> => {
    const { before, behind } = await tarAround(`${folder}/${name}`, data, at);
    await piece(before, TAR_LEVEL);
    const offset = length;
    const packed = await piece(data, name.startsWith('logs/') ? ENTRIES_LEVEL : BODIES_LEVEL);
    await piece(behind, TAR_LEVEL);
    return { name, offset, length: packed, bytes: data.length, crc32: crc32(data) };
  };

  try {
    if (state === undefined) await write(archiveHeader());
    else {
      if ((await handle.stat()).size < state.length) throw new Error(`${path} has become shorter`);
      await handle.truncate(state.length);
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  const paused = (): ArchiveState => ({ length, bytes, crc32: crc, pieces: [...pieces] });
  return {
    async add(name, data) {
      pieces.push(await file(name, data));
    },
    async pause() {
      await handle.sync();
      return paused();
    },
    async finish() {
      const index = await file(names.index, Buffer.from(formatArchiveIndex(pieces)));
      await piece(TAR_END, TAR_LEVEL);
      await write(gzipEnd(crc, bytes));
      await writeAll(handle, archiveHeader(index), 0);
      await handle.sync();
      await handle.close();
      return paused();
    },
    close: () => handle.close(),
  };
}

/** What ends a gzip file: an empty last block, and what was in it. */
export function gzipEnd(crc: number, bytes: number): Buffer {
  const end = Buffer.alloc(LAST_BLOCK.length + 8);
  LAST_BLOCK.copy(end);
  end.writeUInt32LE(crc, LAST_BLOCK.length);
  end.writeUInt32LE(bytes % GIB_4, LAST_BLOCK.length + 4);
  return end;
}

async function writeAll(handle: FileHandle, data: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < data.length;) {
    const { bytesWritten } = await handle.write(data, at, data.length - at, position + at);
    at += bytesWritten;
  }
}

/** What comes before a file's data in a tar, and behind it. */
async function tarAround(
  name: string,
  data: Uint8Array,
  at: number,
): Promise<{ readonly before: Uint8Array; readonly behind: Uint8Array }> {
  const header = { name, size: data.length, mode: 0o644, mtime: new Date(at), type: 'file' as const };
  const whole = await packTar([{ header, body: data }]);
  const behind = new Uint8Array((TAR_BLOCK - (data.length % TAR_BLOCK)) % TAR_BLOCK);
  const beforeBytes = whole.length - TAR_END.length - behind.length - data.length;
  return { before: whole.slice(0, beforeBytes), behind };
}
