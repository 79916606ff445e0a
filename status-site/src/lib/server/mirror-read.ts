/** Reading the mirror for who asks: what the checkpoint covers, cut where a narrower one is asked for, and never what is damaged. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import {
  encodeBundle,
  HASH_BYTES,
  parseTilePath,
  tilePath,
  bundlePath,
} from '@highwater/config/proof/tiles.ts';
import { bodyPath } from './mirror-bodies.ts';
import type { MirrorYear } from './mirror.ts';
import { entriesUnder, tileAt } from './mirror-tree.ts';

async function tileBytes(
  year: MirrorYear,
  level: number,
  index: number,
  size: number,
): Promise<Uint8Array | undefined> {
  const whole = tileAt(level, index, size);
  const bytes = await year.files.read(tilePath(whole));
  return bytes?.length === whole.width * HASH_BYTES ? bytes : undefined;
}

/** A copy (a Buffer's slice is none), so that who keeps a narrow tile does not keep the wide one. */
function cut(bytes: Uint8Array | undefined, length: number): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes.subarray(0, length));
}

async function bundleBytes(
  year: MirrorYear,
  index: number,
  width: number,
  size: number,
): Promise<Uint8Array | undefined> {
  const whole = tileAt(0, index, size);
  const [bytes, hashes] = await Promise.all([
    year.files.read(bundlePath(index, whole.width)),
    tileBytes(year, 0, index, size),
  ]);
  if (bytes === undefined || hashes === undefined) return undefined;
  const entries = entriesUnder(bytes, hashes, whole.width);
  if (entries === undefined || width === whole.width) return entries && bytes;
  return encodeBundle(entries.slice(0, width));
}

/** Whether the held checkpoint covers a tile or bundle (`tile/0/x001/067.p/8`); nothing is read. */
export function coversTile(year: MirrorYear, path: string): boolean {
  const asked = parseTilePath(path);
  if (asked === undefined) return false;
  const { level, index, width } =
    asked.kind === 'hashes' ? asked.tile : { level: 0, index: asked.index, width: asked.width };
  return tileAt(level, index, year.held()?.size ?? 0).width >= width;
}

/** A tile or bundle by its path (`tile/0/x001/067.p/8`); undefined for what the held checkpoint does not cover. */
export async function readTile(year: MirrorYear, path: string): Promise<Uint8Array | undefined> {
  const asked = parseTilePath(path);
  if (asked === undefined) return undefined;
  const { level, index, width } =
    asked.kind === 'hashes' ? asked.tile : { level: 0, index: asked.index, width: asked.width };
  // Twice: when the log grows in this moment, the partial one that was looked for has gone.
  for (let times = 0; times < 2; times += 1) {
    const size = year.held()?.size ?? 0;
    if (tileAt(level, index, size).width < width) return undefined;
    const bytes =
      asked.kind === 'hashes'
        ? cut(await tileBytes(year, level, index, size), width * HASH_BYTES)
        : await bundleBytes(year, index, width, size);
    if (bytes !== undefined) return bytes;
  }
  return undefined;
}

/** How long a body is that is here, unchecked; undefined when it is not. */
export async function bodyBytes(year: MirrorYear, hex: string): Promise<number | undefined> {
  return (await year.files.stat(bodyPath(hex)))?.bytes;
}

/** Where a body lies and how long it is, after its hash was checked. `damaged`: it was there, with other bytes, and is gone. */
export async function findBody(
  year: MirrorYear,
  hex: string,
): Promise<{ file: string; bytes: number } | 'damaged' | undefined> {
  if (!/^[0-9a-f]{64}$/.test(hex)) return undefined;
  const path = bodyPath(hex);
  const kept = await year.files.stat(path);
  if (kept === undefined) return undefined;
  const file = join(year.files.dir, path);
  const found = await sha256Of(file);
  if (found === hex) return { file, bytes: kept.bytes };
  // It was let go in this moment, for there is no room.
  if (found === undefined) return undefined;
  await year.files.remove(path);
  return 'damaged';
}

/** In hex; undefined when there is no such file. */
async function sha256Of(file: string): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(file) as AsyncIterable<Buffer>) hash.update(part);
    return hash.digest('hex');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
