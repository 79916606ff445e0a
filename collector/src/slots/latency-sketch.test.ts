import { DDSketch } from '@datadog/sketches-js';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addedUp,
  binOf,
  countOf,
  emptySketch,
  OpenSketch,
  quantiles,
  type Sketch,
} from './latency-sketch.ts';

const MAX_TENTHS = 4_294_967_295;
const latency = fc.oneof(fc.nat(50), fc.nat(100_000), fc.constantFrom(0, 1, MAX_TENTHS));
const latencies = fc.array(latency, { minLength: 1, maxLength: 200 });
const ratio = fc.constantFrom(0, 0.5, 0.95, 0.99, 1);

function sketchOf(values: readonly number[], without: readonly number[] = []): Sketch {
  const open = new OpenSketch();
  for (const value of values) open.count(binOf(value), 1);
  for (const value of without) open.count(binOf(value), -1);
  return open.kept();
}

function exact(values: readonly number[], at: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(at * (values.length - 1))] ?? 0;
}

test('quantiles are within 1 %, and half a tenth of rounding; they are those of the library', () => {
  fc.assert(
    fc.property(latencies, ratio, (values, at) => {
      const [said = -1] = quantiles(sketchOf(values), [at]);
      const wanted = exact(values, at);
      expect(Math.abs(said - wanted)).toBeLessThanOrEqual(wanted * 0.01 + 0.5);
      const library = new DDSketch({ relativeAccuracy: 0.01 });
      for (const value of values) library.accept(value);
      expect(said).toBe(Math.round(library.getValueAtQuantile(at)));
    }),
  );
});

test('the same latencies give the same bytes, in any order and in any parts', () => {
  const parted = fc.array(latencies, { maxLength: 5 });
  fc.assert(
    fc.property(parted, (parts) => {
      const whole = sketchOf(parts.flat());
      let kept = emptySketch;
      for (const part of parts.toReversed()) {
        const open = new OpenSketch(kept);
        for (const value of part.toReversed()) open.count(binOf(value), 1);
        kept = open.kept();
      }
      expect(kept).toEqual(whole);
      expect(addedUp(parts.map((part) => sketchOf(part)))).toEqual(whole);
      expect(countOf(whole)).toBe(parts.flat().length);
    }),
  );
});

test('what is taken out was never in it', () => {
  fc.assert(
    fc.property(latencies, fc.array(latency), (kept, taken) => {
      expect(sketchOf([...taken, ...kept], taken)).toEqual(sketchOf(kept));
      expect(sketchOf(taken, taken)).toEqual(emptySketch);
      // What can not be in it (its hour was dropped) makes no hole.
      expect(sketchOf([], taken)).toEqual(emptySketch);
    }),
  );
});

test('without latencies there is no quantile; zeros are zero', () => {
  expect(quantiles(emptySketch, [0.5, 0.95])).toEqual([undefined, undefined]);
  expect(quantiles(sketchOf([0, 0, 0]), [0.5, 1])).toEqual([0, 0]);
});

test.each([
  { values: [0], bytes: [0] },
  { values: [0, 1, 1], bytes: [0, 1] },
  { values: [0, 0, 0, 0, 0, 0, 0], bytes: [6] },
  { values: Array.from({ length: 8 }, () => 0), bytes: [7, 0] },
  { values: Array.from({ length: 300 }, () => 1), bytes: [15, 0xa4, 2] },
])('the bytes of $values.length latencies', ({ values, bytes }) => {
  expect([...sketchOf(values)]).toEqual(bytes);
});

test.each([
  ['cut within a number', [0x80]],
  ['cut before a count', [7]],
  ['a bin beyond the scale', [0xff, 0xff, 0x7f]],
])('a damaged sketch is an error, and leaves nothing behind: %s', (_, bytes) => {
  const damaged = new OpenSketch(Uint8Array.from([0, ...bytes]));
  damaged.count(binOf(500), 1);
  expect(() => damaged.kept()).toThrow(RangeError);
  expect(() => addedUp([sketchOf([5]), Uint8Array.from(bytes)])).toThrow(RangeError);
  expect(countOf(sketchOf([7, 9]))).toBe(2);
});

test('an hour of what is asked once a minute takes some 40 bytes', () => {
  // Answers of 80 to 140 ms.
  const values = Array.from({ length: 60 }, (_, minute) => 800 + ((minute * 37) % 60) * 10);
  expect(sketchOf(values).length).toBeLessThan(45);
});
