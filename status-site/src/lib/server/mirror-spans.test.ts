import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addSpan, highestGap, type Spans } from './mirror-spans.ts';

const numbers = fc.integer({ min: 0, max: 40 });

test('spans are the set of what was added, apart from each other and in order; gaps are what is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(numbers, numbers), { maxLength: 20 }),
      numbers,
      numbers,
      (added, low, high) => {
        const done = new Set<number>();
        let spans: Spans = [];
        for (const [from, to] of added) {
          spans = addSpan(spans, from, to);
          for (let n = from; n < to; n += 1) done.add(n);
        }
        expect(spans.flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i))).toEqual(
          [...done].sort((a, b) => a - b),
        );
        expect(spans.every(([a], i) => i === 0 || a > (spans[i - 1]?.[1] ?? 0))).toBe(true);

        const missing = Array.from({ length: Math.max(0, high - low) }, (_, i) => low + i).filter(
          (n) => !done.has(n),
        );
        const gap = highestGap(spans, low, high);
        const last = missing.at(-1);
        expect(gap?.[1]).toBe(last === undefined ? undefined : last + 1);
        for (let n = gap?.[0] ?? 0; n < (gap?.[1] ?? 0); n += 1) expect(missing).toContain(n);
        if (gap !== undefined) expect(missing).not.toContain(gap[0] - 1);
      },
    ),
    { numRuns: 5_000 },
  );
});
