import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { MINUTES_PER_DAY, formatDay } from '../../time.ts';
import { type Burn, budgetOf, burnOf, parseObjective, printedLeft, printedObjective } from './budget.ts';
import {
  daysOfMonth,
  daysOfPeriod,
  formatMonth,
  lastMinutes,
  minutesOfDays,
  monthOfDay,
  parseDay,
  parseMonth,
  sumTotals,
} from './period.ts';
import { printedUptime } from './printed.ts';
import type { Slot } from './slot.ts';
import { addTotals, allOf, countSlots, emptyTotals, type RuleTotals } from './totals.ts';

// Other suites may have the machine.
vi.setConfig({ testTimeout: 60_000 });
const runs = { numRuns: 10_000 };

const minutes = fc.record({ up: fc.nat(600_000), down: fc.nat(60_000), unknown: fc.nat(60_000) });
const objective = fc.oneof(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom(999_000, 1_000_000, 0));
const percent = (text = ''): number => Number.parseFloat(text);
const slot: fc.Arbitrary<Slot | undefined> = fc.option(
  fc.record({
    state: fc.constantFrom('up', 'down', 'unknown'),
    degraded: fc.boolean(),
    maintenance: fc.boolean(),
    stalled: fc.boolean(),
  }),
  { nil: undefined },
);
const day = fc
  .array(slot, { maxLength: 5 })
  .map((slots) => countSlots(slots, () => ({ requests: 2, succeeded: 1 })));

describe('an objective', () => {
  test.each([
    ['99.9%', 999_000],
    ['99.95%', 999_500],
    ['99.9999%', 999_999],
    ['99%', 990_000],
    ['0%', 0],
    ['0.07%', 700],
    ['100%', 1_000_000],
    ['100.0000%', 1_000_000],
  ])('%s is %d millionths', (text, millionths) => expect(parseObjective(text)).toBe(millionths));
  test.each(['100.1%', '99.99999%', '-1%', '99.9', '99,9%', ' 99%', '99.%', ''])('%s is none', (text) =>
    expect(parseObjective(text)).toBeUndefined(),
  );
  test('is printed as short as it is exact', () => {
    expect([999_000, 1_000_000, 0, 999_999, 100_000].map(printedObjective)).toEqual([
      '99.9 %',
      '100 %',
      '0 %',
      '99.9999 %',
      '10 %',
    ]);
    fc.assert(
      fc.property(objective, (each) => parseObjective(printedObjective(each).replace(' ', '')) === each),
      runs,
    );
  });
});

describe('a budget', () => {
  test.each([
    // 30 days at 99.9 %: the 43 minutes that everybody knows.
    [{ up: 43_200, down: 0, unknown: 0 }, 999_000, { allowed: 43, spent: 0, left: 43, leftAtLeast: 43, leftAtMost: 43 }],
    [{ up: 43_100, down: 100, unknown: 0 }, 999_000, { allowed: 43, spent: 100, left: -57, leftAtLeast: -57, leftAtMost: -57 }],
    [{ up: 900, down: 100, unknown: 1_000 }, 990_000, { allowed: 10, spent: 100, left: -90, leftAtLeast: -1_080, leftAtMost: -80 }],
    [{ up: 10, down: 1, unknown: 0 }, 1_000_000, { allowed: 0, spent: 1, left: -1, leftAtLeast: -1, leftAtMost: -1 }],
    [{ up: 0, down: 0, unknown: 5 }, 999_000, { allowed: 0, spent: 0, left: 0, leftAtLeast: -5, leftAtMost: 0 }],
  ])('of %j at %d', (totals, at, expected) => expect(budgetOf(totals, at)).toEqual(expected)); // prettier-ignore

  test.each([
    [43, 43, '100.0000 %'],
    [-57, 43, '-132.5582 %'],
    [1, 3, '33.3333 %'],
    [-1, 3, '-33.3334 %'],
    [0, 3, '0.0000 %'],
    [0, 0, undefined],
    [-4, 0, undefined],
  ])('left %d of %d is printed %s, rounded down', (left, allowed, text) =>
    expect(printedLeft({ left, allowed })).toBe(text),
  );

  test('of a union is that of its parts, but for one minute of rounding', () => {
    fc.assert(
      fc.property(minutes, minutes, objective, (a, b, at) => {
        const sum = budgetOf({ up: a.up + b.up, down: a.down + b.down, unknown: a.unknown + b.unknown }, at);
        const [one, other] = [budgetOf(a, at), budgetOf(b, at)];
        expect(sum.spent).toBe(one.spent + other.spent);
        expect([0, 1]).toContain(sum.allowed - one.allowed - other.allowed);
      }),
      runs,
    );
  });

  test('its bounds contain what is left, and are it where nothing is unknown', () => {
    fc.assert(
      fc.property(minutes, objective, (totals, at) => {
        const { left, leftAtLeast, leftAtMost } = budgetOf(totals, at);
        expect(leftAtLeast <= left && left <= leftAtMost).toBe(true);
        if (totals.unknown === 0) expect([leftAtLeast, leftAtMost]).toEqual([left, left]);
      }),
      runs,
    );
  });

  test('any truth about the unknown minutes lies within the bounds', () => {
    fc.assert(
      fc.property(minutes, objective, fc.nat(60_000), (totals, at, drawn) => {
        const wasDown = drawn % (totals.unknown + 1);
        const truth = { up: totals.up + totals.unknown - wasDown, down: totals.down + wasDown, unknown: 0 };
        const { leftAtLeast, leftAtMost } = budgetOf(totals, at);
        const { left } = budgetOf(truth, at);
        expect(leftAtLeast <= left && left <= leftAtMost).toBe(true);
        const [said, would] = [burnOf(totals, at), burnOf(truth, at)];
        if ('none' in said || 'none' in would || said.atLeast === undefined) return;
        expect(percent(said.atLeast) <= percent(would.rate)).toBe(true);
        expect(percent(would.rate) <= percent(said.atMost)).toBe(true);
      }),
      runs,
    );
  });

  test('a minute that was down instead of up leaves less, a stricter objective allows less', () => {
    fc.assert(
      fc.property(minutes, objective, objective, (totals, a, b) => {
        const worse = { ...totals, up: totals.up, down: totals.down + 1 };
        const better = { ...totals, up: totals.up + 1 };
        expect(budgetOf(worse, a).left).toBeLessThan(budgetOf(better, a).left);
        expect(budgetOf(totals, Math.max(a, b)).allowed).toBeLessThanOrEqual(
          budgetOf(totals, Math.min(a, b)).allowed,
        );
      }),
      runs,
    );
  });
});

describe('a burn rate', () => {
  test.each<[Parameters<typeof burnOf>[0], number, Burn]>([
    [{ up: 60, down: 0, unknown: 0 }, 999_000, { rate: '0.00' }],
    // The workbook's: 1.44 % failing against 99.9 % is 14.4.
    [{ up: 9_856, down: 144, unknown: 0 }, 999_000, { rate: '14.40' }],
    [{ up: 999, down: 1, unknown: 0 }, 999_000, { rate: '1.00' }],
    [{ up: 599_999, down: 1, unknown: 0 }, 990_000, { rate: '0.01' }],
    [{ up: 30, down: 0, unknown: 30 }, 990_000, { rate: '0.00', atLeast: '0.00', atMost: '50.00' }],
    [{ up: 20, down: 10, unknown: 30 }, 900_000, { rate: '3.34', atLeast: '1.66', atMost: '6.67' }],
    [{ up: 0, down: 0, unknown: 60 }, 999_000, { none: 'no-data' }],
    [{ up: 60, down: 60, unknown: 0 }, 1_000_000, { none: 'no-budget' }],
    [{ up: 0, down: 0, unknown: 0 }, 1_000_000, { none: 'no-budget' }],
  ])('of %j at %d', (totals, at, expected) => expect(burnOf(totals, at)).toEqual(expected));

  test('lies between its bounds, is 0.00 only where nothing was down, and at most 1.00 while the budget is not overspent', () => {
    fc.assert(
      fc.property(minutes, objective, (totals, at) => {
        const burn = burnOf(totals, at);
        if ('none' in burn) return;
        expect(burn.rate === '0.00').toBe(totals.down === 0);
        if (budgetOf(totals, at).left >= 0) expect(percent(burn.rate)).toBeLessThanOrEqual(1);
        if (percent(burn.rate) <= 1) expect(budgetOf(totals, at).left).toBeGreaterThanOrEqual(0);
        if (burn.atLeast === undefined) return;
        expect(percent(burn.atLeast) <= percent(burn.rate)).toBe(true);
        expect(percent(burn.rate) <= percent(burn.atMost)).toBe(true);
      }),
      runs,
    );
  });
});

describe('what is printed', () => {
  test('is never 100 % with a minute down, lies within its bounds, and grows with what was up', () => {
    fc.assert(
      fc.property(minutes, (totals) => {
        const { figure, atLeast, atMost } = printedUptime(totals);
        if (figure?.startsWith('100')) expect(totals.down).toBe(0);
        if (atLeast !== undefined) expect(percent(atLeast)).toBeLessThanOrEqual(percent(figure ?? atMost));
        if (figure !== undefined && atMost !== undefined) {
          expect(percent(figure)).toBeLessThanOrEqual(percent(atMost));
        }
        const better = printedUptime({ ...totals, up: totals.up + 1 }).figure;
        if (figure !== undefined && better !== undefined) {
          expect(percent(better)).toBeGreaterThanOrEqual(percent(figure));
        }
      }),
      runs,
    );
  });
});

describe('periods', () => {
  test('every day of 1970 to 2100 lies in its month, and months follow each other', () => {
    const last = Date.UTC(2100, 0) / 86_400_000 - 1;
    let month = 1970 * 12 - 1;
    for (let each = 0; each <= last; each += 1) {
      const own = monthOfDay(each);
      const { first } = daysOfMonth(own);
      if (each === first) expect(own).toBe((month += 1));
      else if (own !== month) throw new Error(`${formatDay(each)} is in ${formatMonth(own)}`);
      if (formatMonth(own) !== formatDay(each).slice(0, 7)) throw new Error(formatDay(each));
      if (parseDay(formatDay(each)) !== each) throw new Error(formatDay(each));
    }
    expect(parseMonth('2099-12')).toBe(month);
  });

  test.each(['2026-02-29', '2026-13-01', '2026-00-01', '2026-11-00', '2026-11-31', '1969-12-31', '2026-1-1', '2026-11-21T00:00'])(
    '%s is no day',
    (text) => expect(parseDay(text)).toBeUndefined(),
  ); // prettier-ignore

  test('days end with today, months with themselves, and 24h is no number of days', () => {
    const today = parseDay('2026-11-21') ?? 0;
    const shown = (name: string): unknown => {
      const days = daysOfPeriod(name, today);
      return days && [formatDay(days.first), formatDay(days.last)];
    };
    expect(shown('7d')).toEqual(['2026-11-15', '2026-11-21']);
    expect(shown('90d')).toEqual(['2026-08-24', '2026-11-21']);
    expect(shown('2028-02')).toEqual(['2028-02-01', '2028-02-29']);
    for (const none of ['24h', '8d', '2026', 'constructor', '2026-13']) expect(shown(none)).toBeUndefined();
    expect(lastMinutes(1_440, 5_000)).toEqual({ first: 3_561, last: 5_000 });
    expect(minutesOfDays({ first: 2, last: 3 })).toEqual({
      first: 2 * MINUTES_PER_DAY,
      last: 4 * MINUTES_PER_DAY - 1,
    });
  });

  test('sums over months are sums over days, in any order, and no minute is counted twice or left out', () => {
    const start = parseDay('2024-01-01') ?? 0;
    fc.assert(
      fc.property(fc.array(day, { maxLength: 70 }), (days) => {
        const all = sumTotals(days);
        const months = Map.groupBy(days.entries(), ([i]) => monthOfDay(start + i * 13));
        const byMonth = [...months.values()].map((own): RuleTotals => sumTotals(own.map(([, each]) => each)));
        expect(sumTotals(byMonth)).toEqual(all);
        expect(days.toReversed().reduce(addTotals, emptyTotals)).toEqual(all);
        const counted = allOf(all) + all.maintenance + all.stalled;
        expect(counted).toBe(
          days.reduce((sum, each) => sum + allOf(each) + each.maintenance + each.stalled, 0),
        );
      }),
      runs,
    );
  });
});
