/**
 * How wrong the probe's clock can be. Pure. CONTRACTS "Clock": the greatest |probe - collector| + half the round trip
 * over the last hour of acknowledgements, + 0.1 ms for each second since the last; -1 when never compared, or when the
 * wall clock stepped over 1 s against the monotonic one since. The system's own flag is not used.
 *
 * It departs from that sentence in one thing: a comparison whose round trip took over 1 s does not count while there
 * is one of the last hour that took less. A slow answer says little of the clock, not that it is wrong: by the
 * sentence alone, one stall of the collector for over 4 s would make an hour of true measurements unknown. The age is
 * that of the newest one that counts, so the bound holds; a slow one that proves more than the bound allows counts.
 */
import { HOUR_MS, type Instant, MINUTE_MS } from '@highwater/config/time.ts';

const stepLimitMs = 1_000;
const agingPerSecondMs = 0.1;
/** A comparison that took longer counts only for want of a better one. */
const slowMs = 1_000;

/** Both clocks, read together. */
export interface Reading {
  readonly wallAt: Instant;
  readonly monotonicMs: number;
}

export interface Comparison {
  /** When the acknowledgement came. */
  readonly received: Reading;
  readonly roundTripMs: number;
  /** The collector's clock, from the acknowledgement. */
  readonly collectorAt: Instant;
}

/** The worst of each minute, and the clocks at the newest comparison. */
export interface ClockState {
  readonly worst: readonly { readonly monotonicMs: number; readonly errorMs: number }[];
  readonly last?: Reading;
  /** All of them were slow. */
  readonly slow?: true;
}

export const neverCompared: ClockState = { worst: [] };

/** Takes in what an acknowledgement told. */
export function compared(before: ClockState, { received, roundTripMs, collectorAt }: Comparison): ClockState {
  const { monotonicMs } = received;
  const known = stepped(before, received) ? neverCompared : before;
  const fresh = known.worst.filter((each) => monotonicMs - each.monotonicMs < HOUR_MS);
  const offsetMs = Math.abs(received.wallAt - roundTripMs / 2 - collectorAt);
  const errorMs = offsetMs + roundTripMs / 2;
  const isSlow = roundTripMs > slowMs;
  const hasBetter = fresh.length > 0 && !known.slow;
  const provesMore = offsetMs - roundTripMs / 2 > clockBound(known, received).boundMs;
  if (isSlow && hasBetter && !provesMore) return known;
  if (isSlow)
    return { ...withWorst(fresh, monotonicMs, errorMs, received), ...(hasBetter ? {} : { slow: true }) };
  return withWorst(known.slow ? [] : fresh, monotonicMs, errorMs, received);
}

/** One entry a minute bounds the memory; the worse of two stays. */
function withWorst(
  fresh: ClockState['worst'],
  monotonicMs: number,
  errorMs: number,
  last: Reading,
): ClockState {
  const newest = fresh.at(-1);
  if (!newest || monotonicMs - newest.monotonicMs >= MINUTE_MS) {
    return { worst: [...fresh, { monotonicMs, errorMs }], last };
  }
  const worse = { monotonicMs: newest.monotonicMs, errorMs: Math.max(newest.errorMs, errorMs) };
  return { worst: [...fresh.slice(0, -1), worse], last };
}

/** Whole milliseconds, rounded up, and the age of the newest comparison in whole seconds. */
export function clockBound(
  state: ClockState,
  now: Reading,
): { readonly boundMs: number; readonly ageS: number } {
  if (!state.last || stepped(state, now)) return { boundMs: -1, ageS: 0 };
  const ageS = Math.max(0, (now.monotonicMs - state.last.monotonicMs) / 1_000);
  const worst = Math.max(...state.worst.map((each) => each.errorMs));
  return { boundMs: Math.ceil(worst + ageS * agingPerSecondMs), ageS: Math.floor(ageS) };
}

/** Whether the wall clock moved against the monotonic one since the newest comparison. */
export function stepped({ last }: ClockState, now: Reading): boolean {
  if (!last) return false;
  return Math.abs(now.wallAt - last.wallAt - (now.monotonicMs - last.monotonicMs)) > stepLimitMs;
}
