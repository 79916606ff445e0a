/** An archive that is read by place: what its index says is not believed, and what it lies about is told. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { constants, deflateRawSync, gzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  archiveHeader,
  formatArchiveIndex,
  type IndexedPiece,
  indexPlace,
} from '@highwater/config/bundle/archive-index.ts';
import { checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import { BundleError, MAX_FILE_BYTES, MAX_TEXT_BYTES, names } from '@highwater/config/bundle/files.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { openArchiveWriter } from '../collector/src/reports/archive-writer.ts';
import { type ReportBundle, reportBundle } from '../test/fixtures/report-bundle.ts';
import { openArchiveFile } from './archive-file.ts';
import { openBundle } from './bundle-source.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const dir = mkdtempSync(join(tmpdir(), 'highwater-by-place-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const path = join(dir, 'report.tar.gz');
const other = join(dir, 'other.tar.gz');
let bundle: ReportBundle;
let pieces: readonly IndexedPiece[];
let whole: Buffer;

beforeAll(async () => {
  bundle = await reportBundle();
  const writer = await openArchiveWriter(path, { folder: 'report-2026-10', at: 0 });
  for (const [name, bytes] of bundle) await writer.add(name, bytes);
  ({ pieces } = await writer.finish());
  whole = readFileSync(path);
});

const codes = { usage: 3, missing: 2 };

async function check(archive: string, service?: string): Promise<string[]> {
  const source = await openBundle(archive, { isPart: service !== undefined, codes });
  try {
    const { problems } = await checkBundle(
      source.files,
      nodeChecker(),
      service === undefined ? {} : { service },
    );
    const found = problems.map(({ kind, file }) => `${kind} ${file}`);
    if (service === undefined && found.length === 0) await source.finish();
    return found;
  } finally {
    await source.close();
  }
}

const packed = (text: string | Uint8Array) => deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH });

/**
 * The archive with another index, which lies behind its end in a field of a second gzip that has nothing in it: so a stream of
 * it is what it was.
 */
function withIndex(index: Uint8Array): string {
  const before = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x58, 0x58, 0, 0]);
  before.writeUInt16LE(index.length + 4, 10);
  before.writeUInt16LE(index.length, 14);
  const header = archiveHeader({ offset: whole.length + before.length, length: index.length });
  const end = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  writeFileSync(other, Buffer.concat([header, whole.subarray(header.length), before, index, end]));
  return other;
}

type Change = (piece: IndexedPiece) => Partial<IndexedPiece> | undefined;

/** @param change of the piece of that name; undefined leaves it out */
function lying(name: string, change: Change): string {
  const told = pieces.flatMap((piece) => {
    if (piece.name !== name) return piece;
    const changed = change(piece);
    return changed === undefined ? [] : { ...piece, ...changed };
  });
  return withIndex(packed(formatArchiveIndex(told)));
}

async function readOf(
  archive: string,
  name: string,
  maxBytes = MAX_FILE_BYTES,
): Promise<Uint8Array | undefined> {
  const files = await openArchiveFile(archive);
  if (files === undefined) throw new Error('to be streamed');
  try {
    return await files.read(name, maxBytes);
  } finally {
    await files.close();
  }
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;

describe('an archive with an index', () => {
  it('gives each file, in any order and again', async () => {
    const files = await openArchiveFile(path);
    for (const name of [...bundle.keys(), ...[...bundle.keys()].toReversed()])
      expect([name, isSame(await files?.read(name, MAX_FILE_BYTES), bundle.get(name))]).toEqual([name, true]);
    expect(await files?.read(names.start(1999), 9)).toBeUndefined();
    const bytes = bundle.get(names.range)?.length ?? 0;
    await expect(files?.read(names.range, bytes - 1)).rejects.toMatchObject({
      file: names.range,
      message: `it has ${bytes} bytes, and may have ${bytes - 1}`,
    });
    await expect(files?.read('../range', 9)).rejects.toThrow('this is no file of a bundle');
    await files?.close();
  });

  it('is good as a whole, and for one service what that one does not take may be anything', async () => {
    expect(await check(path)).toEqual([]);
    expect(await check(path, 'web')).toEqual([]);
    const damaged = Buffer.from(whole);
    const { offset, length } = pieces.find(({ name }) => /^bodies\/.*\/rpc\//.test(name)) ?? {
      offset: 0,
      length: 0,
    };
    damaged.fill(0xff, offset, offset + length);
    writeFileSync(other, damaged);
    expect(await check(other, 'web')).toEqual([]);
    expect(await check(other, 'rpc')).toEqual([expect.stringMatching(/^incomplete bodies\/.*\/rpc\//)]);
    expect(await check(other)).toEqual([expect.stringMatching(/^incomplete /)]);
  });
});

describe('an index that lies', () => {
  it.each<[string, Change]>([
    ['offset', ({ offset }) => ({ offset: offset + 1 })],
    ['length', ({ length }) => ({ length: Math.floor(length / 2) })],
    ['no length', () => ({ length: 0 })],
    ['more bytes', ({ bytes }) => ({ bytes: bytes + 1 })],
    ['fewer bytes', ({ bytes }) => ({ bytes: bytes - 1 })],
    ['as many bytes as there may be', () => ({ bytes: MAX_TEXT_BYTES })],
    ['sum', ({ crc32 }) => ({ crc32: crc32 ^ 1 })],
  ])('of the %s is told, with the file', async (_, change) => {
    // Its sum is below 2^31, so that another is one too.
    const { name = '' } =
      pieces.find(({ crc32, bytes }) => crc32 < 2 ** 31 && bytes > 1 && bytes < 2_000) ?? {};
    const archive = lying(name, change);
    await expect(readOf(archive, name, MAX_TEXT_BYTES)).rejects.toMatchObject({
      file: name,
      message: expect.stringContaining(
        "it is not what the archive's index says; fetch the archive again",
      ) as string,
    });
  });

  it('of more bytes than there may be is refused before anything is read', async () => {
    const archive = lying(names.report, () => ({ bytes: 2 ** 50 }));
    await expect(readOf(archive, names.report)).rejects.toThrow(`and may have ${MAX_FILE_BYTES}`);
  });

  it.each<[string, string, Change]>([
    ['the range', names.report, () => undefined],
    ['bodies', 'BODIES', () => undefined],
    ['the note, which stands for its proof', names.note, () => ({ name: names.proof })],
    [
      'bodies, which are those of another day',
      'BODIES',
      ({ name }) => ({ name: name.replace('/000', '/001') }),
    ],
  ])('and leaves out %s makes no report good', async (_, typed, change) => {
    const body = pieces.find(({ name }) => /^bodies\/.*\/web\//.test(name))?.name ?? '';
    const name = typed === 'BODIES' ? body : typed;
    const left = pieces.filter((piece) => name !== names.note || piece.name !== names.proof);
    const told = left.flatMap((piece) => {
      if (piece.name !== name) return piece;
      const changed = change(piece);
      return changed === undefined ? [] : { ...piece, ...changed };
    });
    const archive = withIndex(packed(formatArchiveIndex(told)));
    expect(await check(archive, 'web')).toContain(`incomplete ${name}`);
  });

  it('in any byte gives what is there, nothing, or an end that is told', async () => {
    const text = Buffer.from(formatArchiveIndex(pieces));
    const some = [names.range, names.report, names.entries(2026, 0), names.csv];
    let byPlace = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom(...'0123456789 \nae/-'), async (at, char) => {
        const changed = Buffer.from(text);
        changed.write(char, at, 'latin1');
        const files = await openArchiveFile(withIndex(packed(changed)));
        if (files === undefined) return;
        byPlace += 1;
        for (const name of some) {
          const bytes = await files.read(name, MAX_FILE_BYTES).catch((error: unknown) => {
            expect(error).toBeInstanceOf(BundleError);
          });
          if (bytes !== undefined) expect(isSame(bytes, bundle.get(name))).toBe(true);
        }
        await files.close();
      }),
    );
    expect(byPlace).toBeGreaterThan(0);
  });
});

describe('an index that can not be gone by: the archive is streamed', () => {
  it.each<[string, () => string]>([
    ['one that is no deflate', () => withIndex(Buffer.alloc(100, 0xff))],
    ['an empty one', () => withIndex(packed(''))],
    ['one that is far larger than it comes', () => withIndex(packed(Buffer.alloc(MAX_TEXT_BYTES + 1)))],
    ['names of no bundle', () => lying(names.report, () => ({ name: '../../report.json' }))],
    ['a length past the end', () => lying(names.report, () => ({ length: 2 ** 52 }))],
    ['none at all', () => (writeFileSync(other, gzipSync(inflatedWhole())), other)],
  ])('%s', async (_, archive) => {
    const at = archive();
    expect(await openArchiveFile(at)).toBeUndefined();
    expect(await check(at, 'web')).toEqual([]);
  });

  it('one that was cut off with the rest, and the end of the archive is told', async () => {
    writeFileSync(other, '');
    await expect(check(other, 'web')).rejects.toThrow('it is empty');
    for (const share of [0.0001, 0.5, 0.9]) {
      writeFileSync(other, whole.subarray(0, Math.floor(whole.length * share)));
      expect(await openArchiveFile(other)).toBeUndefined();
      expect(await check(other, 'web')).toEqual([expect.stringMatching(/^incomplete /)]);
    }
  });
});

function inflatedWhole(): Buffer {
  return inflateRawSync(whole.subarray(archiveHeader().length));
}

it('the index is the last file that is in the archive', () => {
  const { offset, length } = indexPlace(whole, whole.length) ?? { offset: 0, length: 0 };
  expect(offset + length).toBeLessThan(whole.length);
  expect(offset).toBeGreaterThan(pieces.at(-1)?.offset ?? Infinity);
});
