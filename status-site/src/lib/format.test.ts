import { expect, test } from 'vitest';
import {
  formatAgo,
  formatClock,
  formatCount,
  formatDay,
  formatInstant,
  formatIso,
  formatMonth,
  formatRatio,
  formatSpan,
  formatTenths,
  plural,
} from './format.ts';

/** Narrow and no-break spaces as plain ones, so that rows can be read. */
const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const at = Date.UTC(2026, 10, 21, 6, 14, 3, 45);

test.each([
  [-5_000, '0 s'],
  [0, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_599_999, '59 min'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [86_400_000, '1 day'],
  [3 * 86_400_000 + 4 * 3_600_000 + 60_000, '3 days 4 h'],
])('a span of %i ms reads %s', (ms, text) => {
  expect(plain(formatSpan(ms))).toBe(text);
});

test.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1 000'],
  [21_345_678, '21 345 678'],
  [-1_234, '−1 234'],
])('the count %i reads %s', (count, text) => {
  expect(plain(formatCount(count))).toBe(text);
});

test.each([
  [8, '0.8 ms'],
  [83, '8.3 ms'],
  [99, '9.9 ms'],
  [100, '10 ms'],
  [1_238, '124 ms'],
  [99_999, '10 000 ms'],
  [100_000, '10.0 s'],
])('%i tenths of a millisecond read %s', (tenths, text) => {
  expect(plain(formatTenths(tenths))).toBe(text);
});

test('times are UTC whatever the zone of the machine', () => {
  expect(plain(formatInstant(at))).toBe('21 Nov 2026, 06:14 UTC');
  expect(plain(formatClock(at))).toBe('06:14:03 UTC');
  expect(formatIso(at)).toBe('2026-11-21T06:14:03.045Z');
  expect(formatMonth(at)).toBe('November 2026');
  expect(formatDay('2026-01-01')).toBe('1 Jan 2026');
  expect(formatDay('soon')).toBe('soon');
});

test('a moment ahead by a clock error is just now, not a negative age', () => {
  expect(formatAgo(at + 3_000, at)).toBe('just now');
  expect(formatAgo(at - 999, at)).toBe('just now');
  expect(plain(formatAgo(at - 1_000, at))).toBe('1 s ago');
});

test('a ratio is never rounded up to what it is not', () => {
  expect(plain(formatRatio(0.9995))).toBe('99.95 %');
  expect(plain(formatRatio(0.99999999))).toBe('99.9999 %');
  expect(plain(formatRatio(1))).toBe('100 %');
});

test('one is singular', () => {
  expect(plural(1, 'node')).toBe('1 node');
  expect(plural(0, 'node')).toBe('0 nodes');
  expect(plain(plural(1_440, 'min', 'min'))).toBe('1 440 min');
});
