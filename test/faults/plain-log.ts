/**
 * A published log read and recomputed the plain way from its folder: no code of the system is used here, so that a
 * mistake in it can't hide in its own check (C2SP tlog-tiles, RFC 6962).
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';

const sha256 = (...parts: Buffer[]): Buffer =>
  parts.reduce((h, part) => h.update(part), createHash('sha256')).digest();
const leafOf = (entry: Buffer): Buffer => sha256(Buffer.of(0), entry);

/** RFC 6962 section 2.1. */
export function plainRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0] as Buffer;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return sha256(Buffer.of(1), plainRoot(leaves.slice(0, split)), plainRoot(leaves.slice(split)));
}

/** The roots at these sizes: the whole subtrees from the left are kept, and folded from the right. */
function plainRoots(leaves: readonly Buffer[], sizes: ReadonlySet<number>): Map<number, Buffer> {
  const roots = new Map<number, Buffer>();
  const whole: { readonly leaves: number; readonly root: Buffer }[] = [];
  for (const [i, leaf] of leaves.entries()) {
    let added = { leaves: 1, root: leaf };
    for (let left = whole.at(-1); left?.leaves === added.leaves; left = whole.at(-1)) {
      added = { leaves: 2 * left.leaves, root: sha256(Buffer.of(1), left.root, added.root) };
      whole.pop();
    }
    whole.push(added);
    if (!sizes.has(i + 1)) continue;
    const root = whole
      .map((each) => each.root)
      .reduceRight((right, left) => sha256(Buffer.of(1), left, right));
    roots.set(i + 1, root);
  }
  return roots;
}

function groups(index: number): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const parts = digits.match(/.{3}/g) ?? [];
  return parts.map((part, i) => (i === parts.length - 1 ? part : `x${part}`)).join('/');
}

const nameOf = (index: number, width: number): string =>
  width === 256 ? groups(index) : `${groups(index)}.p/${width}`;

function entriesOf(bundle: Buffer): Buffer[] {
  const entries: Buffer[] = [];
  for (let at = 0; at < bundle.length;) {
    const length = bundle.readUInt16BE(at);
    entries.push(bundle.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}

export interface PlainLog {
  readonly size: number;
  /** Leaf hashes, base64. */
  readonly leaves: readonly string[];
  /** `SIZE ROOT` of each checkpoint that was ever signed. */
  readonly signed: readonly string[];
}

/**
 * Reads the log of a year and throws where anything does not fit: a bundle, a tile of any level, the published root,
 * or the root of any checkpoint that was signed before.
 */
export function readPlainLog(data: string, year: number): PlainLog {
  const folder = join(data, 'collector', 'blobs', 'log', String(year));
  const checkpointFile = join(folder, 'checkpoint');
  const note = existsSync(checkpointFile) ? readFileSync(checkpointFile, 'utf8') : '';
  const [, sizeText = '0', root = sha256().toString('base64')] = note.split('\n');
  const size = Number(sizeText);
  const leaves: Buffer[] = [];
  for (let index = 0; index * 256 < size; index += 1) {
    const width = Math.min(256, size - index * 256);
    const entries = entriesOf(readFileSync(join(folder, 'tile', 'entries', nameOf(index, width))));
    if (entries.length !== width)
      throw new Error(`bundle ${index} has ${entries.length} entries, not ${width}`);
    leaves.push(...entries.map(leafOf));
  }
  let hashes = leaves;
  for (let level = 0; hashes.length > 0; level += 1) {
    const above: Buffer[] = [];
    for (let index = 0; index * 256 < hashes.length; index += 1) {
      const want = hashes.slice(index * 256, index * 256 + 256);
      const tile = readFileSync(join(folder, 'tile', String(level), nameOf(index, want.length)));
      if (!tile.equals(Buffer.concat(want)))
        throw new Error(`tile ${level}/${index} does not fit its entries`);
      if (want.length === 256) above.push(plainRoot(want));
    }
    hashes = above;
  }
  if (plainRoot(leaves).toString('base64') !== root) throw new Error(`the root at ${size} does not fit`);
  return {
    size,
    leaves: leaves.map((leaf) => leaf.toString('base64')),
    signed: signedIn(data, year, leaves),
  };
}

function signedIn(data: string, year: number, leaves: readonly Buffer[]): string[] {
  const db = new Database(join(data, 'collector', 'store.db'), { readonly: true });
  try {
    if (db.pragma('integrity_check', { simple: true }) !== 'ok') throw new Error('the store is damaged');
    const rows = db
      .prepare<[number], { size: number; root: Buffer }>(
        'SELECT size, root FROM checkpoints WHERE year = ? ORDER BY size',
      )
      .all(year);
    const roots = plainRoots(leaves, new Set(rows.map(({ size }) => size)));
    for (const { size, root } of rows) {
      // A checkpoint that is signed and not yet published may be ahead of the published one.
      if (size > leaves.length) continue;
      if (roots.get(size)?.equals(root) !== true)
        throw new Error(`forked: another tree of ${size} was signed`);
    }
    return rows.map(({ size, root }) => `${size} ${root.toString('base64')}`);
  } finally {
    db.close();
  }
}

/** Years that have a log. */
export function yearsOf(data: string): number[] {
  const folder = join(data, 'collector', 'blobs', 'log');
  return existsSync(folder)
    ? readdirSync(folder)
        .map(Number)
        .sort((a, b) => a - b)
    : [];
}
