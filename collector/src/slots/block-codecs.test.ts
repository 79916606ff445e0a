/** Blocks of every view: what was written comes back, the same facts have the same bytes, and damage is told as damage. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DayPlane, decodeDay, decodeRuns, encodeDay, encodeRuns } from './day.ts';
import { decodeHeads, encodeHeads, type HourOfHeads, MINUTES_AN_HOUR, withHeight } from './heads-block.ts';
import { decodeLatency, encodeLatency } from './latency-block.ts';
import { binOf, countOf, OpenSketch, quantiles } from './latency-sketch.ts';
import { dayOfBlock, decodeMonth, planeOfMonth } from './month.ts';

const numRuns = Number(process.env['CODEC_RUNS'] ?? 500);
const timeout = 60_000 + 30 * numRuns;
const planes = ['', 'eu', 'us', 'sg'];

/** Some stretches of a day: first minute, how many, slot, requests, how many of these failed. */
const stretches = fc.array(
  fc.tuple(fc.nat(1_439), fc.integer({ min: 1, max: 700 }), fc.nat(127), fc.nat(400), fc.nat(400)),
  { maxLength: 6 },
);

const plane = stretches.map((all): DayPlane => {
  const slots = new Uint8Array(1_440);
  const requests = new Uint32Array(1_440);
  const succeeded = new Uint32Array(1_440);
  for (const [from, length, byte, ok, failed] of all) {
    slots.fill(byte, from, from + length);
    requests.fill(ok + failed, from, from + length);
    succeeded.fill(ok, from, from + length);
  }
  return { slots, requests, succeeded };
});
const day = fc.uniqueArray(fc.tuple(fc.constantFrom(...planes), plane), {
  selector: ([name]) => name,
  maxLength: 4,
});

const sketch = fc.array(fc.nat(100_000), { maxLength: 20 }).map((tenths) => {
  const open = new OpenSketch();
  for (const each of tenths) open.count(binOf(each), 1);
  return open.kept();
});
const faults = fc
  .dictionary(
    fc.constantFrom('target.rpc.slow', 'target.connect.refused', 'probe.loop.late'),
    fc.integer({ min: 1, max: 9_000 }),
  )
  .map((each) => new Map(Object.entries(each)));
const series = fc.uniqueArray(
  fc.tuple(fc.constantFrom('*', 'eth_call', 'head *', 'eth_blockNumber'), fc.record({ sketch, faults })),
  { selector: ([name]) => name, maxLength: 4 },
);

const hour = fc
  .array(fc.tuple(fc.nat(MINUTES_AN_HOUR - 1), fc.oneof(fc.nat(2 ** 40), fc.nat(9))), { maxLength: 12 })
  .map((said) => {
    const made: HourOfHeads = [];
    for (const [minute, height] of said) made[minute] = withHeight(made[minute], height);
    return made;
  });
const heads = fc.uniqueArray(fc.tuple(fc.constantFrom('eu-1+a', 'us-1+b', 'sg-1+c'), hour), {
  selector: ([name]) => name,
  maxLength: 3,
});

const bytesOf = (numbers: Uint32Array = new Uint32Array(0)): Uint8Array => new Uint8Array(numbers.buffer);
const equal = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

describe('blocks that were written', () => {
  it('of days come back, and in any order of planes are the same', { timeout }, () => {
    fc.assert(
      fc.property(day, (made) => {
        const block = encodeDay(new Map(made));
        const read = decodeDay(block);
        expect([...read.keys()].sort()).toEqual(made.map(([name]) => name).sort());
        for (const [name, { slots, requests, succeeded }] of made) {
          const own = read.get(name);
          expect(Buffer.compare(slots, own?.slots ?? slots.subarray(1))).toBe(0);
          expect(Buffer.compare(bytesOf(requests), bytesOf(own?.requests))).toBe(0);
          expect(Buffer.compare(bytesOf(succeeded), bytesOf(own?.succeeded))).toBe(0);
        }
        expect(equal(encodeDay(new Map(made.toReversed())), block)).toBe(true);
        expect(equal(encodeDay(read), block)).toBe(true);
        expect(equal(encodeRuns(decodeRuns(block)), block)).toBe(true);
      }),
      { numRuns },
    );
  });

  it('of latencies come back, and in any order are the same', { timeout }, () => {
    fc.assert(
      fc.property(series, (made) => {
        const block = encodeLatency(new Map(made));
        const read = decodeLatency(block);
        const kept = made.filter(([, own]) => own.sketch.length > 0 || own.faults.size > 0);
        expect(read.size).toBe(kept.length);
        for (const [name, own] of kept) {
          expect(Buffer.compare(own.sketch, read.get(name)?.sketch ?? new Uint8Array(0))).toBe(0);
          expect(read.get(name)?.faults).toEqual(own.faults);
        }
        const turned = made.map(
          ([name, own]) => [name, { ...own, faults: new Map([...own.faults].reverse()) }] as const,
        );
        expect(equal(encodeLatency(new Map(turned.reverse())), block)).toBe(true);
        expect(equal(encodeLatency(read), block)).toBe(true);
      }),
      { numRuns },
    );
  });

  it('of heads come back, and in any order are the same', { timeout }, () => {
    fc.assert(
      fc.property(heads, (made) => {
        const block = encodeHeads(new Map(made));
        const read = decodeHeads(block);
        const kept = made.filter(([, own]) => own.length > 0);
        expect(read.size).toBe(kept.length);
        for (const [key, own] of kept) {
          for (let minute = 0; minute < MINUTES_AN_HOUR; minute += 1) {
            expect(read.get(key)?.[minute]?.join(' ')).toBe(own[minute]?.join(' '));
          }
        }
        expect(equal(encodeHeads(new Map(made.toReversed())), block)).toBe(true);
        expect(equal(encodeHeads(read), block)).toBe(true);
      }),
      { numRuns },
    );
  });
});

/** Any bytes; and such as were written, with some of them changed, or cut. */
const hostile = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc
    .tuple(
      fc.oneof(
        day.map((made) => encodeDay(new Map(made))),
        series.map((made) => encodeLatency(new Map(made))),
        heads.map((made) => encodeHeads(new Map(made))),
      ),
      fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }),
      fc.nat(400),
    )
    .map(([block, changes, length]) => {
      const damaged = block.slice(0, length);
      for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte;
      return damaged;
    }),
);

const readers: readonly (readonly [string, (block: Uint8Array) => unknown])[] = [
  ['a day', decodeDay],
  ['a month', decodeMonth],
  ['a plane of a month', (block) => planeOfMonth(block, '')],
  ['a day of a month', (block) => dayOfBlock(block, 20_000)],
  [
    'latencies',
    (block) => {
      for (const { sketch: own } of decodeLatency(block).values()) {
        countOf(own);
        quantiles(own, [0.5, 0.99]);
      }
    },
  ],
  ['heads', decodeHeads],
];

describe('blocks that are damaged', () => {
  it.each(readers)('%s is read or refused with a RangeError', { timeout }, (_, read) => {
    fc.assert(
      fc.property(hostile, (block) => {
        try {
          read(block);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns },
    );
  });
});
