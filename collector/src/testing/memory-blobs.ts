import { BlobConflictError, type Blobs } from '../store/blobs/blobs.ts';

/** Blobs in memory, as quick as a test of thousands of them needs; the names are not looked at. */
export function memoryBlobs(held: Map<string, Uint8Array> = new Map<string, Uint8Array>()): Blobs {
  return {
    async putIfAbsent(name, bytes) {
      const have = held.get(name);
      if (have !== undefined && Buffer.compare(have, bytes) !== 0) throw new BlobConflictError(name);
      held.set(name, Uint8Array.from(bytes));
    },
    async replace(name, bytes) {
      held.set(name, Uint8Array.from(bytes));
    },
    get: async (name) => held.get(name)?.slice(),
    range: async (name, start, end) => held.get(name)?.slice(start, end),
    async remove(name) {
      held.delete(name);
    },
    async removeUnder(name) {
      for (const each of [...held.keys()].filter((key) => key.startsWith(`${name}/`))) held.delete(each);
    },
  };
}
