import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BlobConflictError } from './blobs.ts';
import { folderBlobs } from './folder.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'highwater-blobs-'));
});
afterEach(() => rmSync(root, { recursive: true }));
const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('blobs in a folder', () => {
  it('gives back what was put, whole and in part, and leaves no temporary file', async () => {
    const blobs = folderBlobs(root);
    await blobs.putIfAbsent('abcd1234', bytes('hello world'));
    expect(Buffer.from((await blobs.get('abcd1234')) ?? []).toString()).toBe('hello world');
    expect(Buffer.from((await blobs.range('abcd1234', 6, 99)) ?? []).toString()).toBe('world');
    expect(readdirSync(join(root, 'ab'))).toEqual(['abcd1234']);
  });

  it('takes the same again, many at once too, and refuses other bytes under the name', async () => {
    const blobs = folderBlobs(root);
    await Promise.all(Array.from({ length: 8 }, () => blobs.putIfAbsent('abcd1234', bytes('x'))));
    await expect(blobs.putIfAbsent('abcd1234', bytes('y'))).rejects.toThrow(BlobConflictError);
    expect(Buffer.from((await folderBlobs(root).get('abcd1234')) ?? []).toString()).toBe('x');
  });

  it('says undefined for what is not there', async () => {
    expect(await folderBlobs(root).get('abcd9999')).toBeUndefined();
    expect(await folderBlobs(root).range('abcd9999', 0, 1)).toBeUndefined();
  });

  it.each(['../escape', 'a/b', '', 'ABCD', '.hidden'])('refuses the name %j', async (name) => {
    await expect(folderBlobs(root).putIfAbsent(name, bytes('x'))).rejects.toThrow(/not a blob name/);
  });
});
