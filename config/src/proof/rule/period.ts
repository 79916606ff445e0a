/** Stretches of time over which minutes are summed: whole UTC days and months, and the last so many closed minutes. */
import { DAY_MS, MINUTES_PER_DAY } from '../../time.ts';
import type { MinuteRange } from './evaluate.ts';
import { type Counts, emptyCounts, type RuleTotals } from './totals.ts';

const countKeys = Object.keys(emptyCounts) as readonly (keyof Counts)[];

/** UTC day numbers since 1970, both inclusive. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/** `24h` is the last 1,440 closed minutes; the others are so many UTC days, of which the last is today. */
export const PERIODS = ['24h', '7d', '30d', '90d'] as const;

const daysOf: Readonly<Record<string, number>> = { '7d': 7, '30d': 30, '90d': 90 };

/** The days of `7d`, `30d` and `90d` with today, or of a month such as `2026-11`; undefined for anything else. */
export function daysOfPeriod(period: string, today: number): DayRange | undefined {
  const days = Object.hasOwn(daysOf, period) ? daysOf[period] : undefined;
  if (days !== undefined) return { first: today - days + 1, last: today };
  const month = parseMonth(period);
  return month === undefined ? undefined : daysOfMonth(month);
}

/** The last so many minutes, of which `last` is the last. */
export function lastMinutes(count: number, last: number): MinuteRange {
  return { first: last - count + 1, last };
}

/** All minutes of some days. */
export function minutesOfDays({ first, last }: DayRange): MinuteRange {
  return { first: first * MINUTES_PER_DAY, last: (last + 1) * MINUTES_PER_DAY - 1 };
}

/** A month as year x 12 + month - 1, of the UTC day that is given. */
export function monthOfDay(day: number): number {
  const date = new Date(day * DAY_MS);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

export function daysOfMonth(month: number): DayRange {
  return { first: firstDayOf(month), last: firstDayOf(month + 1) - 1 };
}

function firstDayOf(month: number): number {
  return Date.UTC(Math.floor(month / 12), month % 12) / DAY_MS;
}

/** `2026-11`, from 1970 on. */
export function formatMonth(month: number): string {
  return `${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, '0')}`;
}

/** Undefined for what formatMonth does not write. */
export function parseMonth(text: string): number | undefined {
  const match = /^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])$/.exec(text);
  return match ? Number(match[1]) * 12 + Number(match[2]) - 1 : undefined;
}

/** `2026-11-21` as a UTC day number; undefined for a day that there is not. */
export function parseDay(text: string): number | undefined {
  const match = /^([0-9]{4}-[0-9]{2})-([0-9]{2})$/.exec(text);
  const month = parseMonth(match?.[1] ?? '');
  if (month === undefined) return undefined;
  const { first, last } = daysOfMonth(month);
  const day = first + Number(match?.[2]) - 1;
  return first <= day && day <= last ? day : undefined;
}

/** The same as addTotals of all of them, without a new object for each. */
export function sumTotals(all: Iterable<RuleTotals>): RuleTotals {
  const outside: Record<keyof Counts, number> = { ...emptyCounts };
  const inMaintenance: Record<keyof Counts, number> = { ...emptyCounts };
  let maintenance = 0;
  for (const totals of all) {
    for (const key of countKeys) {
      outside[key] += totals[key];
      inMaintenance[key] += totals.inMaintenance[key];
    }
    maintenance += totals.maintenance;
  }
  return { ...outside, maintenance, inMaintenance };
}
