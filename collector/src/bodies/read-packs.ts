/**
 * What of reading packs takes milliseconds: directories, and segments regenerated. Here, or in a thread of its own
 * (reading-thread.ts). Whoever folds the log over many services comes back to each segment again and again, once for each
 * batch: so segments stay in memory, compressed, long after their texts have made room for others.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import {
  type Directory,
  directoryEnd,
  HEAD_BYTES,
  readDirectory,
  readPackSegment,
} from '@highwater/config/proof/packed/pack.ts';
import { zstd } from '../packing/zstd.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { Cache } from './cache.ts';
import { type BodyName, type PackedPlace, type PackNames, packNames } from './pack-names.ts';

export interface PackReader {
  /** Bodies of a name: none of a blob that is not there, merged or dropped in this moment. Rejects with PackError. */
  find(blob: string, name: BodyName): Promise<readonly PackedPlace[]>;
  /** All texts of a segment by their place; undefined for a blob that is not there. Rejects with PackError. */
  segment(blob: string, segment: number): Promise<readonly string[] | undefined>;
}

/** Bodies that directories in memory name: a day of a thousand services and five probes. */
const MAX_NAMES = 8_388_608;
/** Segments in memory, compressed, bytes: a thousand of 4,096 lines. */
const COMPRESSED_BYTES = 134_217_728;
/** Fast, and a quarter of the texts. */
const params = { [constants.ZSTD_c_compressionLevel]: 1 };

interface Named {
  readonly directory: Directory;
  readonly names: PackNames;
}

interface Compressed {
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array;
  readonly rawBytes: number;
}

async function openDirectory(blobs: Blobs, blob: string): Promise<Named | undefined> {
  const head = await blobs.range(blob, 0, HEAD_BYTES);
  if (head === undefined) return undefined;
  const start = await blobs.range(blob, 0, directoryEnd(head));
  if (start === undefined) return undefined;
  const directory = readDirectory(start, zstd);
  // The names have all that is asked of its bodies.
  return { directory: { ...directory, bodies: [] }, names: packNames(directory.bodies) };
}

/** Texts are ASCII: each line was parsed before it was packed. */
function compress(texts: readonly string[]): Compressed {
  const raw = Buffer.from(texts.join(''), 'latin1');
  return {
    lengths: texts.map(({ length }) => length),
    bytes: zstdCompressSync(raw, { params }),
    rawBytes: raw.length,
  };
}

function decompress({ lengths, bytes, rawBytes }: Compressed): string[] {
  const raw = zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, rawBytes) });
  let at = 0;
  return lengths.map((length) => raw.toString('latin1', at, (at += length)));
}

export function readPacks(blobs: Blobs): PackReader {
  const directories = new Cache<Named | undefined>(MAX_NAMES);
  const segments = new Cache<Compressed | undefined>(COMPRESSED_BYTES);
  const directoryOf = (blob: string) =>
    directories.get(
      blob,
      () => openDirectory(blobs, blob),
      (named) => 1 + (named?.names.size ?? 0),
    );
  return {
    find: async (blob, name) => (await directoryOf(blob))?.names.find(name) ?? [],
    async segment(blob, segment) {
      let made: readonly string[] | undefined;
      const kept = await segments.get(
        `${blob} ${segment}`,
        async () => {
          const directory = (await directoryOf(blob))?.directory;
          const { start = 0, end = 0 } = directory?.segments[segment] ?? {};
          const bytes = directory === undefined ? undefined : await blobs.range(blob, start, end);
          if (directory === undefined || bytes === undefined) return undefined;
          made = readPackSegment(directory, segment, bytes, zstd);
          return compress(made);
        },
        (compressed) => compressed?.bytes.length ?? 0,
      );
      return made ?? (kept && decompress(kept));
    },
  };
}
