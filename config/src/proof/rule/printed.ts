/** How counts become text, with integers alone (CONTRACTS "Printed"). */
import { allOf } from './totals.ts';

/** Texts such as `99.9950 %`; absent where the rule gives none. */
export interface Printed {
  readonly figure?: string;
  readonly coverage?: string;
  readonly atLeast?: string;
  readonly atMost?: string;
  /** Coverage below 99.9 %. */
  readonly incomplete: boolean;
}

interface Minutes {
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
}

/**
 * The uptime of a period. The figure is left out below 90 % coverage and where nothing is known; the bounds stand
 * wherever anything is unknown; without any minute there is nothing to print.
 */
export function printedUptime(totals: Minutes): Printed {
  const { up, down, unknown } = totals;
  const known = up + down;
  const all = allOf(totals);
  if (all === 0) return { incomplete: false };
  return {
    ...(known > 0 && BigInt(known) * 10n >= BigInt(all) * 9n ? { figure: percentDown(up, known) } : {}),
    coverage: percentDown(known, all),
    ...(unknown > 0 ? { atLeast: percentDown(up, all), atMost: percentUp(up + unknown, all) } : {}),
    incomplete: BigInt(known) * 1_000n < BigInt(all) * 999n,
  };
}

/** The share of single requests that succeeded; undefined when none counted. */
export function printedShare(counts: {
  readonly succeeded: number;
  readonly requests: number;
}): string | undefined {
  return counts.requests === 0 ? undefined : percentDown(counts.succeeded, counts.requests);
}

/** part / whole as a percentage with four decimals, rounded down: never 100 unless part is the whole. */
export function percentDown(part: number, whole: number): string {
  return percentOf((BigInt(part) * 1_000_000n) / BigInt(whole));
}

/** As percentDown, rounded up: never 0 unless part is 0. */
export function percentUp(part: number, whole: number): string {
  return percentOf((BigInt(part) * 1_000_000n + BigInt(whole) - 1n) / BigInt(whole));
}

/** Millionths as a percentage: `99.9950 %`, `-0.5000 %`. */
export function percentOf(millionths: bigint): string {
  const size = millionths < 0n ? -millionths : millionths;
  const sign = millionths < 0n ? '-' : '';
  return `${sign}${size / 10_000n}.${String(size % 10_000n).padStart(4, '0')} %`;
}
