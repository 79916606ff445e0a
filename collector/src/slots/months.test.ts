/** All months of nine years: their days, their sums, and that the host's time zone changes none of their integers. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { digestOfMonths, FIRST_MONTH, LAST_MONTH, slotsOfDay } from '../testing/months.ts';
import { addTotals, allOf, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { totalsOfPlane } from './day.ts';
import { daysOfMonth, decodeMonth, encodeMonth } from './month.ts';

/** As everyone learns them. */
function lengthOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}

describe('months from 2024 to 2032', () => {
  it('have the days that they have', () => {
    let next = daysOfMonth(FIRST_MONTH).first;
    for (let month = FIRST_MONTH; month <= LAST_MONTH; month += 1) {
      const { first, last } = daysOfMonth(month);
      expect(first).toBe(next);
      expect(last - first + 1).toBe(lengthOf(Math.floor(month / 12), (month % 12) + 1));
      next = last + 1;
    }
    // Counted by hand: 2024, 2028 and 2032 are leap years.
    expect(next - daysOfMonth(FIRST_MONTH).first).toBe(9 * 365 + 3);
  });

  it('add up: over months, over days and over the whole the same', () => {
    let [whole, overDays, overMonths] = [emptyTotals, emptyTotals, emptyTotals];
    let minutes = 0;
    for (let month = FIRST_MONTH; month <= LAST_MONTH; month += 1) {
      const { first, last } = daysOfMonth(month);
      const days = new Map<number, ReadonlyMap<string, RuleTotals>>();
      let ofMonth = emptyTotals;
      for (let day = first; day <= last; day += 1) {
        const plane = slotsOfDay(day);
        // Cut at another minute each day.
        const cut = (day * 37) % 1_440;
        const totals = totalsOfPlane(plane);
        expect(addTotals(totalsOfPlane(plane, 0, cut), totalsOfPlane(plane, cut + 1))).toEqual(totals);
        for (const byte of plane.slots) if ((byte & 3) !== 0) minutes += 1;
        days.set(day, new Map([['', totals]]));
        ofMonth = addTotals(ofMonth, totals);
        whole = addTotals(whole, totals);
      }
      const read = decodeMonth(encodeMonth(days)).get('') ?? new Map<number, RuleTotals>();
      expect([...read.keys()]).toEqual([...days.keys()]);
      for (const totals of read.values()) overDays = addTotals(overDays, totals);
      overMonths = addTotals(overMonths, ofMonth);
    }
    expect(overDays).toEqual(whole);
    expect(overMonths).toEqual(whole);
    const { unknown, unknownNoData, unknownSplit, unknownProbe, unknownClock } = whole;
    expect(allOf(whole) + whole.stalled + whole.maintenance).toBe(minutes);
    expect(unknownNoData + unknownSplit + unknownProbe + unknownClock).toBe(unknown);
  });

  it('are the same integers whatever the time zone of the host', { timeout: 120_000 }, () => {
    const here = digestOfMonths();
    const module = new URL('../testing/months.ts', import.meta.url).href;
    const script = `const { digestOfMonths } = await import('${module}');
      console.log(new Date(0).getTimezoneOffset(), digestOfMonths());`;
    const offsets = ['UTC', 'America/St_Johns', 'Pacific/Chatham'].map((TZ) => {
      const args = ['--input-type=module', '-e', script];
      const told = execFileSync(process.execPath, args, { env: { ...process.env, TZ }, encoding: 'utf8' });
      const [offset, digest] = told.trim().split(' ');
      expect({ TZ, digest }).toEqual({ TZ, digest: here });
      return offset;
    });
    // The children were where they should be.
    expect(new Set(offsets).size).toBe(3);
  });
});
