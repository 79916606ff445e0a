import { expect, test } from 'vitest';
import { beginOf, BOX_WIDTH, dotsOf, draw, highestOf, PLOT_HEIGHT, type How } from './draw.ts';

const HOUR_MS = 3_600_000;
const from = Date.UTC(2026, 10, 20, 18);
const how: How = { high: 100, textOf: String, timeOf: (at) => new Date(at).toISOString().slice(11, 16) };
const drawn = (values: readonly (number | null)[], over: Partial<How> = {}) =>
  draw([{ name: 'a', values }], { from, everyMs: HOUR_MS, steps: values.length }, { ...how, ...over });

test.each([
  ['nothing', [], ''],
  ['only gaps', [null, null], ''],
  ['one value alone is a dot', [null, 100, null], 'M300,18Z'],
  ['a gap is a gap, and no zero', [100, null, null, 0], 'M75,18ZM525,128Z'],
  ['two stretches', [0, 100, null, 100, 100], 'M60,128L180,18M420,18L540,18'],
])('%s', (_, values, d) => {
  expect(drawn(values).lines).toEqual([{ name: 'a', d }]);
});

test.each([
  [[1, 2, 3], ''],
  [[1, null, 3, null], [`M150,0L300,0L300,128L150,128Z`, `M450,0L600,0L600,128L450,128Z`].join('')],
  // What was before the first value was not asked for.
  [[null, 2, null, null], 'M300,0L600,0L600,128L300,128Z'],
  [[null, null], 'M0,0L600,0L600,128L0,128Z'],
])('stretches without a value are marked: %j', (values, gaps) => {
  expect(drawn(values).gaps).toBe(gaps);
});

test('where one of several series has a value there is no gap', () => {
  const span = { from, everyMs: HOUR_MS, steps: 2 };
  const series = [
    { name: 'a', values: [1, null] },
    { name: 'b', values: [null, 1] },
  ];
  expect(draw(series, span, how).gaps).toBe('');
});

test.each([
  [[0, 100], 'M0,128L300,128L300,18L600,18L600,18'],
  [[null, 100, null, 0, 0], 'M120,18L240,18L240,18M360,128L480,128L480,128L600,128L600,128'],
  [[null, null], ''],
])('the values %j of a stepped line fill their stretches, the last ones too', (values, path) => {
  expect(drawn(values, { isStepped: true }).lines[0]?.d).toBe(path);
});

test.each([
  [0, false],
  [1, true],
  [7, true],
  [123_456, true],
  [5_999_990, false],
])('up to %d: the ticks lie in the drawing, rise, and begin at the ground', (high, isWhole) => {
  const { y } = drawn([0, high], { high, isWhole });
  expect(y[0]).toEqual({ y: PLOT_HEIGHT, text: '0' });
  expect(y.length).toBeGreaterThan(1);
  expect(y.length).toBeLessThan(8);
  for (const [index, tick] of y.entries()) {
    expect(tick.y).toBeGreaterThanOrEqual(8);
    expect(tick.y).toBeLessThan(y[index - 1]?.y ?? Infinity);
    if (isWhole) expect(Number(tick.text) % 1).toBe(0);
  }
});

test('heights begin far from 0, and the chart does too', () => {
  const { y, lines } = drawn([23_450_000, 23_457_000], { low: 23_450_000, high: 23_457_000, isWhole: true });
  expect(Number(y[0]?.text)).toBeGreaterThan(23_440_000);
  expect(lines[0]?.d).toMatch(/^M150,128L450,/);
});

test('times are UTC wherever the host is, round, and away from the edges', () => {
  const { x } = drawn(Array.from({ length: 48 }, () => 1));
  expect(x.map(({ text }) => text)).toEqual(['00:00', '12:00', '00:00', '12:00']);
  for (const tick of x) expect(tick.x > 5 && tick.x < 95).toBe(true);
});

test('no value leaves the box', () => {
  const { lines } = drawn([0, 5_999_990, 3], { high: 5_999_990 });
  const numbers = [...(lines[0]?.d ?? '').matchAll(/([0-9.]+),([0-9.]+)/g)];
  expect(numbers).toHaveLength(3);
  for (const [, x, y] of numbers) {
    expect(Number(x)).toBeLessThanOrEqual(BOX_WIDTH);
    expect(Number(y)).toBeLessThanOrEqual(PLOT_HEIGHT);
  }
});

test.each([
  [[null, 100, null], 'M300,18Z'],
  [[100, null, null, 0], 'M75,18ZM525,128Z'],
  [[0, 100, null, 100, 100], ''],
  [[], ''],
])('values with none beside them are dots: %j', (values, dots) => {
  expect(dotsOf(drawn(values).lines[0]?.d ?? '')).toBe(dots);
});

test.each([
  ['begins with its first value', [[null, null, 1, null, 1, 1]], 2, 2],
  ['has at least so many steps', [[null, null, null, null, null, 1]], 4, 2],
  ['is whole where nothing was measured', [[null, null, null]], 1, 0],
  ['is whole where it is short', [[null, 1]], 12, 0],
  ['begins with the first of several', [[null, null, 1], [null, 1, 1]], 1, 1], // prettier-ignore
  ['is whole without any', [], 1, 0],
])('a chart %s', (_, all, least, begin) => {
  expect(beginOf(all, least)).toBe(begin);
});

test.each([
  [[], 0],
  [[[null]], 0],
  [[[1, null], [3]], 3],
])('the highest of %j is %d', (lines, highest) => {
  expect(highestOf(lines)).toBe(highest);
});
