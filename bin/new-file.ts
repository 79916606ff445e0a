/** Files for people, written whole or not at all, and never over another one that is not meant. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type NewFile = { readonly bytes: number; readonly wasThere: boolean } | 'differs';

/** `differs`: another file has that name, and stays as it is, unless it `replaces` one. */
export async function writeNewFile(
  path: string,
  content: Readable,
  { replaces = false }: { readonly replaces?: boolean } = {},
): Promise<NewFile> {
  const part = `${path}.${process.pid}.part`;
  try {
    await pipeline(content, createWriteStream(part, { flags: 'wx', flush: true }));
    const { size } = await stat(part);
    if (replaces) {
      await rename(part, path);
      return { bytes: size, wasThere: false };
    }
    try {
      await link(part, path);
      return { bytes: size, wasThere: false };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const isSame = (await sumOf(part)) === (await sumOf(path));
    return isSame ? { bytes: size, wasThere: true } : 'differs';
  } finally {
    await rm(part, { force: true });
  }
}

async function sumOf(path: string): Promise<string> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path), sum);
  return sum.digest('hex');
}
