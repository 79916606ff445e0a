/** Reading a bundle out of archives: those that `tar` makes, and those that somebody has made up. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { packTar, type TarEntry } from 'modern-tar';
import { afterAll, describe, expect, it } from 'vitest';
import { type ArchiveFiles, archiveFiles } from './archive.ts';
import { MAX_FILE_BYTES, names } from './files.ts';

const dir = mkdtempSync(join(tmpdir(), 'highwater-archive-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type Bytes = Uint8Array<ArrayBuffer>;
const text = new TextDecoder();

/** In pieces of that size. */
function streamOf(bytes: Uint8Array, piece = 700): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, at + piece));
      at += piece;
    },
  });
}

/** Files of a bundle, whose text is their name, in this order. */
const files = [
  names.range,
  names.end(2026),
  names.entries(2026, 0),
  names.entries(2026, 1),
  names.bodies(20_000, 'rpc', 0),
  names.bodies(20_000, 'rpc', 1),
  names.bodies(20_001, 'rpc', 0),
  names.report,
];
const folder = join(dir, 'report-2026-10');
for (const file of files) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  writeFileSync(join(folder, file), file);
}

/** As `tar` makes it. */
function tarOf(args: readonly string[], cwd = dir): Bytes {
  const made = join(dir, 'made.tar');
  execFileSync('tar', ['-cf', made, ...args], { cwd });
  return new Uint8Array(readFileSync(made));
}

const named = files.map((file) => `report-2026-10/${file}`);

async function read(archive: ArchiveFiles, name: string, maxBytes = 1_000): Promise<string | undefined> {
  const bytes = await archive.read(name, maxBytes);
  return bytes === undefined ? undefined : text.decode(bytes);
}

describe('an archive of tar', () => {
  it.each<[string, () => Bytes]>([
    ['of the files in a folder', () => tarOf(named)],
    ['with folders', () => tarOf(['--no-recursion', 'report-2026-10', 'report-2026-10/logs', ...named])],
    ['of a folder of another name', () => tarOf(['--transform=s,report-2026-10,r,', ...named])],
    ['of a folder that begins with ./', () => tarOf(named.map((name) => `./${name}`))],
    ['without a folder', () => tarOf(files, folder)],
    [
      'of ./',
      () =>
        tarOf(
          files.map((name) => `./${name}`),
          folder,
        ),
    ],
    ['in the form pax', () => tarOf(['--format=pax', ...named])],
    ['in the form of GNU', () => tarOf(['--format=gnu', ...named])],
  ])('%s is read, and what was not asked for is passed over', async (_, make) => {
    const tar = make();
    await fc.assert(
      fc.asyncProperty(fc.subarray(files), fc.integer({ min: 1, max: 20_000 }), async (asked, piece) => {
        const archive = archiveFiles(streamOf(tar, piece));
        for (const file of asked) expect(await read(archive, file)).toBe(file);
        await archive.finish();
      }),
      { numRuns: 20 },
    );
  });

  it('has no file that is not there, and keeps what lies behind it', async () => {
    const archive = archiveFiles(streamOf(tarOf(named)));
    expect(await read(archive, names.keys)).toBeUndefined();
    expect(await read(archive, names.end(2025))).toBeUndefined();
    expect(await read(archive, names.end(2026))).toBe(names.end(2026));
    // What was passed over is gone.
    expect(await read(archive, names.range)).toBeUndefined();
    expect(await read(archive, names.bodies(20_000, 'chain.x', 0))).toBeUndefined();
    expect(await read(archive, names.bodies(20_000, 'rpc', 0))).toBe(names.bodies(20_000, 'rpc', 0));
    expect(await read(archive, names.readme)).toBeUndefined();
    expect(await read(archive, names.readme)).toBeUndefined();
  });

  it('is read in the order in which it is asked, without waiting for each', async () => {
    const archive = archiveFiles(streamOf(tarOf(named)));
    expect(await Promise.all(files.map((file) => read(archive, file)))).toEqual(files);
  });

  it('is let go of', async () => {
    let why: unknown;
    const tar = tarOf(named);
    const archive = archiveFiles(
      new ReadableStream({
        start: (c) => c.enqueue(tar.slice(0, 2_000)),
        cancel: (reason) => void (why = reason ?? 'cancelled'),
      }),
    );
    await read(archive, names.range);
    await archive.close();
    expect(why).toBeDefined();
    expect(await read(archive, names.report)).toBeUndefined();
  });

  it('in the order of a folder is refused, with what to do', async () => {
    const archive = archiveFiles(streamOf(tarOf([...named.slice(0, 1), ...named.slice(1).toReversed()])));
    await expect(archive.finish()).rejects.toMatchObject({
      name: 'OrderError',
      file: names.bodies(20_001, 'rpc', 0),
      message: `the archive is not in the order in which a bundle is read: this comes behind ${names.report}; unpack it and verify the folder`,
    });
    // It stays so.
    await expect(read(archive, names.report)).rejects.toThrow('not in the order');
  });

  it('with a link in it is refused', async () => {
    symlinkSync('/etc/passwd', join(folder, 'keys'));
    const tar = tarOf(['report-2026-10/range', 'report-2026-10/keys']);
    rmSync(join(folder, 'keys'));
    await expect(read(archiveFiles(streamOf(tar)), names.keys)).rejects.toThrow(
      'the archive has a symlink in it, not a file',
    );
  });
});

const one = (name: string, size = 1): TarEntry => ({ header: { name, size }, body: 'x'.repeat(size) });

describe('what somebody has made up', () => {
  it.each<[string, TarEntry[], string, string]>([
    ['a name of no bundle', [one('r/range'), one('r/evil')], 'r/evil', 'this is no file of a bundle'],
    [
      'another beginning',
      [one('r/keys'), one('r/range')],
      'keys',
      'the archive begins with this file, and a bundle with range: it was packed again in another order; unpack it and verify the folder',
    ],
    [
      'no beginning',
      [one('r/keys'), one('r/policy')],
      'range',
      'it is not here; the archive begins with keys',
    ],
    ['another folder', [one('r/range'), one('s/keys')], 's/keys', 'this is no file of a bundle'],
    ['a way out', [one('r/range'), one('r/../keys')], 'r/../keys', 'this is no file of a bundle'],
    ['a root', [one('/range')], '/range', ''],
    ['a file twice', [one('r/range'), one('r/range')], 'range', 'the archive has this file twice'],
    [
      'a long name',
      [one('r/range'), one(`r/${'a'.repeat(500)}`)],
      `r/${'a'.repeat(398)}`,
      'no file of a bundle: its name is longer',
    ],
    [
      'a device',
      [one('r/range'), { header: { name: 'r/keys', size: 0, type: 'character-device' } }],
      'r/keys',
      'the archive has a character-device in it, not a file',
    ],
    [
      'too many files',
      [one('r/range'), one('r/keys'), one('r/policy'), one('r/report.json')],
      'r/report.json',
      'the archive has over 3 files',
    ],
  ])('%s', async (_, entries, file, says) => {
    const tar = await packTar(entries);
    const reading = archiveFiles(streamOf(tar), { maxEntries: 3 }).finish();
    if (says === '') await reading;
    else await expect(reading).rejects.toMatchObject({ file, message: says });
  });

  it('a file that is larger than what is asked for, or than any is, is refused before it is read', async () => {
    const tar = await packTar([one('r/range', 100)]);
    await expect(read(archiveFiles(streamOf(tar)), names.range, 99)).rejects.toThrow(
      'it has 100 bytes, and may have 99',
    );
    const [head = new Uint8Array()] = [await packTar([one('r/range', 100)])].map((all) => all.slice(0, 512));
    const size = (MAX_FILE_BYTES + 1).toString(8).padStart(11, '0');
    head.set(new TextEncoder().encode(size), 124);
    head.fill(0x20, 148, 156);
    const sum = head.reduce((all, byte) => all + byte, 0);
    head.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148);
    await expect(read(archiveFiles(streamOf(head)), names.keys)).rejects.toMatchObject({
      file: names.range,
      message: `it has ${MAX_FILE_BYTES + 1} bytes, and may have ${MAX_FILE_BYTES}`,
    });
  });

  it('an end that comes too early is told wherever it comes', async () => {
    const tar = await packTar(named.map((name) => one(name, 600)));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: tar.length - 1 }), fc.boolean(), async (end, isAsked) => {
        const archive = archiveFiles(streamOf(tar.slice(0, end)));
        const reading = async (): Promise<void> => {
          if (isAsked) for (const file of files) await archive.read(file, 1_000);
          await archive.finish();
        };
        await expect(reading()).rejects.toThrow(
          /the archive ends (too early|within this file); fetch it again/,
        );
      }),
    );
  });

  it('a broken head is told, and so is what the stream itself says', async () => {
    const tar = await packTar(named.map((name) => one(name)));
    tar[1_024 + 3] = 0x21;
    await expect(archiveFiles(streamOf(tar)).finish()).rejects.toThrow(
      'the archive can not be read (Invalid tar header checksum); fetch it again',
    );
    const broken = new ReadableStream<Bytes>({ pull: (c) => c.error(new Error('incorrect data check')) });
    await expect(archiveFiles(broken).finish()).rejects.toMatchObject({
      name: 'BundleError',
      message: 'the archive can not be read (incorrect data check); fetch it again',
    });
  });
});
