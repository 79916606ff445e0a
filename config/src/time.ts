/** Time as the house counts it: Unix milliseconds UTC, integers. Pure. */

/** Unix milliseconds, UTC. */
export type Instant = number;

/** What the shell hands to code that needs the time; decisions get an Instant instead. */
export interface Clock {
  /** Wall clock, Unix milliseconds. May step. */
  now(): Instant;
  /** Monotonic milliseconds from an arbitrary start. Never steps. */
  monotonic(): number;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
export const MINUTES_PER_DAY = 1_440;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  mo: 30 * DAY_MS,
  y: 365 * DAY_MS,
};

/**
 * Reads `500ms 30s 5m 1h 14d 13mo 5y` (a month is 30 days, a year 365).
 * Returns undefined for anything else: no fractions, signs, spaces or leading zeros.
 */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(0|[1-9][0-9]{0,9})(ms|s|mo|m|h|d|y)$/.exec(text);
  const unit = unitMs[match?.[2] ?? ''];
  return match && unit !== undefined ? Number(match[1]) * unit : undefined;
}

/** The shortest exact form of a duration: 90000 -> `90s`, 3600000 -> `1h`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = unitMs[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

/** The UTC minute that an instant lies in: floor(ms / 60000). */
export function minuteOf(at: Instant): number {
  return Math.floor(at / MINUTE_MS);
}

/** The UTC day that a minute lies in: floor(minute / 1440). */
export function dayOfMinute(minute: number): number {
  return Math.floor(minute / MINUTES_PER_DAY);
}

/** Days that were written lately: a page names the same ninety for each of its monitors. */
const dayTexts = new Map<number, string>();
const MAX_DAY_TEXTS = 1_000;

/** `2026-11-21` for a UTC day number. */
export function formatDay(day: number): string {
  const had = dayTexts.get(day);
  if (had !== undefined) return had;
  const text = new Date(day * DAY_MS).toISOString().slice(0, 10);
  if (dayTexts.size >= MAX_DAY_TEXTS) dayTexts.clear();
  dayTexts.set(day, text);
  return text;
}
