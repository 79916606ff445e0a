/**
 * The second path to a root, which shares nothing with the first but the hash: the entries as they are read back from the
 * blobs, folded one by one into a stack of complete subtrees (a compact range), as the tiles never are. Each node that a
 * tile holds is held against that tile as it is read back; at the old size the stack must give the root that was signed,
 * so what was signed and what is to be signed are one history.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { emptyRoot, leafHash, nodeHash } from '@highwater/config/proof/leaf-hash.ts';
import {
  bundlePath,
  decodeBundle,
  HASH_BYTES,
  hashesAt,
  TILE_WIDTH,
  tileHash,
  tilePath,
} from '@highwater/config/proof/tiles.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { readTile } from './files.ts';
import { Refusal, RESTORE } from './refusal.ts';

interface Subtree {
  /** It holds 2^height entries. */
  readonly height: number;
  readonly hash: Uint8Array;
}

const REPAIR =
  'look for what wrote there, and for a failing disk; move the file away, and the log makes it anew from the store';

export const broken = (year: number, path: string, what: string): Refusal =>
  new Refusal(`log/${year}/${path} ${what}`, REPAIR);

export interface SecondPath {
  readonly blobs: Blobs;
  readonly year: number;
  readonly oldSize: number;
  /** Base64, as it was signed; undefined while nothing is. */
  readonly oldRoot: string | undefined;
  readonly newSize: number;
}

/** Tiles as a tree of `newSize` has them, each read once. */
function tileReader({ blobs, year, newSize }: SecondPath) {
  const read = new Map<string, Promise<{ path: string; bytes: Uint8Array }>>();
  return (level: number, index: number): Promise<{ path: string; bytes: Uint8Array }> => {
    const width = Math.min(TILE_WIDTH, hashesAt(level, newSize) - index * TILE_WIDTH);
    const path = tilePath({ level, index, width });
    const known = read.get(path);
    if (known !== undefined) return known;
    const reading = readTile(blobs, year, path).then((bytes) => {
      if (bytes === undefined) throw broken(year, path, 'is not there');
      if (bytes.length !== width * HASH_BYTES) throw broken(year, path, `does not hold ${width} hashes`);
      return { path, bytes };
    });
    read.set(path, reading);
    return reading;
  };
}

const at = (tile: Uint8Array, index: number): Uint8Array => {
  const from = (index % TILE_WIDTH) * HASH_BYTES;
  return tile.subarray(from, from + HASH_BYTES);
};

/** Folds what is complete together; `each` gets every subtree that comes to be, with its height. */
function push(stack: Subtree[], next: Subtree, each: (made: Subtree) => void): void {
  let made = next;
  each(made);
  for (let top = stack.at(-1); top?.height === made.height; top = stack.at(-1)) {
    stack.pop();
    made = { height: made.height + 1, hash: nodeHash(top.hash, made.hash, sha256) };
    each(made);
  }
  stack.push(made);
}

const rootOf = (stack: readonly Subtree[]): string => {
  const hashes = stack.map(({ hash }) => hash);
  const root =
    hashes.length === 0
      ? emptyRoot(sha256)
      : hashes.reduceRight((right, left) => nodeHash(left, right, sha256));
  return encodeBase64(root);
};

/** The complete subtrees of the whole bundles before the old size, from the tiles above them. */
async function beginning(parts: SecondPath, tile: ReturnType<typeof tileReader>): Promise<Subtree[]> {
  const size = parts.oldSize - (parts.oldSize % TILE_WIDTH);
  const stack: Subtree[] = [];
  let highest = 0;
  while (hashesAt(highest + 1, size) > 0) highest += 1;
  for (let level = highest; level > 0; level -= 1) {
    const count = hashesAt(level, size);
    for (let index = count - (count % TILE_WIDTH); index < count; index += 1) {
      const { bytes } = await tile(level, Math.floor(index / TILE_WIDTH));
      push(stack, { height: 8 * level, hash: at(bytes, index) }, () => undefined);
    }
  }
  return stack;
}

/** The root of `newSize`, base64. Rejects with Refusal, naming the file, when what is in the blobs is not one tree. */
export async function secondRoot(parts: SecondPath): Promise<string> {
  const { blobs, year, oldSize, newSize } = parts;
  const tile = tileReader(parts);
  const stack = await beginning(parts, tile);
  let isOld = true;
  for (let from = oldSize - (oldSize % TILE_WIDTH); from < newSize; from += TILE_WIDTH) {
    const width = Math.min(TILE_WIDTH, newSize - from);
    const path = bundlePath(from / TILE_WIDTH, width);
    const bytes = await readTile(blobs, year, path);
    const entries = bytes === undefined ? { error: 'is not there' } : decodeBundle(bytes);
    if ('error' in entries) throw broken(year, path, `can not be read back: ${entries.error}`);
    if (entries.length !== width) throw broken(year, path, `holds ${entries.length} entries, not ${width}`);
    const made: { level: number; index: number; hash: Uint8Array }[] = [];
    for (const [i, entry] of entries.entries()) {
      if (from + i === oldSize && parts.oldRoot !== undefined) isOld = rootOf(stack) === parts.oldRoot;
      push(stack, { height: 0, hash: leafHash(entry, sha256) }, ({ height, hash }) => {
        if (height % 8 === 0)
          made.push({ level: height / 8, index: Math.floor((from + i) / 2 ** height), hash });
      });
    }
    for (const { level, index, hash } of made) {
      const { path: where, bytes: held } = await tile(level, Math.floor(index / TILE_WIDTH));
      if (Buffer.compare(at(held, index), hash) !== 0)
        throw broken(year, where, `is not of the entries in log/${year}/${path}, or those below it`);
    }
    if (!isOld) throw await oldDiffers(parts);
  }
  return rootOf(stack);
}

/**
 * The tree at the old size is not the one that was signed: one of the tiles of the right edge, or an entry in the store.
 * Each hash of the edge is held against the tile below it, to name the one that differs.
 */
export async function oldDiffers({
  blobs,
  year,
  oldSize,
}: Pick<SecondPath, 'blobs' | 'year' | 'oldSize'>): Promise<Refusal> {
  for (let level = 1; hashesAt(level, oldSize) > 0; level += 1) {
    const count = hashesAt(level, oldSize);
    const width = count % TILE_WIDTH;
    if (width === 0) continue;
    const index = Math.floor(count / TILE_WIDTH);
    const path = tilePath({ level, index, width });
    const held = await readTile(blobs, year, path);
    for (let i = 0; held !== undefined && i < width; i += 1) {
      const below = tilePath({ level: level - 1, index: index * TILE_WIDTH + i, width: TILE_WIDTH });
      const bytes = await readTile(blobs, year, below);
      if (bytes?.length !== TILE_WIDTH * HASH_BYTES) return broken(year, below, 'is not there, or not whole');
      if (Buffer.compare(at(held, i), tileHash(bytes, sha256)) !== 0) {
        return broken(year, path, `or log/${year}/${below} was changed: one is not of the other`);
      }
    }
  }
  return new Refusal(
    `what this store holds of log/${year} up to ${oldSize} entries is not what it signed`,
    RESTORE,
  );
}
