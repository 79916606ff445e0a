/** A bundle that was unpacked into a folder. What else lies there is not looked at. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { BundleError, type BundleFiles } from '@highwater/config/bundle/files.ts';
import { placeOfName } from '@highwater/config/bundle/order.ts';

/** A link is not followed, a pipe not waited for. */
const HOW = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const codesOfNothing: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR']);

/** @param folder the one that `range` lies in */
export function folderFiles(folder: string): BundleFiles {
  return {
    async read(name, maxBytes) {
      if (placeOfName(name) === undefined) throw new BundleError(name, 'this is no file of a bundle');
      try {
        return await readFile(join(folder, name), name, maxBytes);
      } catch (error) {
        if (error instanceof BundleError) throw error;
        const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
        if (codesOfNothing.has(code)) return undefined;
        if (code === 'ELOOP') throw new BundleError(name, 'it is a link, not a file', { cause: error });
        const why = code ?? (error instanceof Error ? error.message : String(error));
        throw new BundleError(name, `it can not be read (${why})`, { cause: error });
      }
    },
  };
}

async function readFile(path: string, name: string, maxBytes: number): Promise<Uint8Array> {
  await using handle = await open(path, HOW);
  const stat = await handle.stat();
  if (!stat.isFile()) throw new BundleError(name, 'it is not a file');
  if (stat.size > maxBytes)
    throw new BundleError(name, `it has ${stat.size} bytes, and may have ${maxBytes}`);
  const bytes = new Uint8Array(stat.size);
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, at);
    if (bytesRead === 0) throw new BundleError(name, 'it became shorter while it was read');
    at += bytesRead;
  }
  return bytes;
}
