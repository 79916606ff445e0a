import { expect, test } from 'vitest';
import { someNodeCharts, someQuantiles } from '../../../../test/fixtures/details.ts';
import { morning as now } from '../../../../test/fixtures/snapshots.ts';
import { nodeCharts } from './node.ts';

const plain = (text: string | undefined) => text?.replace(/[\u00a0\u202f]/g, ' ');
const longAgo = Date.UTC(2025, 0, 1);
const heads = (heights: (number | null)[], lagBlocks: (number | null)[]) => ({
  node: 'a',
  days: [],
  heads: { from: Date.UTC(2026, 10, 21, 4), everyMs: 300_000, heights, lagBlocks },
});

test('a node has what there is something to draw of', () => {
  expect(nodeCharts({ node: 'a', days: [] }, now, longAgo)).toEqual([]);
  expect(nodeCharts(someNodeCharts(now, 'a', 0), now, longAgo).map(({ title }) => title)).toEqual([
    'Latency by day',
    'Lag in blocks',
    'Height',
  ]);
});

test('no two tables of a node have one name', () => {
  const captions = nodeCharts(someNodeCharts(now, 'a', 0), now, longAgo).map(({ table }) => table.caption);
  expect(captions).toEqual(['Latency of a by UTC day', 'Lag of a in blocks by hour', 'Height of a by hour']);
});

test('days that are absent are gaps, in the 30 that end today', () => {
  const day = (date: string) => ({ ...someQuantiles(1, 100), date });
  const [chart] = nodeCharts(
    { node: 'a', days: [day('2026-11-18'), day('2026-11-20'), day('2025-01-01')] },
    now,
    longAgo,
  );
  expect(plain(chart?.summary)).toMatch(/; measured since 18 Nov 2026; nothing measured in 2 of 4 days\.$/);
  // A week at least.
  expect(chart?.table.rows).toHaveLength(7);
  expect(chart?.table.rows.map(([name]) => plain(name)).slice(0, 4)).toEqual([
    '21 Nov 2026',
    '20 Nov 2026',
    '19 Nov 2026',
    '18 Nov 2026',
  ]);
  expect(chart?.table.rows.map((row) => row[1] === '–').slice(0, 4)).toEqual([true, false, true, false]);
});

test.each([
  [[0, 0, 0], 'Never behind.'],
  [[0, 3, 1], 'At most 3 blocks behind; behind in 10 minutes.'],
  [[-2, 0, null], 'Never behind, at most 2 blocks ahead; nothing seen in 5 minutes.'],
  [[null, null, null], 'Nothing was seen.'],
])('a lag of %j reads "%s"', (lagBlocks, text) => {
  const [lag] = nodeCharts(heads([1, 2, 3], lagBlocks), now, longAgo);
  expect(plain(lag?.summary)).toBe(text);
});

test('what has only just begun is no gap', () => {
  const at = (minutes: number) => Date.UTC(2026, 10, 21, 4, minutes);
  const summaries = (now: number) =>
    nodeCharts(heads([1, 2, null], [0, 0, null]), now, longAgo).map(({ summary }) => plain(summary));
  expect(summaries(at(11))).toEqual(['Never behind.', 'From 1 to 2, 1 block.']);
  expect(summaries(at(12))[0]).toBe('Never behind; nothing seen in 5 minutes.');
  const yesterday = { node: 'a', days: [{ ...someQuantiles(1, 100), date: '2026-11-20' }] };
  const [early] = nodeCharts(yesterday, Date.UTC(2026, 10, 21, 0, 1), longAgo);
  expect(plain(early?.table.rows[0]?.[0])).toBe('20 Nov 2026');
  expect(early?.summary).not.toContain('nothing measured');
});

test('the first minutes of an installation fill a chart of three hours, and not of a day', () => {
  const young = (values: number[]) => [...Array.from({ length: 286 }, () => null), ...values];
  const [lag, height] = nodeCharts(heads(young([7, 9]), young([0, 0])), now, longAgo);
  expect(plain(lag?.summary)).toBe('Never behind; measured since 22 Nov, 03:50.');
  expect(plain(height?.summary)).toBe('From 7 to 9, 2 blocks; measured since 22 Nov, 03:50.');
  expect(lag?.drawing.gaps).toBe('');
  expect(height?.table.rows).toHaveLength(3);
});

test.each([
  [Date.UTC(2026, 10, 22, 3, 52, 38), '03:52'],
  // Begun before or after the stretch: a node that was added, and a clock that was set back.
  [Date.UTC(2026, 10, 22, 3, 49), '03:50'],
  [Date.UTC(2026, 10, 22, 3, 55), '03:50'],
])('a chart of an installation that was begun at %i says since %s', (startedAt, since) => {
  const young = (values: number[]) => [...Array.from({ length: 286 }, () => null), ...values];
  const charts = nodeCharts(heads(young([7, 9]), young([0, 0])), now, startedAt);
  for (const { summary } of charts) expect(plain(summary)).toContain(`; measured since 22 Nov, ${since}`);
});

test('heads are told by the hour: the highest, the greatest lag, and in how many stretches they were seen', () => {
  const heights = [
    ...Array.from({ length: 12 }, (_, step) => (step === 3 ? null : 1_000 + step)),
    null,
    null,
  ];
  const lagBlocks = [...Array.from({ length: 12 }, (_, step) => (step === 3 ? null : step % 5)), null, null];
  const [lag, height] = nodeCharts(heads(heights, lagBlocks), now, longAgo);
  const rows = (chart: typeof lag) => chart?.table.rows.map((row) => row.map((cell) => plain(cell)));
  expect(rows(lag)).toEqual([
    ['21 Nov, 05:00', '–', '0 of 2'],
    ['21 Nov, 04:00', '4', '11 of 12'],
  ]);
  expect(rows(height)).toEqual([
    ['21 Nov, 05:00', '–', '0 of 2'],
    ['21 Nov, 04:00', '1 011', '11 of 12'],
  ]);
  expect(plain(height?.summary)).toBe('From 1 000 to 1 011, 11 blocks; nothing seen in 15 minutes.');
});

test('a head that was never seen has no line and no figure', () => {
  const charts = nodeCharts(heads([null, null], [null, null]), now, longAgo);
  for (const chart of charts)
    expect([chart.summary, chart.drawing.lines[0]?.d]).toEqual(['Nothing was seen.', '']);
});
