import { DAY_MS, HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coverAt,
  coveredUntil,
  type Declared,
  noCover,
  plan,
  planEnd,
  spanOf,
  stateOf,
} from './maintenance.ts';

/** Now is half past minute 100. */
const NOW = 100 * MINUTE_MS + 30_000;
const minutes = (count: number): number => count * MINUTE_MS;

function declared(from: number, last: number, over: Partial<Declared> = {}): Declared {
  return { id: 'aa', leaf: 'leaf', title: 'T', of: ['rpc'], from, last, declaredAt: 0, ...over };
}

describe('the minutes of a maintenance', () => {
  it.each([
    ['now', undefined, 2 * HOUR_MS, 101, 220, false],
    ['at this minute, which has begun', minutes(100), 2 * HOUR_MS, 101, 219, true],
    ['within this minute: the next whole one', minutes(100) + 1, minutes(2), 101, 102, false],
    ['at a minute ahead', minutes(200), HOUR_MS, 200, 259, false],
    ['from the next minute', minutes(101), MINUTE_MS, 101, 101, false],
    ['within a minute ahead: whole minutes', minutes(200) + 10_000, minutes(2), 201, 202, false],
    ['in the past: what is left of it', minutes(90), minutes(20), 101, 109, true],
    ['of a month', minutes(101), 30 * DAY_MS, 101, 100 + 30 * 1_440, false],
    ['in a year', NOW + 365 * DAY_MS, HOUR_MS, 101 + 365 * 1_440, 160 + 365 * 1_440, false],
  ])('%s', (_, startsAt, forMs, from, last, late) => {
    expect(plan({ startsAt, forMs }, NOW)).toEqual({ from, last, late });
  });

  it.each([
    ['longer than a month', minutes(200), 30 * DAY_MS + 1, 'more than 30 days'],
    ['more than a year ahead', NOW + 365 * DAY_MS + 1, HOUR_MS, 'more than a year ahead'],
    ['over already', minutes(40), HOUR_MS, 'over already'],
    ['over in this minute', minutes(40) + 40_000, HOUR_MS, 'over before it counts'],
    ['over with this minute', minutes(41), HOUR_MS, 'over before it counts'],
    ['within a minute', minutes(200) + 10_000, 20_000, 'no whole minute'],
  ])('refuses one that is %s', (_, startsAt, forMs, error) => {
    expect(plan({ startsAt, forMs }, NOW)).toHaveProperty('error', expect.stringContaining(error));
  });

  it('never begin before the next minute, nor go on after what was asked, and are never none', () => {
    const instants = fc.integer({ min: 0, max: 10 * DAY_MS });
    fc.assert(
      fc.property(instants, instants, fc.integer({ min: 1, max: 31 * DAY_MS }), (now, startsAt, forMs) => {
        const planned = plan({ startsAt, forMs }, now);
        if ('error' in planned) return;
        const { from, last, late } = planned;
        expect(minutes(from)).toBeGreaterThan(now);
        expect(minutes(from)).toBeGreaterThanOrEqual(startsAt);
        expect(last).toBeGreaterThanOrEqual(from);
        expect(minutes(last)).toBeLessThan(startsAt + forMs);
        if (!late) expect(minutes(from) - startsAt).toBeLessThan(MINUTE_MS);
      }),
    );
  });
});

describe('a maintenance', () => {
  const one = declared(110, 119);
  const ended = { ...one, cancelled: { at: minutes(114) + 1, from: 115 } };
  const never = { ...one, cancelled: { at: minutes(105), from: 106 } };
  it.each([
    [one, 110, 'planned', 'active', 119],
    [ended, 110, 'planned', 'active', 114],
  ] as const)('is planned, active and over', (each, from, before, during, last) => {
    expect(stateOf(each, minutes(from) - 1)).toBe(before);
    expect(stateOf(each, minutes(from))).toBe(during);
    expect(stateOf(each, minutes(last + 1) - 1)).toBe(during);
    expect(stateOf(each, minutes(last + 1))).toBe('over');
    expect(spanOf(each)).toEqual({ startsAt: minutes(from), endsAt: minutes(last + 1) });
  });

  it('that was cancelled before it began keeps its minutes for people, and covers none', () => {
    expect(stateOf(never, minutes(112))).toBe('cancelled');
    expect(spanOf(never)).toEqual(spanOf(one));
    expect(coverAt([never], minutes(112))).toEqual({ cover: noCover, until: Infinity });
  });

  it.each([
    ['at once', undefined, NOW, 101],
    ['from a minute', minutes(115), NOW, 115],
    ['within a minute: with its end', minutes(115) + 1, NOW, 116],
    ['in the past: at once', minutes(3), minutes(112), 113],
  ])('ends %s', (_, endsAt, now, from) => {
    expect(planEnd(one, endsAt, now)).toBe(from);
  });

  it.each([
    [one, minutes(120), NOW, 'it covers nothing from 02:00 UTC on anyway'],
    [one, undefined, minutes(119), 'from 02:00 UTC on anyway'],
    [one, undefined, minutes(120), 'over already'],
    [never, undefined, NOW, 'cancelled already'],
    [ended, minutes(115), minutes(114) + 2, 'cancelled already'],
    [ended, undefined, minutes(114) + 2, 'cancelled already'],
  ])('is not ended when that changes nothing', (each, endsAt, now, error) => {
    expect(planEnd(each, endsAt, now)).toHaveProperty('error', expect.stringContaining(error));
  });
});

describe('what is covered', () => {
  const all = [
    declared(100, 109),
    declared(105, 120, { of: ['rpc/a', 'ws'] }),
    declared(130, 139, { of: ['api'] }),
  ];
  it.each([
    [99, {}, 100],
    [100, { rpc: 110 }, 105],
    [106, { rpc: 110, 'rpc/a': 121, ws: 121 }, 110],
    [110, { 'rpc/a': 121, ws: 121 }, 121],
    [125, {}, 130],
    [140, {}, Infinity],
  ])('in minute %i is %j', (minute, expected, until) => {
    const now = coverAt(all, minutes(minute));
    const ends = Object.entries(expected).map(([subject, end]) => [subject, minutes(end)]);
    expect(Object.fromEntries(now.cover)).toEqual(Object.fromEntries(ends));
    expect(now.until).toBe(minutes(until));
  });

  it.each([
    ['rpc', 110],
    ['rpc/a', 121],
    ['rpc/b', 110],
    ['ws/a', 121],
    ['rp', undefined],
    ['api', undefined],
  ])('%s until minute %s: a node with its service', (subject, end) => {
    const { cover } = coverAt(all, minutes(106));
    expect(coveredUntil(cover, subject)).toBe(end === undefined ? undefined : minutes(end));
  });
});
