import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aDay, morning, someDays } from '../../../test/fixtures/snapshots.ts';
import { barPaths, bars, barsText, countedText, dayText } from './days.ts';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('bars', () => {
  test('are the 90 UTC days that end today, recorded or not', () => {
    const shown = bars(someDays(morning, 3), morning);
    expect(shown).toHaveLength(90);
    expect(shown.at(-1)?.date).toBe('2026-11-21');
    expect(shown.at(0)?.date).toBe('2026-08-24');
    expect(shown.filter((bar) => bar.day)).toHaveLength(3);
    expect(shown.at(0)?.text).toBe('24 Aug 2026: no record');
  });

  test('a day beyond the 90 is not drawn', () => {
    expect(bars([aDay('2026-08-23')], morning).filter((bar) => bar.day)).toEqual([]);
  });

  test('one bad minute in 1,440 takes a share that can be seen', () => {
    const [bar] = bars([aDay('2026-11-21', { down: 1 })], morning).slice(-1);
    expect(bar?.parts).toEqual([
      { layer: 'up', share: 0.6 },
      { layer: 'down', share: 0.4 },
    ]);
  });

  test('a day without a single good minute shows none', () => {
    const [bar] = bars([aDay('2026-11-21', { down: 1_000, unknown: 440 })], morning).slice(-1);
    expect(bar?.parts.map((part) => part.layer)).toEqual(['unknown', 'down']);
  });

  const minute = fc.nat(1_440);
  test('shares always add up to one, and every count above 0 has one', () => {
    fc.assert(
      fc.property(
        minute,
        minute,
        minute,
        minute,
        minute,
        minute,
        (up, down, unknown, maintenance, stalled, degraded) => {
          const day = {
            date: '2026-11-21',
            up,
            down,
            unknown,
            maintenance,
            stalled,
            degraded: Math.min(degraded, up),
          };
          const parts = bars([day], morning).at(-1)?.parts ?? [];
          const sum = parts.reduce((total, part) => total + part.share, 0);
          const counted = up + down + unknown + maintenance + stalled;
          expect(sum).toBeCloseTo(counted === 0 ? 0 : 1, 9);
          for (const layer of ['down', 'unknown', 'maintenance', 'stalled'] as const)
            expect(parts.some((part) => part.layer === layer && part.share > 0)).toBe(day[layer] > 0);
          for (const part of parts) expect(part.share).toBeGreaterThan(0.02);
        },
      ),
    );
  });
});

test('a day in words names each trouble with its minutes', () => {
  expect(plain(dayText(aDay('2026-11-21', { down: 12, unknown: 3 })))).toBe('12 min down, 3 min unknown');
  expect(plain(dayText(aDay('2026-11-21')))).toBe('up all 1 440 min');
  expect(plain(dayText(aDay('2026-11-21', { stalled: 45, degraded: 2 })))).toBe(
    '45 min chain stalled, 2 min degraded',
  );
});

test('the sentence for those who do not see the bars counts days', () => {
  const days = someDays(morning, 10, { 1: { down: 3 }, 2: { down: 1, unknown: 9 } });
  expect(barsText(bars(days, morning))).toBe(
    '10 days recorded: down minutes on 2 days, unknown minutes on 1 day.',
  );
  expect(barsText(bars([], morning))).toBe('Nothing is recorded yet.');
});

test('each layer that occurs is one path', () => {
  const drawn = barPaths(bars(someDays(morning, 2, { 1: { down: 3 } }), morning));
  expect(drawn.map((path) => path.layer)).toEqual(['none', 'up', 'down']);
  expect(drawn[2]?.d).toMatch(/^M880 [\d.]+h7v[\d.]+h-7z$/);
});

test.each([
  [{ up: 0 }, ''],
  [{ up: 1 }, '1 minute counted'],
  [{ up: 1_000, down: 39, unknown: 400 }, '1 439 minutes counted'],
  [{ up: 1_400, unknown: 40 }, ''],
])('of a day of %j is said over how long it was counted: "%s"', (counts, text) => {
  const none = { up: 0, down: 0, unknown: 0, maintenance: 0, stalled: 0, degraded: 0 };
  const day = { ...aDay('2026-11-21'), ...none, ...counts };
  expect(plain(countedText(bars([day], morning)))).toBe(text);
});
