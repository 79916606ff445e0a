import { makeBadge } from 'badge-maker';
import { describe, expect, test } from 'vitest';
import { detailsOf, hardlyKnown, somePeriods } from '../../../test/fixtures/details.ts';
import {
  aService,
  aSnapshot,
  everyStatus,
  firstMinute,
  morning,
  oneDown,
  staleData,
  without,
} from '../../../test/fixtures/snapshots.ts';
import { badgeFor, metrics } from './badge.ts';
import type { Frame } from './frame.ts';

const now = morning;
const frame = (snapshot: Frame['snapshot']): Frame => ({ now, ...(snapshot ? { snapshot } : {}) });
const said = (id: string, metric: string | null, snapshot: Frame['snapshot']) => {
  const answer = badgeFor(id, metric, frame(snapshot));
  if ('error' in answer) return answer;
  return `${answer.badge.label}: ${answer.badge.message.replace(/[\u00a0\u202f]/g, ' ')} (${answer.badge.color})`;
};

test.each([
  ['up', 'Service up: up (brightgreen)'],
  ['degraded', 'Service degraded: degraded (yellow)'],
  ['partial', 'Service partial: partial outage (orange)'],
  ['down', 'Service down: down (red)'],
  ['maintenance', 'Service maintenance: maintenance (blue)'],
  ['unknown', 'Service unknown: no data (lightgrey)'],
])('status of one that is %s', (id, text) => {
  expect(said(id, null, everyStatus(now))).toBe(text);
});

test.each([
  ['uptime', 'uptime 90d: 99.9871% (brightgreen)'],
  ['latency', 'latency: 102 ms (blue)'],
  ['height', 'height: 23 456 789 (blue)'],
])('%s', (metric, text) => {
  expect(said('ethereum-rpc', metric, aSnapshot(now))).toBe(text);
});

test('uptime under its objective is not green, without an objective nobody judges, without a figure the bound stands', () => {
  const one = (over: Parameters<typeof aService>[1]) => aSnapshot(now, { services: [aService(now, over)] });
  expect(said('ethereum-rpc', 'uptime', one({ objectiveRatio: 0.9999 }))).toContain('(orange)');
  const plain = without(aService(now), 'objectiveRatio');
  expect(said('ethereum-rpc', 'uptime', aSnapshot(now, { services: [plain] }))).toContain('(blue)');
  expect(
    said('ethereum-rpc', 'uptime', one({ uptime: { atLeast: '70.1 %', atMost: '99 %', incomplete: true } })),
  ).toContain('≥ 70.1%');
  expect(said('ethereum-rpc', 'uptime', one({ uptime: { incomplete: true } }))).toBe(
    'uptime 90d: no data (lightgrey)',
  );
});

test.each([
  ['99.9600 %', 0.9996, 'brightgreen'],
  ['99.9599 %', 0.9996, 'orange'],
  ['99.5700 %', 0.9957, 'brightgreen'],
  ['99.9998 %', 0.999998, 'brightgreen'],
  ['99.9999 %', 1, 'orange'],
  ['100.0000 %', 1, 'brightgreen'],
])('uptime of %s against an objective of %d is %s', (figure, objectiveRatio, color) => {
  const service = aService(now, { objectiveRatio, uptime: { figure, incomplete: false } });
  expect(said('ethereum-rpc', 'uptime', aSnapshot(now, { services: [service] }))).toContain(`(${color})`);
});

test('the latency of what is down is left out', () => {
  expect(said('polkadot-rpc', 'latency', oneDown(now))).toBe('latency: 102 ms (blue)');
});

test.each(Object.keys(metrics))('%s is never green when data is stale or has not come', (metric) => {
  for (const snapshot of [staleData(now), firstMinute(now), undefined])
    expect(said('ethereum-rpc', metric, snapshot)).toMatch(/\(lightgrey\)$/);
});

describe('what cannot be drawn', () => {
  test.each(['nope', '', 'constructor', '__proto__'])(
    'metric "%s" is refused with the ones there are',
    (metric) => {
      expect(said('ethereum-rpc', metric, aSnapshot(now))).toEqual({
        status: 400,
        error: 'metric must be one of status, uptime, latency, height',
      });
    },
  );

  test('a service that is not there', () => {
    expect(said('nope', 'status', aSnapshot(now))).toMatchObject({ status: 404 });
  });
});

test('a hostile name stays text in the picture', () => {
  const answer = badgeFor(
    'ethereum-rpc',
    null,
    frame(aSnapshot(now, { services: [aService(now, { name: '"><script>alert(1)</script>' })] })),
  );
  expect('badge' in answer && makeBadge({ ...answer.badge })).not.toContain('<script');
});

describe('uptime by period', () => {
  const withNumbers = (snapshot: NonNullable<Frame['snapshot']>): Frame => ({
    now,
    snapshot,
    details: new Map(detailsOf(now, snapshot).map((detail) => [detail.service, detail])),
  });
  const of = (from: Frame, period: string | null, metric: string | null = 'uptime') => {
    const answer = badgeFor('ethereum-rpc', metric, from, period);
    return 'error' in answer ? answer.status : `${answer.badge.message} (${answer.badge.color})`;
  };

  test.each([
    ['24h', '100.0000% (brightgreen)'],
    ['30d', '99.9699% (brightgreen)'],
    ['2026-11', '≥ 61.1111% (orange)'],
    ['2026-09', 404],
    ['2026-13', 400],
    ['30d ', 400],
    ['', 400],
  ])('%j is %j', (period, said) => {
    expect(of(withNumbers(aSnapshot(now)), period)).toBe(said);
  });

  test('a period is of uptime alone', () => {
    for (const metric of [null, 'status', 'latency'])
      expect(of(withNumbers(aSnapshot(now)), '30d', metric)).toBe(400);
  });

  test('without numbers 90 days are those of the snapshot, and others are no data', () => {
    const bare: Frame = { now, snapshot: aSnapshot(now) };
    expect([of(bare, '90d'), of(bare, '30d')]).toEqual(['99.9871% (brightgreen)', 'no data (lightgrey)']);
  });

  test('on stale data no badge is green', () => {
    expect(of(withNumbers(staleData(now)), '30d')).toBe('99.9699% (lightgrey)');
  });

  test('a figure that the rule does not give is not made up', () => {
    expect(somePeriods(now, hardlyKnown)[0]?.uptime).not.toHaveProperty('figure');
    expect(of(withNumbers(aSnapshot(now)), '2026-10')).toBe('≥ 61.1111% (orange)');
  });
});
