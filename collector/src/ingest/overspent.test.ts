import { expect, it } from 'vitest';
import { AGAIN_AFTER_MS, openOverspent, OVER_AFTER_MS, TOLD_AFTER_MS } from './overspent.ts';

function asked(...times: number[]): number[] {
  let now = 0;
  const told: number[] = [];
  const overspent = openOverspent({ monotonic: () => now }, ({ key }) => {
    expect(key).toBe('budget eu-1');
    told.push(now);
  });
  for (const time of times) {
    now = time;
    overspent('eu-1', 'leaves');
  }
  return told;
}

const day = AGAIN_AFTER_MS;
it.each([
  ['once', [0], []],
  ['for less', [0, TOLD_AFTER_MS - 1], []],
  ['for long', [0, TOLD_AFTER_MS, TOLD_AFTER_MS + 1], [TOLD_AFTER_MS]],
  ['twice, far apart', [0, OVER_AFTER_MS + 1], []],
  [
    'for long, the next day again',
    [0, TOLD_AFTER_MS, day, day + 2 * TOLD_AFTER_MS],
    [TOLD_AFTER_MS, day + 2 * TOLD_AFTER_MS],
  ],
])('spent %s', (_, times, told) => {
  expect(asked(...times)).toEqual(told);
});
