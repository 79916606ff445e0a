/** Slots are minutes, but a slow check speaks for more than one (CONTRACTS "Window"). */
import { DAY_MS, MINUTES_PER_DAY, MINUTE_MS } from '../../time.ts';

/** The divisors of a day in minutes: 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 30, … 1,440. */
export const WINDOWS: readonly number[] = Array.from({ length: MINUTES_PER_DAY }, (_, i) => i + 1).filter(
  (minutes) => MINUTES_PER_DAY % minutes === 0,
);

/** The shortest window not below the interval, in minutes. Throws RangeError for an interval that is not 1 ms to a day. */
export function windowMinutesOf(intervalMs: number): number {
  const minutes = WINDOWS.find((candidate) => candidate * MINUTE_MS >= intervalMs);
  if (minutes === undefined || intervalMs <= 0)
    throw new RangeError(`no window for ${intervalMs} of ${DAY_MS} ms`);
  return minutes;
}

/** Both inclusive. */
export interface Window {
  readonly first: number;
  readonly last: number;
}

/** The aligned window of a minute, for a monitor that did not change that day. */
export function windowOf(minute: number, windowMinutes: number): Window {
  const first = minute - (minute % windowMinutes);
  return { first, last: first + windowMinutes - 1 };
}

/**
 * The windows of one UTC day, each with what was in force in its first minute. A window goes on to its aligned
 * end under that, whatever changes inside it; the next one begins there, or where the monitor first appears.
 */
export function windowsOfDay<T extends { readonly intervalMs: number }>(
  day: number,
  inForce: (minute: number) => T | undefined,
): (Window & { readonly under: T })[] {
  const windows: (Window & { readonly under: T })[] = [];
  const end = (day + 1) * MINUTES_PER_DAY;
  for (let minute = day * MINUTES_PER_DAY; minute < end;) {
    const under = inForce(minute);
    if (under) {
      const { last } = windowOf(minute, windowMinutesOf(under.intervalMs));
      windows.push({ first: minute, last, under });
      minute = last + 1;
    } else minute += 1;
  }
  return windows;
}
