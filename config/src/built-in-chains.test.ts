import { describe, expect, it } from 'vitest';
import { builtInChains } from './built-in-chains.ts';
import { defaultMaxAgeMs, defaultMaxLagBlocks } from './chains.ts';

describe('a node that falls behind lags before its block is too old', () => {
  it.each(Object.entries(builtInChains))('on %s', (_, { maxLagBlocks, blockTimeMs, maxAgeMs }) => {
    expect(maxLagBlocks).toBeGreaterThanOrEqual(3);
    expect(maxLagBlocks * blockTimeMs).toBeLessThanOrEqual(0.6 * maxAgeMs);
  });

  it.each([
    [250, 60_000, 120],
    [1_000, 60_000, 30],
    [1_000, 10_000, 5],
    [3_000, 60_000, 10],
    [6_000, 120_000, 10],
    [12_000, 240_000, 5],
    [600_000, 12_000_000, 3],
  ])('on a chain of one’s own with a block in %i ms and an age of %i ms', (blockTimeMs, ageMs, lag) => {
    expect(defaultMaxLagBlocks(blockTimeMs, ageMs)).toBe(lag);
    expect(lag * blockTimeMs).toBeLessThanOrEqual(0.6 * ageMs);
  });

  it.each([1, 40, 999, 1_000, 2_999, 3_001, 7_777, 12_345, 86_400_000])(
    'on one with a block in %i ms and nothing else said',
    (blockTimeMs) => {
      const ageMs = defaultMaxAgeMs(blockTimeMs);
      // Half of the age, rounded up to a whole block.
      expect(defaultMaxLagBlocks(blockTimeMs, ageMs) * blockTimeMs).toBeLessThan(ageMs / 2 + blockTimeMs);
    },
  );
});
