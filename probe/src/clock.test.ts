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
});
