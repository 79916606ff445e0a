import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Advance, advanced } from './advance.ts';

/** Heights that are heard each 30 s; says after each how many seconds it has not advanced. */
function ages(heights: readonly number[]): number[] {
  let state: Advance | undefined;
  return heights.map((height, i) => {
    state = advanced(state, height, i * 30_000);
    return i * 30 - state.at / 1_000;
  });
}

describe('a node whose blocks have no time', () => {
  it.each<[string, number[], number[]]>([
    ['moves', [1_000, 1_001, 1_005], [0, 0, 0]],
    ['stands still', [1_000, 1_000, 1_000], [0, 30, 60]],
    ['seesaws', [1_000, 999, 1_000, 999, 1_000], [0, 30, 60, 90, 120]],
    ['seesaws and then moves', [1_000, 999, 1_000, 1_001], [0, 30, 60, 0]],
    ['goes down', [1_000, 999, 998, 997], [0, 30, 60, 90]],
    ['goes back up from a short fall', [1_000, 936, 937, 1_000, 1_001], [0, 30, 60, 90, 0]],
    ['begins anew far below', [1_000, 935, 935, 936, 937], [0, 30, 60, 0, 0]],
    ['told one height that is far too high', [1_000, 1_005, 100_000, 1_010, 1_015], [0, 0, 0, 0, 0]],
    ['told it, and stands still', [1_000, 100_000, 1_000, 1_000, 999], [0, 0, 30, 60, 90]],
    ['told it first', [100_000, 1_000, 1_005, 1_010], [0, 30, 0, 0]],
    ['tells it again and again, and moves', [1_000, 9_000, 1_001, 9_000, 1_002], [0, 0, 0, 30, 0]],
    ['tells it again and again, and stands still', [1_000, 9_000, 1_000, 9_000, 1_000], [0, 0, 30, 60, 90]],
    ['is two that stand still', [1_000, 900, 1_000, 900, 1_000], [0, 30, 60, 90, 120]],
    ['is two of which one moves', [1_000, 900, 1_000, 901, 1_000], [0, 30, 60, 0, 30]],
    ['catches up in leaps from far below', [9_000, 1_000, 2_000, 3_000, 9_001], [0, 30, 0, 0, 0]],
    ['reaches and passes what was made up', [90, 100, 180, 110, 175, 181], [0, 0, 0, 0, 30, 0]],
  ])('that %s', (_, heights, expected) => {
    expect(ages(heights)).toEqual(expected);
  });

  it('is never old while it moves, whatever it tells once in between', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 10 }), { minLength: 3, maxLength: 40 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 0, max: 39 }), fc.integer({ min: 2_000 }), (rises, at, lie) => {
        let height = 1_000;
        const heights = rises.map((rise, i) => (i === at ? lie : (height += rise)));
        expect(Math.max(...ages(heights))).toBeLessThanOrEqual(30);
      }),
    );
  });

  // A height may be mistaken for an advance: 65, 1 and 0 leave the levels 65 and 0, and the next 1 rises from 0. Each mistake
  // raises a level to another height that was heard or adds one, so with n heights there are at most n(n + 1)/2 in all.
  it('that stands still behind up to eight nodes is old in the end', () => {
    const nodes = fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(nodes, fc.array(fc.nat(7), { minLength: 20, maxLength: 200 }), (heights, picks) => {
        const heard = picks.map((pick) => heights[pick % heights.length] as number);
        const advances = ages(heard).filter((age) => age === 0).length;
        expect(advances).toBeLessThanOrEqual((heights.length * (heights.length + 1)) / 2);
      }),
      {
        examples: [
          [
            [1, 65, 0],
            [1, 0, 2, ...Array<number>(20).fill(0)],
          ],
        ],
      },
    );
  });
});
