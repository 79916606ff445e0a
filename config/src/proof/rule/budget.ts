/**
 * What an objective allows, and how fast that is used up, with integers alone.
 *
 * Error budget and burn rate as in the Google SRE Workbook, chapter 5, "Alerting on SLOs": the budget is 1 - objective of
 * what was counted; a burn rate of 1 uses it up in just the period of the objective. The workbook looks at windows of 1 h
 * and 6 h (page) and of 3 d (ticket); 1 d lies between. The objective's period is 30 days, as in its table of burn rates.
 *
 * Minutes that are unknown, in maintenance or stalled are in neither part. What unknown ones could change is told beside:
 * the worst case is that all of them were down, the best that all were up.
 */
import { percentOf } from './printed.ts';
import { allOf } from './totals.ts';

const WHOLE = 1_000_000;

interface Minutes {
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
}

/** Minutes. */
export interface Budget {
  /** floor((up + down) x (1 - objective)). */
  readonly allowed: number;
  /** Those that were down. */
  readonly spent: number;
  /** allowed - spent: negative when it is overspent. */
  readonly left: number;
  /** `left` had all unknown minutes been down, and had they been up. */
  readonly leftAtLeast: number;
  readonly leftAtMost: number;
}

/** Reads `99.9%` exactly, as millionths: 999000. Undefined for anything else, or more than four decimals. */
export function parseObjective(text: string): number | undefined {
  const match = /^(?:100(?:\.0{1,4})?|([0-9]{1,2})(?:\.([0-9]{1,4}))?)%$/.exec(text);
  if (!match) return undefined;
  if (match[1] === undefined) return WHOLE;
  return Number(match[1]) * 10_000 + Number((match[2] ?? '').padEnd(4, '0'));
}

/** 999000 as `99.9 %`. */
export function printedObjective(millionths: number): string {
  return percentOf(BigInt(millionths)).replace(/\.?0+ %$/, ' %');
}

function allowedOf(minutes: number, objective: number): number {
  return Number((BigInt(minutes) * BigInt(WHOLE - objective)) / BigInt(WHOLE));
}

/** @param objective millionths */
export function budgetOf(totals: Minutes, objective: number): Budget {
  const { up, down, unknown } = totals;
  const allowed = allowedOf(up + down, objective);
  const allowedOfAll = allowedOf(allOf(totals), objective);
  return {
    allowed,
    spent: down,
    left: allowed - down,
    leftAtLeast: allowedOfAll - down - unknown,
    leftAtMost: allowedOfAll - down,
  };
}

/** `left` of `allowed` as a percentage, rounded down; undefined where nothing is allowed. */
export function printedLeft({ left, allowed }: Pick<Budget, 'left' | 'allowed'>): string | undefined {
  if (allowed === 0) return undefined;
  const [part, whole] = [BigInt(left) * BigInt(WHOLE), BigInt(allowed)];
  const isCut = part < 0n && part % whole !== 0n;
  return percentOf(part / whole - (isCut ? 1n : 0n));
}

/**
 * Texts with two decimals; the rate is rounded up, so that `0.00` says that nothing was down. There is none where nothing
 * is known, and none to an objective of 100 %: what may never be down has no budget that could burn.
 */
export type Burn =
  | { readonly none: 'no-data' | 'no-budget' }
  | {
      readonly rate: string;
      /** Had all unknown minutes been up (rounded down), and had they been down (rounded up); where any is. */
      readonly atLeast?: string;
      readonly atMost?: string;
    };

/** (down / (up + down)) / (1 - objective). @param objective millionths */
export function burnOf(totals: Minutes, objective: number): Burn {
  const { up, down, unknown } = totals;
  if (objective === WHOLE) return { none: 'no-budget' };
  if (up + down === 0) return { none: 'no-data' };
  const share = BigInt(WHOLE - objective);
  const hundredths = (part: number, whole: number, up: boolean): string => {
    const [above, below] = [BigInt(part) * BigInt(WHOLE) * 100n, BigInt(whole) * share];
    return hundredthsText((above + (up ? below - 1n : 0n)) / below);
  };
  const all = allOf(totals);
  return {
    rate: hundredths(down, up + down, true),
    ...(unknown === 0
      ? {}
      : { atLeast: hundredths(down, all, false), atMost: hundredths(down + unknown, all, true) }),
  };
}

function hundredthsText(hundredths: bigint): string {
  return `${hundredths / 100n}.${String(hundredths % 100n).padStart(2, '0')}`;
}
