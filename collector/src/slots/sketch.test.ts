import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addKept, addTenths, type Bins, countOf, emptyBins, keptBins, quantiles } from './sketch.ts';

const MAX_TENTHS = 4_294_967_295;
const latencies = fc.array(fc.oneof(fc.nat(50), fc.nat(100_000), fc.constant(MAX_TENTHS)), {
  minLength: 1,
  maxLength: 200,
});

function binsOf(values: readonly number[]): Bins {
  const bins = emptyBins();
  for (const value of values) addTenths(bins, value);
  return bins;
}

function exact(values: readonly number[], ratio: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(ratio * (values.length - 1))] ?? 0;
}

test('quantiles are within 1 %, and half a tenth of rounding', () => {
  fc.assert(
    fc.property(latencies, fc.constantFrom(0, 0.5, 0.95, 1), (values, ratio) => {
      const [said = -1] = quantiles(binsOf(values), [ratio]);
      const wanted = exact(values, ratio);
      expect(Math.abs(said - wanted)).toBeLessThanOrEqual(wanted * 0.01 + 0.5);
    }),
  );
});

test('parts add up, in any order and grouping, to the same bytes', () => {
  fc.assert(
    fc.property(fc.array(latencies, { maxLength: 5 }), (parts) => {
      const whole = keptBins(binsOf(parts.flat()));
      const sum = emptyBins();
      for (const part of parts.toReversed()) addKept(sum, keptBins(binsOf(part.toReversed())));
      expect(keptBins(sum)).toEqual(whole);
      expect(countOf(sum)).toBe(parts.flat().length);
    }),
  );
});

test('without latencies there is no quantile; zeros are zero', () => {
  expect(quantiles(emptyBins(), [0.5, 0.95])).toEqual([undefined, undefined]);
  expect(quantiles(binsOf([0, 0, 0]), [0.5])).toEqual([0]);
  expect(keptBins(binsOf([0, 1, 1]))).toEqual([-1, 1, 1, 2]);
});

test('an hour of a method that is asked once a minute takes some 100 bytes', () => {
  // Answers of 80 to 140 ms.
  const values = Array.from({ length: 60 }, (_, minute) => 800 + ((minute * 37) % 60) * 10);
  expect(JSON.stringify(keptBins(binsOf(values))).length).toBeLessThan(150);
});
