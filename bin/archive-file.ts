/** A local archive with an index (config's bundle/archive-index.ts): each file is read where it lies, and no other. */
import { type FileHandle, open } from 'node:fs/promises';
import { constants, crc32, inflateRawSync } from 'node:zlib';
import {
  ARCHIVE_HEADER_BYTES,
  type IndexedPiece,
  indexPlace,
  parseArchiveIndex,
} from '@highwater/config/bundle/archive-index.ts';
import { BundleError, type BundleFiles, MAX_TEXT_BYTES } from '@highwater/config/bundle/files.ts';
import { placeOfName } from '@highwater/config/bundle/order.ts';

/** More than what is expected, so that nothing is made room for twice. */
const ROOM_BYTES = 64;

export interface ArchiveFile extends BundleFiles {
  close(): Promise<void>;
}

/**
 * Files may be asked for in any order, and again. Nothing says that a stream of the archive gives the same: whoever wants to know that of
 * all of it reads the stream.
 *
 * @returns undefined where there is no index that can be gone by
 */
export async function openArchiveFile(path: string): Promise<ArchiveFile | undefined> {
  const handle = await open(path);
  const pieces = await indexOf(handle).catch(() => undefined);
  if (pieces === undefined) {
    await handle.close();
    return undefined;
  }
  return {
    async read(name, maxBytes) {
      if (placeOfName(name) === undefined) throw new BundleError(name, 'this is no file of a bundle');
      const piece = pieces.get(name);
      if (piece === undefined) return undefined;
      const { bytes } = piece;
      if (bytes > maxBytes) throw new BundleError(name, `it has ${bytes} bytes, and may have ${maxBytes}`);
      return fileOf(handle, piece);
    },
    close: () => handle.close(),
  };
}

async function indexOf(handle: FileHandle): Promise<ReadonlyMap<string, IndexedPiece> | undefined> {
  const { size } = await handle.stat();
  const place = indexPlace(await bytesAt(handle, 0, Math.min(size, ARCHIVE_HEADER_BYTES)), size);
  if (place === undefined || place.length > MAX_TEXT_BYTES) return undefined;
  const packed = await bytesAt(handle, place.offset, place.length);
  const text = inflateRawSync(packed, {
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: MAX_TEXT_BYTES,
  });
  return parseArchiveIndex(text.toString('latin1'), place.offset);
}

async function fileOf(handle: FileHandle, piece: IndexedPiece): Promise<Uint8Array> {
  const { name, offset, length, bytes } = piece;
  const says =
    "it is not what the archive's index says; fetch the archive again, or unpack it and verify the folder";
  let file: Uint8Array;
  try {
    file = inflated(await bytesAt(handle, offset, length), bytes);
  } catch (error) {
    throw new BundleError(name, says, { cause: error });
  }
  if (file.length !== bytes || crc32(file) !== piece.crc32) throw new BundleError(name, says);
  return file;
}

/** Throws for what is no deflate, or has over `bytes`. */
function inflated(packed: Uint8Array, bytes: number): Uint8Array {
  if (bytes === 0 && packed.length === 0) return packed;
  return inflateRawSync(packed, {
    // The piece ends where a block does, and the stream goes on behind it.
    finishFlush: constants.Z_SYNC_FLUSH,
    maxOutputLength: Math.max(1, bytes),
    chunkSize: bytes + ROOM_BYTES,
  });
}

async function bytesAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  for (let at = 0; at < length;) {
    const { bytesRead } = await handle.read(buffer, at, length - at, offset + at);
    if (bytesRead === 0) throw new Error('the archive ends before');
    at += bytesRead;
  }
  return buffer;
}
