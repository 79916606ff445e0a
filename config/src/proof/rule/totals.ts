/** Minutes counted (CONTRACTS "Totals"). Sums of totals are totals, in any order. */
import type { Totals } from '../../domain.ts';
import type { Slot, UnknownCause } from './slot.ts';

/** Integers that add up. */
export interface Counts {
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
  readonly stalled: number;
  /** Lies over `up`; not added. */
  readonly degraded: number;
  /** `unknown` by cause; their sum is `unknown`. */
  readonly unknownNoData: number;
  readonly unknownSplit: number;
  readonly unknownProbe: number;
  readonly unknownClock: number;
  /** Single requests that counted, and those of them that succeeded (ok or degraded). */
  readonly requests: number;
  readonly succeeded: number;
}

export interface RuleTotals extends Totals, Counts {
  /** The minutes in maintenance, by what they would have been; their up, down, unknown and stalled make `maintenance`. */
  readonly inMaintenance: Counts;
}

/** Requests of one minute that counted. */
export interface Requests {
  readonly requests: number;
  readonly succeeded: number;
}

export const emptyCounts: Counts = {
  up: 0,
  down: 0,
  unknown: 0,
  stalled: 0,
  degraded: 0,
  unknownNoData: 0,
  unknownSplit: 0,
  unknownProbe: 0,
  unknownClock: 0,
  requests: 0,
  succeeded: 0,
};

export const emptyTotals: RuleTotals = { ...emptyCounts, maintenance: 0, inMaintenance: emptyCounts };

const noRequests: Requests = { requests: 0, succeeded: 0 };
const countKeys = Object.keys(emptyCounts) as (keyof Counts)[];
const causeKey: Readonly<Record<UnknownCause, keyof Counts>> = {
  'no-data': 'unknownNoData',
  split: 'unknownSplit',
  probe: 'unknownProbe',
  clock: 'unknownClock',
};

/** up + down + unknown: what coverage and bounds are counted against. */
export function allOf(totals: Pick<Counts, 'up' | 'down' | 'unknown'>): number {
  return totals.up + totals.down + totals.unknown;
}

function addCounts(a: Counts, b: Counts): Counts {
  const sum: Record<keyof Counts, number> = { ...a };
  for (const key of countKeys) sum[key] += b[key];
  return sum;
}

export function addTotals(a: RuleTotals, b: RuleTotals): RuleTotals {
  return {
    ...addCounts(a, b),
    maintenance: a.maintenance + b.maintenance,
    inMaintenance: addCounts(a.inMaintenance, b.inMaintenance),
  };
}

/** Counts slots; undefined ones (not configured then) are left out. Maintenance comes first, then stalled. */
export function countSlots(
  slots: readonly (Slot | undefined)[],
  requestsAt: (i: number) => Requests = () => noRequests,
): RuleTotals {
  const outside = { ...emptyCounts } as Record<keyof Counts, number>;
  const inMaintenance = { ...emptyCounts } as Record<keyof Counts, number>;
  let maintenance = 0;
  for (const [i, slot] of slots.entries()) {
    if (!slot) continue;
    if (slot.maintenance) maintenance += 1;
    count(slot.maintenance ? inMaintenance : outside, slot, requestsAt(i));
  }
  return { ...outside, maintenance, inMaintenance };
}

function count(into: Record<keyof Counts, number>, slot: Slot, asked: Requests): void {
  if (slot.stalled) {
    into.stalled += 1;
    return;
  }
  into[slot.state] += 1;
  if (slot.degraded) into.degraded += 1;
  if (slot.state === 'unknown') into[causeKey[slot.cause ?? 'no-data']] += 1;
  into.requests += asked.requests;
  into.succeeded += asked.succeeded;
}

/** "With maintenance": those minutes put back by their slot. */
export function withMaintenance(totals: RuleTotals): RuleTotals {
  return { ...addCounts(totals, totals.inMaintenance), maintenance: 0, inMaintenance: emptyCounts };
}
