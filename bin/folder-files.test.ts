import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { archiveFiles } from '@highwater/config/bundle/archive.ts';
import { names } from '@highwater/config/bundle/files.ts';
import { folderFiles } from './folder-files.ts';
import { inflated } from './inflated.ts';

const dir = mkdtempSync(join(tmpdir(), 'highwater-folder-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('gives the files of a folder, and what is no file is told', async () => {
  mkdirSync(join(dir, 'logs/2026'), { recursive: true });
  writeFileSync(join(dir, names.range), 'a range');
  writeFileSync(join(dir, names.end(2026)), '');
  symlinkSync('/etc/hostname', join(dir, names.keys));
  mkdirSync(join(dir, names.policy));
  execFileSync('mkfifo', [join(dir, names.report)]);
  writeFileSync(join(dir, 'bodies'), '');
  const files = folderFiles(dir);
  expect(Buffer.from((await files.read(names.range, 7)) ?? []).toString()).toBe('a range');
  expect(await files.read(names.end(2026), 7)).toHaveLength(0);
  expect(await files.read(names.start(2026), 7)).toBeUndefined();
  expect(await files.read(names.bodies(20_000, 'rpc', 0), 7)).toBeUndefined();
  await expect(files.read(names.range, 6)).rejects.toMatchObject({
    file: names.range,
    message: 'it has 7 bytes, and may have 6',
  });
  await expect(files.read(names.keys, 7)).rejects.toThrow('it is a link, not a file');
  await expect(files.read(names.policy, 7)).rejects.toThrow('it is not a file');
  await expect(files.read(names.report, 7)).rejects.toThrow('it is not a file');
  await expect(files.read('../range', 7)).rejects.toThrow('this is no file of a bundle');
});

it('an archive is inflated where it is packed, whatever it is called', async () => {
  const folder = mkdtempSync(join(dir, 'report-'));
  writeFileSync(join(folder, names.range), 'a range');
  const tar = execFileSync('tar', ['-c', names.range], { cwd: folder });
  for (const [bytes, piece] of [
    [tar, 1],
    [tar, 100_000],
    [gzipSync(tar), 1],
    [gzipSync(tar), 100_000],
  ] as const) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
      bytes.subarray(i * piece, (i + 1) * piece),
    );
    const files = archiveFiles(await inflated(Readable.from(pieces, { objectMode: false })));
    expect(Buffer.from((await files.read(names.range, 7)) ?? []).toString()).toBe('a range');
    await files.finish();
  }
});

it.each([
  ['nothing', Buffer.alloc(0), 'the archive ends too early; fetch it again'],
  [
    'half of it',
    gzipSync(Buffer.alloc(10_000)).subarray(0, -6),
    'the archive can not be read (unexpected end of file)',
  ],
  [
    'another sum',
    Buffer.concat([gzipSync(Buffer.alloc(10_000)).subarray(0, -8), Buffer.alloc(8, 1)]),
    'the archive can not be read (incorrect data check)',
  ],
  ['a text', Buffer.from('hello\n'.repeat(200)), 'the archive can not be read (Invalid tar'],
])('%s is no archive', async (_, bytes, says) => {
  const files = archiveFiles(await inflated(Readable.from([bytes], { objectMode: false })));
  await expect(files.finish()).rejects.toThrow(says);
});
