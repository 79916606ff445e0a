import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderBlobs } from './folder.ts';

// What every blob store does is in test/contracts/blobs.ts; here is what only a folder has.

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'highwater-blobs-'));
});
afterEach(() => rmSync(root, { recursive: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);

it('spreads names without a slash over folders, and leaves no temporary file', async () => {
  const blobs = folderBlobs(root);
  await blobs.putIfAbsent('abcd1234', bytes('x'));
  await blobs.putIfAbsent('log/2026/tile/0/000.p/1', bytes('x'));
  await blobs.replace('log/2026/checkpoint', bytes('x'));
  await blobs.replace('log/2026/checkpoint', bytes('y'));
  expect((readdirSync(root, { recursive: true }) as string[]).sort()).toEqual([
    'ab', 'ab/abcd1234', 'log', 'log/2026', 'log/2026/checkpoint', 'log/2026/tile', 'log/2026/tile/0',
    'log/2026/tile/0/000.p', 'log/2026/tile/0/000.p/1',
  ]); // prettier-ignore
});

it('takes what a crash left of a temporary file for no blob', async () => {
  const blobs = folderBlobs(root);
  await blobs.putIfAbsent('log/2026/tile/0/000', bytes('x'));
  await expect(blobs.get('log/2026/tile/0/.000.0123456789ab.tmp')).rejects.toThrow(/not a blob name/);
});

it('makes a folder again that was removed meanwhile, and one that failed', async () => {
  const blobs = folderBlobs(root);
  await blobs.putIfAbsent('log/2026/tile/0/000.p/1', bytes('x'));
  await blobs.removeUnder('log/2026/tile/0/000.p');
  await blobs.putIfAbsent('log/2026/tile/0/000.p/2', bytes('y'));
  expect(Buffer.from((await blobs.get('log/2026/tile/0/000.p/2')) ?? []).toString()).toBe('y');
  // As root nothing is forbidden by modes, so a file stands in the way instead.
  await blobs.putIfAbsent('log/2027', bytes('in the way'));
  await expect(blobs.putIfAbsent('log/2027/checkpoint', bytes('x'))).rejects.toThrow();
  await blobs.remove('log/2027');
  await blobs.putIfAbsent('log/2027/checkpoint', bytes('x'));
  expect(await blobs.get('log/2027/checkpoint')).toBeDefined();
});
