/**
 * What lets one file of an archive be had without what lies before it: a field of the gzip header (RFC 1952, 2.3.1.1) says where
 * the last file of the tar lies, `index`, and that says where all others do. It is no evidence: what is found by it is
 * checked like anything else, and who reads the archive as a stream passes over it.
 */
import { parseDecimal } from '../proof/bytes.ts';
import { names } from './files.ts';
import { type BundlePlace, comparePlaces, placeOfName } from './order.ts';

/** Where a file's data lies in the archive, as a piece of deflate that needs nothing before it, and what it is. */
export interface IndexedPiece {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly bytes: number;
  readonly crc32: number;
}

export type PiecePlace = Pick<IndexedPiece, 'offset' | 'length'>;

/**
 * Deflate with a field and nothing else: no name, no time, so that the same files give the same bytes. The field is HW, of two
 * numbers of 8 bytes, the least significant first like all of gzip's.
 */
const HEAD = [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 20, 0, 0x48, 0x57, 16, 0] as const;
export const ARCHIVE_HEADER_BYTES = HEAD.length + 16;
const MAX_CRC32 = 2 ** 32 - 1;

/** @param index where it lies; zeros when left out: nobody knows yet. Always as long. */
export function archiveHeader({ offset, length }: PiecePlace = { offset: 0, length: 0 }): Uint8Array {
  const header = new Uint8Array(ARCHIVE_HEADER_BYTES);
  header.set(HEAD);
  const view = new DataView(header.buffer);
  view.setBigUint64(HEAD.length, BigInt(offset), true);
  view.setBigUint64(HEAD.length + 8, BigInt(length), true);
  return header;
}

/** Undefined where the header is not one of ours, or what it says lies in no archive of that size. */
export function indexPlace(header: Uint8Array, archiveBytes: number): PiecePlace | undefined {
  if (header.length < ARCHIVE_HEADER_BYTES || HEAD.some((byte, i) => header[i] !== byte)) return undefined;
  const view = new DataView(header.buffer, header.byteOffset);
  // Imprecise above 2^53, and far outside then.
  const offset = Number(view.getBigUint64(HEAD.length, true));
  const length = Number(view.getBigUint64(HEAD.length + 8, true));
  const isInside = offset >= ARCHIVE_HEADER_BYTES && length > 0 && offset + length <= archiveBytes;
  return isInside ? { offset, length } : undefined;
}

/** `NAME OFFSET LENGTH BYTES CRC32`, a line each, as they lie in the archive. */
export function formatArchiveIndex(pieces: readonly IndexedPiece[]): string {
  return pieces
    .map(({ name, offset, length, bytes, crc32 }) => `${name} ${offset} ${length} ${bytes} ${crc32}\n`)
    .join('');
}

/**
 * By name. Undefined for what no bundle's index says: another order than that of files.ts, pieces that overlap, or lie
 * behind `end`, or are larger than any deflate makes them.
 */
export function parseArchiveIndex(text: string, end: number): ReadonlyMap<string, IndexedPiece> | undefined {
  if (!text.startsWith(`${names.range} `) || !text.endsWith('\n')) return undefined;
  const pieces = new Map<string, IndexedPiece>();
  let free = ARCHIVE_HEADER_BYTES;
  let last: BundlePlace | undefined;
  for (const line of text.slice(0, -1).split('\n')) {
    const [name = '', ...words] = line.split(' ');
    const place = placeOfName(name);
    if (place === undefined || words.length !== 4) return undefined;
    if (last !== undefined && comparePlaces(last, place) >= 0) return undefined;
    const [offset, length, bytes, crc32] = words.map((word) => parseDecimal(word));
    if (offset === undefined || length === undefined || bytes === undefined || crc32 === undefined)
      return undefined;
    if (offset < free || offset + length > end || crc32 > MAX_CRC32) return undefined;
    if (length > maxPacked(bytes)) return undefined;
    pieces.set(name, { name, offset, length, bytes, crc32 });
    free = offset + length;
    last = place;
  }
  return pieces;
}

/** What can't be made smaller grows by a few bytes for each block of it. */
function maxPacked(bytes: number): number {
  return 2 * bytes + 64;
}
