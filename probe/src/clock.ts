/**
 * How wrong the probe's clock can be. Pure. CONTRACTS "Clock": the greatest |probe - collector| + half the round trip
 * over the last hour of acknowledgements, + 0.1 ms for each second since the last; -1 when never compared, or when the
 * wall clock stepped over 1 s against the monotonic one since. The system's own flag is not used.
 */
import { HOUR_MS, type Instant, MINUTE_MS } from '@highwater/config/time.ts';

const stepLimitMs = 1_000;
const agingPerSecondMs = 0.1;

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
}

export const neverCompared: ClockState = { worst: [] };

/** Takes in what an acknowledgement told. */
export function compared(before: ClockState, { received, roundTripMs, collectorAt }: Comparison): ClockState {
  const state = stepped(before, received) ? neverCompared : before;
  const probeAt = received.wallAt - roundTripMs / 2;
  const errorMs = Math.abs(probeAt - collectorAt) + roundTripMs / 2;
  const { monotonicMs } = received;
  const fresh = state.worst.filter((each) => monotonicMs - each.monotonicMs < HOUR_MS);
  const newest = fresh.at(-1);
  // One entry a minute bounds the memory; the worse of two stays.
  const sameMinute = newest && monotonicMs - newest.monotonicMs < MINUTE_MS;
  const kept = sameMinute ? fresh.slice(0, -1) : fresh;
  const entry = sameMinute
    ? { monotonicMs: newest.monotonicMs, errorMs: Math.max(newest.errorMs, errorMs) }
    : { monotonicMs, errorMs };
  return { worst: [...kept, entry], last: received };
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
