import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectiveOf, objectiveText } from './figures.ts';

test.each([
  [{ up: 999, down: 1, unknown: 0 }, '99.9 % met'],
  [{ up: 998, down: 2, unknown: 0 }, '99.9 % not met'],
  // 91.92 % known and not a minute down: eight in a hundred may have been.
  [{ up: 41_033, down: 0, unknown: 3_607 }, '99.9 %: met as far as known'],
  [{ up: 41_000, down: 42, unknown: 3_598 }, '99.9 %: not met as far as known'],
  // Whatever the unknown ones were.
  [{ up: 43_000, down: 1_000, unknown: 640 }, '99.9 % not met'],
  [{ up: 44_600, down: 10, unknown: 30 }, '99.9 % met'],
  [{ up: 100, down: 500, unknown: 400 }, '99.9 % not met'],
  [{ up: 800, down: 0, unknown: 200 }, '99.9 %: too little known'],
  [{ up: 0, down: 0, unknown: 9 }, '99.9 %: too little known'],
  [{ up: 0, down: 0, unknown: 0 }, '99.9 %: too little known'],
])('%j: %s', (minutes, text) => {
  expect(objectiveText(objectiveOf(minutes, 999_000))).toBe(text);
});

test('what is met or missed stays so, however the unknown minutes turn out', () => {
  const count = fc.nat({ max: 50_000 });
  fc.assert(
    fc.property(
      count,
      count,
      count,
      fc.nat({ max: 1_000_000 }),
      fc.nat(),
      (up, down, unknown, objective, at) => {
        fc.pre(up + down + unknown > 0);
        const { result } = objectiveOf({ up, down, unknown }, objective);
        const more = at % (unknown + 1);
        const told = objectiveOf(
          { up: up + more, down: down + unknown - more, unknown: 0 },
          objective,
        ).result;
        if (result !== 'open') expect(told).toBe(result);
        expect(told).not.toBe('open');
      },
    ),
  );
});
