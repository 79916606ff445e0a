/** What is counted sums to the minutes, and what is printed of it holds: for any counts. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { percentDown, percentUp, printedUptime } from './printed.ts';
import type { Slot, State } from './slot.ts';
import { allOf, countSlots, withMaintenance } from './totals.ts';

// Other suites may have the machine.
vi.setConfig({ testTimeout: 60_000 });

const states: readonly State[] = ['down', 'unknown', 'up'];

test('counts of any slots sum to their minutes, and the printed bounds hold the figure', () => {
  const slot: fc.Arbitrary<Slot | undefined> = fc.option(
    fc.record({
      state: fc.constantFrom(...states),
      degraded: fc.boolean(),
      maintenance: fc.boolean(),
      stalled: fc.boolean(),
      cause: fc.constantFrom('no-data', 'split', 'probe', 'clock'),
    }),
    { nil: undefined, freq: 9 },
  );
  fc.assert(
    fc.property(fc.array(slot, { maxLength: 60 }), (slots) => {
      const totals = countSlots(slots);
      const there = slots.filter((each) => each !== undefined);
      const within = totals.inMaintenance;
      expect(allOf(totals) + totals.stalled + totals.maintenance).toBe(there.length);
      expect(allOf(within) + within.stalled).toBe(totals.maintenance);
      for (const counts of [totals, within, withMaintenance(totals)]) {
        const { up, down, unknown, unknownNoData, unknownSplit, unknownProbe, unknownClock } = counts;
        expect(unknownNoData + unknownSplit + unknownProbe + unknownClock).toBe(unknown);
        const all = allOf(counts);
        if (up + down === 0) continue;
        // The exact ratios, by cross-multiplication.
        expect(up * (up + down)).toBeLessThanOrEqual(up * all);
        expect(up * all).toBeLessThanOrEqual((up + unknown) * (up + down));
        const { figure, atLeast = figure, atMost = figure } = printedUptime(counts);
        if (figure === undefined) continue;
        expect(Number.parseFloat(atLeast ?? '')).toBeLessThanOrEqual(Number.parseFloat(figure));
        expect(Number.parseFloat(atMost ?? '')).toBeGreaterThanOrEqual(Number.parseFloat(figure));
      }
    }),
    { numRuns: 10_000 },
  );
});

test('what is printed: bounds hold the figure, and 100 % is never printed of anything that was down', () => {
  const count = fc.oneof(
    fc.nat(3),
    fc.nat(1_000_000),
    fc.maxSafeNat().map((n) => Math.floor(n / 4)),
  );
  const value = (text: string | undefined): number => Number((text ?? '').replace(' %', '').replace('.', ''));
  fc.assert(
    fc.property(count, count, count, (up, down, unknown) => {
      const printed = printedUptime({ up, down, unknown });
      if (printed.figure !== undefined) {
        expect(printed.coverage).toBeDefined();
        if (down > 0) expect(value(printed.figure)).toBeLessThan(1_000_000);
        if (up > 0 && down === 0) expect(printed.figure).toBe('100.0000 %');
        if (printed.atLeast !== undefined) {
          expect(value(printed.atLeast)).toBeLessThanOrEqual(value(printed.figure));
          expect(value(printed.atMost)).toBeGreaterThanOrEqual(value(printed.figure));
        }
      }
      expect(printed.atLeast !== undefined).toBe(unknown > 0);
      for (const text of Object.values(printed))
        if (typeof text === 'string') expect(text).toMatch(/^\d+\.\d{4} %$/);
    }),
    { numRuns: 10_000 },
  );
  expect(percentDown(1, 3)).toBe('33.3333 %');
  expect(percentUp(1, 3)).toBe('33.3334 %');
});
