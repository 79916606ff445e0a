/** Nine years of slots that are always the same, and a hash of all that is counted and printed of them, month by month. */
import { createHash } from 'node:crypto';
import { dayOfMinute, formatDay, MINUTE_MS, minuteOf, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { daysOfPeriod, formatMonth, parseDay, parseMonth } from '@highwater/config/proof/rule/period.ts';
import { printedShare, printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { addTotals, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { type DayPlane, encodeDay, totalsOfPlane } from '../slots/day.ts';
import { daysOfMonth, encodeMonth, monthOfDay } from '../slots/month.ts';

/** January 2024 and December 2032, as year x 12 + month - 1. */
export const FIRST_MONTH = 2024 * 12;
export const LAST_MONTH = 2032 * 12 + 11;

/** Slots of every kind in stretches of any length; of a day always the same. */
export function slotsOfDay(day: number): DayPlane {
  const slots = new Uint8Array(MINUTES_PER_DAY);
  const requests = new Uint32Array(MINUTES_PER_DAY);
  const succeeded = new Uint32Array(MINUTES_PER_DAY);
  let state = (day * 2_654_435_761) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 8;
  };
  for (let minute = 0; minute < MINUTES_PER_DAY;) {
    const end = Math.min(MINUTES_PER_DAY, minute + 1 + (next() % 300));
    const byte = next() % 128;
    const asked = (byte & 3) === 0 ? 0 : next() % 20;
    slots.fill(byte, minute, end);
    requests.fill(asked, minute, end);
    succeeded.fill(asked === 0 ? 0 : next() % (asked + 1), minute, end);
    minute = end;
  }
  return { slots, requests, succeeded };
}

/** Of times, periods, blocks and printed figures. */
export function digestOfMonths(): string {
  const hash = createHash('sha256');
  const add = (...values: readonly unknown[]): void => void hash.update(`${JSON.stringify(values)}\n`);
  for (let month = FIRST_MONTH; month <= LAST_MONTH; month += 1) {
    const { first, last } = daysOfMonth(month);
    const days = new Map<number, ReadonlyMap<string, RuleTotals>>();
    let sum = emptyTotals;
    for (let day = first; day <= last; day += 1) {
      const plane = slotsOfDay(day);
      const totals = totalsOfPlane(plane);
      days.set(day, new Map([['', totals]]));
      sum = addTotals(sum, totals);
      const minute = minuteOf(day * MINUTES_PER_DAY * MINUTE_MS - 1);
      add(formatDay(day), parseDay(formatDay(day)), monthOfDay(day), minute, dayOfMinute(minute));
      hash.update(encodeDay(new Map([['', plane]])));
    }
    const name = formatMonth(month);
    add(name, parseMonth(name), daysOfPeriod(name, last), daysOfPeriod('30d', last));
    add(sum, printedUptime(sum), printedShare(sum));
    hash.update(encodeMonth(days));
  }
  return hash.digest('hex');
}
