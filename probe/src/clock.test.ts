import { describe, expect, it } from 'vitest';
import { clockBound, compared, neverCompared } from './clock.ts';

const at = (ms: number, aheadMs = 0) => ({ wallAt: 1_000_000 + ms + aheadMs, monotonicMs: ms });
const heard = (ms: number, offMs: number, roundTripMs = 20, aheadMs = 0) => ({
  received: at(ms, aheadMs),
  roundTripMs,
  collectorAt: 1_000_000 + ms + aheadMs - roundTripMs / 2 - offMs,
});

describe('the clock bound', () => {
  it('is -1 before any comparison', () => {
    expect(clockBound(neverCompared, at(0))).toEqual({ boundMs: -1, ageS: 0 });
  });

  it('is the difference and half the round trip', () => {
    const state = compared(neverCompared, heard(0, 30));
    expect(clockBound(state, at(0))).toEqual({ boundMs: 40, ageS: 0 });
    expect(clockBound(compared(neverCompared, heard(0, -30)), at(0)).boundMs).toBe(40);
  });

  it('grows by a tenth of a millisecond a second', () => {
    const state = compared(neverCompared, heard(0, 30));
    expect(clockBound(state, at(100_000))).toEqual({ boundMs: 50, ageS: 100 });
    expect(clockBound(state, at(100_900))).toEqual({ boundMs: 51, ageS: 100 });
  });

  it('is the greatest of the last hour', () => {
    let state = compared(neverCompared, heard(0, 300));
    for (let minute = 1; minute < 60; minute += 1) state = compared(state, heard(minute * 60_000, 1));
    expect(clockBound(state, at(59 * 60_000)).boundMs).toBe(310);
    for (let minute = 60; minute < 62; minute += 1) state = compared(state, heard(minute * 60_000, 1));
    expect(clockBound(state, at(61 * 60_000)).boundMs).toBe(11);
    expect(state.worst.length).toBeLessThanOrEqual(61);
  });

  it('is -1 from a step of over a second until the next comparison', () => {
    const state = compared(neverCompared, heard(0, 500));
    expect(clockBound(state, at(60_000, 1_000)).boundMs).toBeGreaterThan(0);
    expect(clockBound(state, at(60_000, 1_001)).boundMs).toBe(-1);
    expect(clockBound(state, at(60_000, -1_001)).boundMs).toBe(-1);
    const again = compared(state, heard(61_000, 3, 20, 5_000));
    expect(clockBound(again, at(61_000, 5_000)).boundMs).toBe(13);
  });

  const minutes = (n: number) => n * 60_000;
  const after = (...each: ReturnType<typeof heard>[]) => each.reduce(compared, neverCompared);
  it.each([
    [
      'a stall of 14 s changes nothing',
      after(heard(0, 3), heard(minutes(5), 3, 14_000)),
      minutes(5),
      13 + 30,
    ],
    ['one of just a second counts', after(heard(0, 3), heard(minutes(5), 3, 1_000)), minutes(5), 503],
    [
      'only ever slow ones: a large bound',
      after(heard(0, 3, 4_000), heard(minutes(5), 3, 9_000)),
      minutes(5),
      4_503,
    ],
    [
      'a quick one takes the place of slow ones',
      after(heard(0, 3, 9_000), heard(minutes(5), 3)),
      minutes(5),
      13,
    ],
    [
      'an hour after the last quick one, slow ones count',
      after(heard(0, 3), heard(minutes(61), 3, 4_000)),
      minutes(61),
      2_003,
    ],
    [
      'a slow one after 59 minutes does not',
      after(heard(0, 3), heard(minutes(59), 3, 4_000)),
      minutes(59),
      13 + 354,
    ],
    [
      'a slow one that proves that a clock is wrong counts',
      after(heard(0, 3), heard(minutes(5), 10_000, 4_000)),
      minutes(5),
      12_000,
    ],
  ])('%s', (_, state, ms, boundMs) => {
    expect(clockBound(state, at(ms)).boundMs).toBe(boundMs);
  });

  it('sees a step of the clock also by a slow answer', () => {
    const state = after(heard(0, 3), heard(minutes(1), 3, 4_000));
    expect(clockBound(state, at(minutes(2), 5_000)).boundMs).toBe(-1);
    const stepped = compared(state, heard(minutes(2), 3, 4_000, 5_000));
    expect(clockBound(stepped, at(minutes(2), 5_000)).boundMs).toBe(2_003);
  });
});
