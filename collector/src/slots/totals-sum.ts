/** Sums of minutes as the rule counts them: it counts each byte once, and the minutes of a byte are all alike. */
import {
  type Counts,
  countSlots,
  emptyCounts,
  emptyTotals,
  type RuleTotals,
} from '@highwater/config/proof/rule/totals.ts';
import { BYTES, slotOfByte } from './byte.ts';

export const countKeys = Object.keys(emptyCounts) as readonly (keyof Counts)[];

interface Place {
  readonly isMaintained: boolean;
  /** Whether its requests count. */
  readonly asks: boolean;
  readonly keys: readonly (keyof Counts)[];
}

/** What one minute of a byte adds to. */
const places = Array.from({ length: BYTES }, (_, byte): Place | undefined => {
  const slot = slotOfByte(byte);
  if (slot === undefined) return undefined;
  const totals = countSlots([slot], () => ({ requests: 1, succeeded: 1 }));
  const counts = totals.maintenance > 0 ? totals.inMaintenance : totals;
  return {
    isMaintained: totals.maintenance > 0,
    asks: counts.requests > 0,
    keys: countKeys.filter((key) => key !== 'requests' && key !== 'succeeded' && counts[key] > 0),
  };
});

export type MutableCounts = { -readonly [key in keyof Counts]: number };
/** Totals that are filled again, or added to: for where thousands are read, and none is kept. */
export type MutableTotals = { -readonly [key in keyof Omit<RuleTotals, 'inMaintenance'>]: number } & {
  readonly inMaintenance: MutableCounts;
};

export function newTotals(): MutableTotals {
  return { ...emptyTotals, inMaintenance: { ...emptyCounts } };
}

/** A copy that stays as it is. */
export function keptTotals({ inMaintenance, ...totals }: RuleTotals): RuleTotals {
  return { ...totals, inMaintenance: { ...inMaintenance } };
}

/** All minutes of these counts; `degraded` lies over `up`. */
export function minutesOf({ up, down, unknown, stalled }: Counts): number {
  return up + down + unknown + stalled;
}

export function addTo(sum: MutableTotals, totals: RuleTotals): void {
  for (const key of countKeys) {
    sum[key] += totals[key];
    sum.inMaintenance[key] += totals.inMaintenance[key];
  }
  sum.maintenance += totals.maintenance;
}

export interface Sum {
  /** So many minutes of one byte, and all their requests. */
  add(byte: number, minutes: number, requests: number, succeeded: number): void;
  totals(): RuleTotals;
}

export function openSum(): Sum {
  const outside: Record<keyof Counts, number> = { ...emptyCounts };
  const inMaintenance: Record<keyof Counts, number> = { ...emptyCounts };
  let maintenance = 0;
  return {
    add(byte, minutes, requests, succeeded) {
      const place = places[byte];
      if (place === undefined) return;
      const into = place.isMaintained ? inMaintenance : outside;
      if (place.isMaintained) maintenance += minutes;
      for (const key of place.keys) into[key] += minutes;
      if (!place.asks) return;
      into.requests += requests;
      into.succeeded += succeeded;
    },
    totals: () => ({ ...outside, maintenance, inMaintenance }),
  };
}
