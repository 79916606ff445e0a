/** Compression of packs by Node's own zstd. */
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Compression } from '@highwater/config/proof/packed/pack.ts';

export const zstd: Compression = {
  compress: (bytes) => zstdCompressSync(bytes),
  decompress: (bytes, length) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }),
};
