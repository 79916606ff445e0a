import { expect, test } from 'vitest';
import type { PublicNumbers } from '@highwater/config/public-detail.ts';
import {
  aCounted,
  allGood,
  hardlyKnown,
  nothingCounted,
  somePeriods,
} from '../../../test/fixtures/details.ts';
import { morning as now } from '../../../test/fixtures/snapshots.ts';
import { checkRows, periodName, periodRows, regionRows } from './numbers.ts';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

test.each([
  ['all known and up', allGood(1_440), ['up all 1 440 min'], '100.0000 %', '100.0000 % of 12 960 requests'],
  [
    'some of each',
    aCounted(),
    [
      '13 min down',
      '9 min unknown: 6 no data, 3 split vote',
      '60 min maintenance (99.9305 % with it)',
      '130 min degraded, counted as up',
    ],
    '99.9699 %',
    '99.9714 % of 388 412 requests',
  ],
  [
    'bounds alone',
    hardlyKnown(),
    ['16 800 min unknown: 16 000 no data, 700 probe at fault, 100 clock', '45 min chain stalled'],
    'between 61.1111 % and 100.0000 %',
    '100.0000 % of 237 600 requests',
  ],
  ['nothing', nothingCounted(), ['nothing counted yet'], 'no figure yet', ''],
])('%s', (_, counted, minutes, figure, share) => {
  const numbers: PublicNumbers = { subjects: [{ subject: 'rpc', periods: somePeriods(now, () => counted) }] };
  const [row] = periodRows(numbers, 'rpc');
  expect(row?.minutes.map(plain)).toEqual(minutes);
  expect(row?.uptime.figure).toBe(figure);
  expect(plain(row?.share ?? '')).toBe(share);
});

test('a figure is a text of the collector, whatever it says', () => {
  const counted = { ...allGood(10), uptime: { figure: '12.3400 %', coverage: '1.0000 %', incomplete: true } };
  const numbers: PublicNumbers = { subjects: [{ subject: 'rpc', periods: somePeriods(now, () => counted) }] };
  expect(periodRows(numbers, 'rpc')[0]?.uptime).toMatchObject({ figure: '12.3400 %', incomplete: true });
});

test('each subject has its own, and regions stand apart from what they agreed on', () => {
  const periods = (minutes: number) => somePeriods(now, () => allGood(minutes));
  const numbers: PublicNumbers = {
    subjects: [
      { subject: 'rpc', region: 'eu', periods: periods(1) },
      { subject: 'rpc', periods: periods(2) },
      { subject: 'rpc/a', periods: periods(3) },
      { subject: 'rpc/a/head', periods: periods(4) },
      { subject: 'rpc/a/head', region: 'eu', periods: periods(5) },
      { subject: 'rpc/ab/head', periods: periods(6) },
    ],
  };
  const said = (rows: readonly { name: string; minutes: readonly string[] }[]) =>
    rows.map(({ name, minutes }) => plain(`${name}: ${minutes.join()}`));
  expect(said(periodRows(numbers, 'rpc'))).toEqual([
    'Last 24 hours: up all 2 min',
    'Last 7 days: up all 2 min',
    'Last 30 days: up all 2 min',
    'Last 90 days: up all 2 min',
    'November 2026: up all 2 min',
    'October 2026: up all 2 min',
  ]);
  expect(said(regionRows(numbers, 'rpc', '30d', (id) => `region ${id}`))).toEqual([
    'region eu: up all 1 min',
  ]);
  expect(said(checkRows(numbers, 'rpc/a', '30d'))).toEqual(['head: up all 4 min']);
  const young = somePeriods(now, (period) => (period === '2026-10' ? nothingCounted() : allGood(2)));
  expect(said(periodRows({ subjects: [{ subject: 'rpc', periods: young }] }, 'rpc')).at(-1)).toBe(
    'November 2026: up all 2 min',
  );
  expect(periodRows(numbers, 'nope')).toEqual([]);
  expect(regionRows(numbers, 'rpc', '2020-01', String)).toEqual([]);
});

test.each([
  ['24h', 'Last 24 hours'],
  ['90d', 'Last 90 days'],
  ['2026-01', 'January 2026'],
  ['soon', 'soon'],
])('%s is "%s"', (period, name) => {
  expect(periodName(period)).toBe(name);
});
