import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Compression,
  directoryEnd,
  HEAD_BYTES,
  type PackBody,
  PackError,
  readDirectory,
  readPackSegment,
  SEGMENT_LINES,
  writePack,
} from './pack.ts';

const compression: Compression = {
  compress: (bytes) => zstdCompressSync(bytes),
  decompress: (bytes, length) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, length) }),
};

function nameOf({ probe, epoch, number }: { probe: string; epoch: number; number: number }): string {
  return `${probe} ${epoch} ${number}`;
}

/** Everything that a pack gives back: name, shown and text of each body, sorted. */
function unpack(pack: Uint8Array): string[] {
  const directory = readDirectory(pack.subarray(0, directoryEnd(pack)), compression);
  return directory.segments
    .flatMap((segment, i) => {
      const texts = readPackSegment(directory, i, pack.subarray(segment.start, segment.end), compression);
      return directory.bodies
        .filter((body) => body.segment === i)
        .map((body) => `${nameOf(body)} ${body.shown} ${texts[body.place] ?? 'none'}`);
    })
    .sort();
}

const told = (bodies: readonly PackBody[]): string[] =>
  bodies.map((body) => `${nameOf(body)} ${body.shown} ${body.text}`).sort();

const hex = fc.stringMatching(/^[0-9a-f]{8}$/);
const height = fc.oneof(fc.integer({ min: 100, max: 110 }), fc.nat({ max: 2 ** 53 - 1 }));
const facts: Record<string, fc.Arbitrary<string>> = {
  bt: fc.nat({ max: 9e15 }).map(String),
  cp: fc.tuple(height, hex).map(([at, id]) => `${at}.${id}`),
  fh: height.map(String),
  g: hex,
  h: height.map(String),
  id: fc.oneof(fc.constantFrom('00000000', 'abcdef01'), hex),
  late: fc.oneof(fc.nat({ max: 9 }).map(String), fc.nat({ max: 2 ** 32 - 1 }).map(String), fc.constant('01')),
  'm.eth_call': fc.oneof(fc.nat({ max: 9_000 }).map(String), fc.constant('target.rpc.error')),
  p: fc.oneof(
    fc.array(fc.nat({ max: 900 }), { minLength: 5, maxLength: 5 }).map(String),
    fc.constantFrom('1,2', '1,2,3,4,05'),
  ),
  re: fc.constant('1'),
  v: fc.integer().map(String),
  ver: fc.constantFrom('1.2', 'v2-rc1', '3'),
};
const due = fc.oneof(
  fc.nat({ max: 9 }).map((n) => 1_790_000_000_000 + n * 30_000),
  fc.nat({ max: 8_640_000_000_000_000 }),
);
const line = fc
  .record({
    monitor: fc.constantFrom('a/head', 'a/http', 'a-b/http', 'b/head'),
    due,
    end: fc.constantFrom('ok 120', 'ok 125', 'degraded 4294967295', 'fail 0', 'ok 0012'),
    fault: fc.constantFrom('-', 'target.http.status', 'probe.loop.lag'),
    facts: fc.record(facts, { requiredKeys: [] }),
  })
  .map(
    (l) =>
      `rpc/${l.monitor} ${l.due} ${l.end} ${l.fault}${Object.entries(l.facts)
        .map(([key, value]) => ` ${key}=${value}`)
        .join('')}`,
  );
const odd = fc.constantFrom(
  '',
  'x',
  'other/a/b 1790000000000 ok 1 -',
  'rpc/a/head',
  'rpc/é 1 ok 1 -',
  'rpc/a/b  ok',
);
const text = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .array(fc.oneof({ weight: 9, arbitrary: line }, { weight: 1, arbitrary: odd }), {
        minLength: 1,
        maxLength: 8,
      })
      .map((lines) => `${lines.sort().join('\n')}\n`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      '\n',
      'no end',
      'rpc/b/x 1790000000000 ok 1 -\nrpc/a/x 1790000000000 ok 1 -\n',
    ),
  },
);
const body: fc.Arbitrary<PackBody> = fc.record({
  probe: fc.constantFrom('eu-1', 'us-1', 'eu-2'),
  epoch: fc.nat({ max: 2 }),
  number: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2 ** 50 })),
  minute: fc.nat({ max: 3 }),
  shown: fc.constantFrom('public', 'private', 'salted'),
  text,
});
const bodies = fc.array(body, { maxLength: 6 });

describe('a pack', () => {
  it('gives every body back byte for byte, and is the same bytes in any order', () => {
    fc.assert(
      fc.property(bodies, fc.infiniteStream(fc.nat()), (all, order) => {
        const pack = writePack('rpc', all, compression);
        expect(unpack(pack)).toEqual(told(all));
        const shuffled = all
          .map((each) => ({ each, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ each }) => each);
        expect(Buffer.compare(writePack('rpc', shuffled, compression), pack)).toBe(0);
      }),
      { numRuns: 3_000 },
    );
  }, 120_000);

  it('with any bytes changed, cut or added gives bodies or a PackError, and nothing else', () => {
    // Not compressed, so that what is changed reaches the columns.
    const bare: Compression = { compress: (bytes) => bytes, decompress: () => new Uint8Array() };
    const read = (pack: Uint8Array): void => {
      const directory = readDirectory(pack, bare);
      for (const [i, { start, end }] of directory.segments.entries()) {
        readPackSegment(directory, i, pack.subarray(start, end), bare);
      }
    };
    const change = fc.record({
      at: fc.nat(),
      to: fc.nat({ max: 255 }),
      how: fc.constantFrom('set', 'cut', 'add'),
    });
    let refused = 0;
    fc.assert(
      fc.property(bodies, fc.array(change, { minLength: 1, maxLength: 4 }), (all, changes) => {
        let pack: Uint8Array = writePack('rpc', all, bare);
        for (const { at, to, how } of changes) {
          const place = HEAD_BYTES + (at % Math.max(1, pack.length - HEAD_BYTES));
          if (how === 'set') pack[place] = to;
          else if (how === 'cut') pack = Buffer.concat([pack.subarray(0, place), pack.subarray(place + 1)]);
          else pack = Buffer.concat([pack.subarray(0, place), Uint8Array.of(to), pack.subarray(place)]);
        }
        try {
          read(pack);
        } catch (error) {
          if (!(error instanceof PackError)) throw error;
          refused += 1;
        }
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
  }, 240_000);

  it('is cut into segments, so that one body is read from a part of it', () => {
    const all = Array.from({ length: 300 }, (_, number): PackBody => {
      const lines = Array.from(
        { length: 100 },
        (__, n) =>
          `rpc/n${String(n).padStart(3, '0')}/http ${1_790_000_000_000 + number * 60_000 + n} ok ${n * number} -\n`,
      );
      return { probe: 'eu-1', epoch: 0, number, minute: number, shown: 'public', text: lines.join('') };
    });
    const pack = writePack('rpc', all, compression);
    const directory = readDirectory(pack, compression);
    expect(directory.segments.length).toBe(Math.ceil((300 * 100) / (SEGMENT_LINES - (SEGMENT_LINES % 100))));
    expect([directory.lines, directory.bytes]).toEqual([30_000, pack.length]);
    expect(unpack(pack)).toEqual(told(all));
  });

  it('refuses what is no pack', () => {
    const pack = writePack('rpc', [], compression);
    expect(() => directoryEnd(pack.subarray(0, 10))).toThrow(PackError);
    expect(() => directoryEnd(Buffer.from('highwater/pack/v2\n12345678'))).toThrow(PackError);
    expect(() => readDirectory(pack.subarray(0, -1), compression)).toThrow(PackError);
    expect(readDirectory(pack, compression).bodies).toEqual([]);
  });
});
