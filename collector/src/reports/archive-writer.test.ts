import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, gunzipSync, inflateRawSync } from 'node:zlib';
import { archiveHeader, indexPlace, parseArchiveIndex } from '@highwater/config/bundle/archive-index.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type ArchivePiece, GZIP_HEADER, gzipEnd, openArchiveWriter } from './archive-writer.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-archive-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = { folder: 'report-2026-10', at: Date.UTC(2026, 10, 3) };
const long = 's'.repeat(63);
const files: readonly (readonly [string, Uint8Array])[] = [
  ['range', Buffer.from('a\n')],
  ['logs/2026/frontier', Buffer.alloc(0)],
  ['logs/2026/entries/000', randomBytes(70_000)],
  [`bodies/2026-10-01/${long}/000`, Buffer.from('rpc/eu/head 1 ok 1 -\n'.repeat(50_000))],
  ['bodies/2026-10-01/web/000', Buffer.alloc(512, 'x')],
  ['report.json', Buffer.from('{}\n')],
];

/** As a program that knows nothing of us unpacks it. */
function unpacked(path: string): Map<string, Uint8Array> {
  execFileSync('gzip', ['-t', path]);
  execFileSync('tar', ['xzf', path, '-C', folder]);
  return new Map(files.map(([name]) => [name, readFileSync(join(folder, options.folder, name))]));
}

function pieceOf(whole: Buffer, { offset, length, bytes, crc32 }: ArchivePiece): Buffer {
  const piece = whole.subarray(offset, offset + length);
  return gunzipSync(Buffer.concat([GZIP_HEADER, piece, gzipEnd(crc32, bytes)]));
}

it('is read by tar and gzip, and each piece of it alone is its file', async () => {
  const path = join(folder, 'a.tar.gz');
  const writer = await openArchiveWriter(path, options);
  for (const [name, data] of files) await writer.add(name, data);
  const { pieces, length } = await writer.finish();
  const out = unpacked(path);
  for (const [name, data] of files) expect(Buffer.compare(out.get(name) ?? Buffer.of(1), data)).toBe(0);
  const whole = readFileSync(path);
  expect(whole.length).toBe(length);
  expect(pieces.map(({ name }) => name)).toEqual(files.map(([name]) => name));
  for (const [i, piece] of pieces.entries()) {
    expect(Buffer.compare(pieceOf(whole, piece), files[i]?.[1] ?? Buffer.of(1))).toBe(0);
  }
  expect(execFileSync('tar', ['tzf', path], { encoding: 'utf8' }).trim().split('\n')).toEqual(
    [...files.map(([name]) => name), 'index'].map((name) => `${options.folder}/${name}`),
  );
});

it('says in its header where its index is, and that where all else', async () => {
  const path = join(folder, 'a.tar.gz');
  const writer = await openArchiveWriter(path, options);
  for (const [name, data] of files) await writer.add(name, data);
  const { pieces } = await writer.finish();
  unpacked(path);
  const index = readFileSync(join(folder, options.folder, 'index'), 'utf8');
  const whole = readFileSync(path);
  const place = indexPlace(whole, whole.length);
  const { offset, length } = place ?? { offset: 0, length: 0 };
  const piece = whole.subarray(offset, offset + length);
  expect(inflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH }).toString()).toBe(index);
  expect([...(parseArchiveIndex(index, offset)?.values() ?? [])]).toEqual(pieces);
});

it('says nothing of the kind before it is whole', async () => {
  const path = join(folder, 'a.tar.gz');
  const writer = await openArchiveWriter(path, options);
  for (const [name, data] of files) await writer.add(name, data);
  await writer.pause();
  await writer.close();
  const part = readFileSync(path);
  expect(indexPlace(part, part.length)).toBeUndefined();
  expect(part.subarray(0, 32)).toEqual(Buffer.from(archiveHeader()));
});

it('is gone on with where it was made durable, whatever lies behind, and gives the same bytes', async () => {
  const whole = join(folder, 'whole.tar.gz');
  const once = await openArchiveWriter(whole, options);
  for (const [name, data] of files) await once.add(name, data);
  await once.finish();
  const expected = createHash('sha256').update(readFileSync(whole)).digest('hex');

  for (let cut = 0; cut <= files.length; cut += 1) {
    const path = join(folder, `cut-${cut}.tar.gz`);
    const first = await openArchiveWriter(path, options);
    for (const [name, data] of files.slice(0, cut)) await first.add(name, data);
    const state = JSON.parse(JSON.stringify(await first.pause())) as Awaited<ReturnType<typeof first.pause>>;
    // What a kill leaves behind it: some of the next file, or rubbish.
    await first.add('lost', randomBytes(5_000));
    await first.close();
    const second = await openArchiveWriter(path, { ...options, state });
    for (const [name, data] of files.slice(cut)) await second.add(name, data);
    await second.finish();
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(expected);
    // Killed again, between its last byte and its name: the header says already what it will say.
    const third = await openArchiveWriter(path, { ...options, state });
    for (const [name, data] of files.slice(cut)) await third.add(name, data);
    await third.finish();
    expect(createHash('sha256').update(readFileSync(path)).digest('hex')).toBe(expected);
  }
});

it('does not go on with one that has become shorter', async () => {
  const path = join(folder, 'a.tar.gz');
  const first = await openArchiveWriter(path, options);
  await first.add('range', Buffer.from('a\n'));
  const state = await first.pause();
  await first.close();
  truncateSync(path, state.length - 1);
  await expect(openArchiveWriter(path, { ...options, state })).rejects.toThrow(/shorter/);
  writeFileSync(path, '');
  await expect(openArchiveWriter(path, { ...options, state })).rejects.toThrow(/shorter/);
});
