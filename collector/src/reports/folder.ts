/** The folder of reports: `MONTH.REVISION.tar.gz` and its index; `.part` while one is made; drafts as `draft.MONTH…`. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { isCode, syncFolder, writeDurably } from '../store/blobs/durable.ts';
import {
  type ArchivePiece,
  type ArchiveState,
  archiveState,
  GZIP_HEADER,
  gzipEnd,
} from './archive-writer.ts';

/** Parts that a reader is given, bytes. */
const PART_BYTES = 262_144;

export const reportsFolder = (dataDir: string): string => join(dataDir, 'collector', 'reports');
export const reportName = (month: string, revision: number): string => `${month}.${revision}`;
export const draftName = (month: string): string => `draft.${month}`;

export const archivePath = (folder: string, name: string): string => join(folder, `${name}.tar.gz`);
export const partPath = (folder: string, name: string): string => join(folder, `${name}.tar.gz.part`);
const indexPath = (archive: string): string => `${archive}.index.json`;

export async function makeReportsFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** @param archive path of it, or of its part */
export async function writeIndex(archive: string, state: ArchiveState): Promise<void> {
  await writeDurably(indexPath(archive), Buffer.from(JSON.stringify(state)));
}

/** Undefined where there is none. */
export async function readIndex(archive: string): Promise<ArchiveState | undefined> {
  try {
    return archiveState.parse(JSON.parse(await readFile(indexPath(archive), 'utf8')));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** A part that is finished takes its name. Repeatable. */
export async function publishPart(folder: string, name: string, state: ArchiveState): Promise<void> {
  await writeIndex(archivePath(folder, name), state);
  await rename(partPath(folder, name), archivePath(folder, name));
  await rm(indexPath(partPath(folder, name)), { force: true });
  await syncFolder(folder);
}

/** Bytes of a file; undefined when there is none. */
export async function bytesOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** All of it, and of what was begun. */
export async function removeReport(folder: string, name: string): Promise<void> {
  for (const path of [archivePath(folder, name), partPath(folder, name)]) {
    await rm(path, { force: true });
    await rm(indexPath(path), { force: true });
  }
}

/** Names of all whose archive is whole. */
export async function reportsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  });
  return names.flatMap((name) => /^(.+)\.tar\.gz$/.exec(name)?.[1] ?? []).sort();
}

/** Bytes [from, to) of a file, as they are taken. Rejects where it has fewer. */
export async function* bytesBetween(path: string, from: number, to: number): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    for (let at = from; at < to;) {
      const buffer = Buffer.alloc(Math.min(PART_BYTES, to - at));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) throw new Error(`${path} has become shorter`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** One file as gzip, out of the archive as it is. */
export async function* gzipOf(archive: string, piece: ArchivePiece): AsyncGenerator<Uint8Array> {
  yield GZIP_HEADER;
  yield* bytesBetween(archive, piece.offset, piece.offset + piece.length);
  yield gzipEnd(piece.crc32, piece.bytes);
}

export const gzipBytes = ({ length }: ArchivePiece): number =>
  GZIP_HEADER.length + length + gzipEnd(0, 0).length;

/** One file, whole. Throws for one that is damaged. */
export async function fileOf(archive: string, piece: ArchivePiece): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of gzipOf(archive, piece)) parts.push(part);
  return gunzipSync(Buffer.concat(parts), { maxOutputLength: Math.max(1, piece.bytes) });
}
