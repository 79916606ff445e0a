/** Tables of what the count is made of. */
import { describe, expect, test } from 'vitest';
import type { CountBatch } from './count.ts';
import { Heads, STRETCHES_A_DAY, reachedByTwo } from './heads.ts';
import { LATENCY_BINS, LatencyCounts, binEndTenths, latencyBin } from './latency-bins.ts';
import { gapsOf, merged } from './probes.ts';
import { Course } from './sums.ts';

describe('latency bins', () => {
  test.each([
    [0, 0, 0],
    [1_023, 1_023, 1_023],
    [1_024, 1_024, 1_025],
    [1_025, 1_024, 1_025],
    [1_026, 1_025, 1_027],
    [2_047, 1_535, 2_047],
    [2_048, 1_536, 2_051],
    [4_294_967_295, LATENCY_BINS - 1, 4_294_967_295],
  ])('%i tenths lie in bin %i, which ends at %i', (tenths, bin, end) => {
    expect(latencyBin(tenths)).toBe(bin);
    expect(binEndTenths(bin)).toBe(end);
  });

  test('each begins where the one before ends', () => {
    for (let bin = 0; bin < LATENCY_BINS; bin += 1) {
      expect(latencyBin(binEndTenths(bin))).toBe(bin);
      if (bin > 0) expect(latencyBin(binEndTenths(bin - 1) + 1)).toBe(bin);
    }
  });

  test.each([
    [[], 0, 0, 0],
    [[7], 7, 7, 7],
    [[1, 2], 1, 2, 2],
    [[1, 2, 3], 2, 3, 3],
    [Array.from({ length: 100 }, (_, i) => i), 49, 94, 98],
    [[5, 5, 5, 4_000_000], 5, 4_001_791, 4_001_791],
  ])('of %j the percentiles are %i, %i, %i', (all, p50, p95, p99) => {
    const counts = new LatencyCounts();
    for (const tenths of all) counts.add(tenths);
    expect([50, 95, 99].map((percent) => counts.percentileTenths(percent))).toEqual([p50, p95, p99]);
  });
});

test('minutes that were down one after the other are one outage, over midnight too; others end it', () => {
  const course = new Course(2);
  const [up, down, inMaintenance, stalled] = [1, 2, 2 | 8, 2 | 16];
  const minutes = [down, down, up, down, inMaintenance, down, stalled, down, down];
  for (const [i, byte] of minutes.entries()) course.add(i < 8 ? 0 : 1, 1_432 + i, byte);
  // A minute without a slot lies between.
  course.add(1, 1_442, down);
  expect(course.outages).toEqual([
    { firstMinute: 1_432, minutes: 2 },
    { firstMinute: 1_435, minutes: 1 },
    { firstMinute: 1_437, minutes: 1 },
    { firstMinute: 1_439, minutes: 2 },
    { firstMinute: 1_442, minutes: 1 },
  ]);
  expect(course.days).toEqual([
    [1, 5, 0, 1, 1, 0],
    [0, 2, 0, 0, 0, 0],
  ]);
});

describe('heads', () => {
  const heights = (first: number): Float64Array =>
    new Float64Array(STRETCHES_A_DAY).fill(-1).fill(first, 0, 1);

  test.each([
    [[], -1],
    [[7], -1],
    [[7, 9], 7],
    [[9, 7, 8], 8],
    [[9, 9, 8], 9],
    [[-1, 3, -1], -1],
  ])('of %j two have reached %i', (all, reached) => {
    expect(reachedByTwo(all.map(heights))[0]).toBe(reached);
  });

  test('lag is held against what two have reached, over several days; a public name is none of the two', () => {
    const heads = new Heads();
    const days = [
      { a: 10, b: 12, public: 12 },
      { a: 20, b: 20, public: 13 },
      { a: 31, b: 30, public: 40 },
    ];
    for (const day of days) {
      for (const [node, height] of Object.entries(day))
        heads.heightsOf(`rpc/${node}`, 'devnet').set([height], 5);
      heads.closeDay();
    }
    heads.heightsOf('rpc/a', 'devnet').set([99], 0);
    heads.closeDay();
    const of = { chain: 'devnet', stretches: 3 };
    expect(heads.result('rpc')).toEqual([
      { ...of, subject: 'rpc/a', level: 3, lagP50Blocks: 0, lagP95Blocks: 0, lagMaxBlocks: 0, highest: 99 },
      { ...of, subject: 'rpc/b', level: 3, lagP50Blocks: 0, lagP95Blocks: 0, lagMaxBlocks: 0, highest: 30 },
      {
        ...of,
        subject: 'rpc/public',
        level: 2,
        lagP50Blocks: 0,
        lagP95Blocks: 7,
        lagMaxBlocks: 7,
        highest: 40,
      },
    ]);
    expect(heads.result('rp')).toEqual([]);
  });
});

test('ranges that touch are one', () => {
  expect(
    merged([
      { first: 5, last: 6 },
      { first: 0, last: 2 },
      { first: 3, last: 3 },
      { first: 2, last: 3 },
    ]),
  ).toEqual([
    { first: 0, last: 3 },
    { first: 5, last: 6 },
  ]);
});

describe('gaps of an epoch', () => {
  const batch = (number: number, gaps: CountBatch['gaps'] = []): CountBatch => ({
    ...{ probe: 'eu-1', epoch: 1, number, gaps, index: number, key: 'k', lines: 0, config: '' },
    minutes: { first: 0, last: 0 },
    clock: { boundMs: 5, ageS: 0 },
  });

  test('numbers that nobody has are missing, but for those that are said to be dropped', () => {
    const ofMonth = [batch(10), batch(12, [{ first: 11, last: 11 }]), batch(17), batch(20)];
    // Of other months: they are no gap, and neither is what lies before the month's first.
    const all = [batch(3), ...ofMonth, batch(15), batch(30)];
    expect(gapsOf(1, ofMonth, all)).toEqual([
      { epoch: 1, first: 11, last: 11, why: 'dropped' },
      { epoch: 1, first: 13, last: 14, why: 'missing' },
      { epoch: 1, first: 16, last: 16, why: 'missing' },
      { epoch: 1, first: 18, last: 19, why: 'missing' },
    ]);
  });

  test('none of one batch, or of numbers without a gap', () => {
    expect(gapsOf(1, [batch(4)], [batch(4)])).toEqual([]);
    expect(gapsOf(1, [batch(4), batch(5)], [batch(4), batch(5)])).toEqual([]);
  });
});
