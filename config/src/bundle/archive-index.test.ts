/** What an archive says of where its files lie: what is not said as the writer says it is not gone by. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ARCHIVE_HEADER_BYTES,
  archiveHeader,
  formatArchiveIndex,
  indexPlace,
  parseArchiveIndex,
} from './archive-index.ts';

describe('the header', () => {
  it('is deflate with one field of RFC 1952, to the byte', () => {
    const header = archiveHeader({ offset: 0x0102030405, length: 0x0607 });
    const hex = '1f8b0804 00000000 00ff 1400 4857 1000 0504030201000000 0706000000000000';
    expect(Buffer.from(header).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(header).toHaveLength(ARCHIVE_HEADER_BYTES);
  });

  it('tells each place within the archive, wherever the header lies in memory', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.integer({ min: 1, max: 2 ** 31 }), fc.nat(9), (far, length, shift) => {
        const place = { offset: ARCHIVE_HEADER_BYTES + far * 1_000, length };
        const shifted = Buffer.concat([Buffer.alloc(shift), archiveHeader(place)]).subarray(shift);
        expect(indexPlace(shifted, place.offset + length)).toEqual(place);
        expect(indexPlace(shifted, place.offset + length - 1)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['of nobody yet', archiveHeader()],
    ['within itself', archiveHeader({ offset: ARCHIVE_HEADER_BYTES - 1, length: 1 })],
    ['of nothing', archiveHeader({ offset: 100, length: 0 })],
    ['past all numbers', archiveHeader().fill(0xff, 16)],
    ['shorter', archiveHeader({ offset: 100, length: 10 }).subarray(0, -1)],
    [
      'none',
      Buffer.from([
        0x1f,
        0x8b,
        8,
        0,
        0,
        0,
        0,
        0,
        0,
        0xff,
        20,
        0,
        0x48,
        0x57,
        16,
        0,
        99,
        ...Buffer.alloc(15, 1),
      ]),
    ],
    ["somebody else's", archiveHeader({ offset: 100, length: 10 }).fill(0x41, 12, 13)],
  ])('%s is not gone by', (_, header) => {
    expect(indexPlace(header, 1_000)).toBeUndefined();
  });
});

const pieces = [
  { name: 'range', offset: 200, length: 90, bytes: 100, crc32: 2 ** 32 - 1 },
  { name: 'logs/2026/frontier', offset: 300, length: 0, bytes: 0, crc32: 0 },
  { name: 'logs/2026/entries/000', offset: 300, length: 20, bytes: 5_000, crc32: 7 },
  { name: 'report.json', offset: 340, length: 60, bytes: 10, crc32: 1 },
];
const text = formatArchiveIndex(pieces);

describe('the index', () => {
  it('is read as it was written', () => {
    expect(text).toMatch(/^range 200 90 100 4294967295\nlogs\/2026\/frontier 300 0 0 0\n/);
    expect([...(parseArchiveIndex(text, 400)?.values() ?? [])]).toEqual(pieces);
  });

  it.each<[string, string, string]>([
    ['a name of no bundle', 'report.json', 'report.exe'],
    ['another folder', 'report.json', '../report.json'],
    ['no name', 'report.json ', ' '],
    ['another order', 'logs/2026/frontier', 'report.md'],
    ['a name twice', 'logs/2026/frontier', 'range'],
    ['another beginning', 'range', 'keys'],
    ['pieces that overlap', ' 300 20 ', ' 300 41 '],
    ['one before the other', ' 340 60 ', ' 319 60 '],
    ['one in the header', 'range 200', 'range 31'],
    ['one behind the end', ' 340 60 ', ' 340 61 '],
    ['one far behind it', ' 340 60 ', ' 9007199254740991 60 '],
    ['more than any deflate makes of it', 'range 200 90 100', 'range 190 99 17'],
    ['much of nothing', ' 340 60 10 1', ' 330 65 0 1'],
    ['another sum than there is', '4294967295', '4294967296'],
    ['a word more', ' 10 1\n', ' 10 1 1\n'],
    ['a word less', ' 10 1\n', ' 10\n'],
    ['zeros before', ' 340', ' 0340'],
    ['no end', ' 10 1\n', ' 10 1'],
    ['an empty line', ' 10 1\n', ' 10 1\n\n'],
  ])('with %s is none', (_, from, to) => {
    const other = text.replace(from, to);
    expect(other).not.toBe(text);
    expect(parseArchiveIndex(other, 400)).toBeUndefined();
  });

  it('that is empty is none', () => {
    expect(parseArchiveIndex('', 400)).toBeUndefined();
  });

  it('that is any text never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(400), (some, at) => {
        parseArchiveIndex(text.slice(0, at) + some + text.slice(at), 400);
      }),
    );
  });
});
