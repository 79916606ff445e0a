import { expect, test } from 'vitest';
import { aMethodLatency, someQuantiles } from '../../../../test/fixtures/details.ts';
import { morning as now } from '../../../../test/fixtures/snapshots.ts';
import { latencyCharts, MAX_CHARTS } from './latency.ts';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');
const names: Readonly<Record<string, string>> = { eu: 'Frankfurt', us: 'New York' };
const regionName = (id: string) => names[id] ?? id;
const made = { startedAt: Date.UTC(2025, 0, 1), generatedAt: now };
const measured = ['eth_call', '*', 'eth_blockNumber'].flatMap((method) =>
  ['eu', 'us'].map((region) => aMethodLatency(now, region, method, method === '*' ? 300 : 900)),
);
const of = (selection: object, from = measured) => latencyCharts(from, selection, regionName, 'rpc', made);

test.each([
  [{}, ['Frankfurt', 'New York'], ['All answers'], ['Every region']],
  [{ method: 'eth_call' }, ['Frankfurt', 'New York'], ['eth_call'], ['Every region']],
  [{ region: 'us' }, ['All answers', 'eth_blockNumber', 'eth_call'], ['Every method'], ['New York']],
  [{ region: 'us', method: '*' }, ['New York'], ['All answers'], ['New York']],
])('%j', (selection, titles, methods, regions) => {
  const view = of(selection);
  const chosen = (choices: readonly { name: string; isChosen: boolean }[] | undefined) =>
    choices?.filter(({ isChosen }) => isChosen).map(({ name }) => name);
  expect(view?.charts.map(({ title }) => title)).toEqual(titles);
  expect(chosen(view?.methods)).toEqual(methods);
  expect(chosen(view?.regions)).toEqual(regions);
});

test.each([{ method: 'nope' }, { region: 'nope' }, { region: 'us', method: 'nope' }, { region: '' }])(
  '%j was not measured',
  (selection) => {
    expect(of(selection)).toBeUndefined();
  },
);

test('every choice leads to what it says, and keeps the node', () => {
  const view = of({ node: 'a', region: 'us', method: 'eth_call' });
  const hrefs = [...(view?.methods ?? []), ...(view?.regions ?? [])].map(({ name, href }) => [name, href]);
  expect(hrefs).toEqual([
    ['Every method', '/services/rpc?node=a&region=us#latency'],
    ['All answers', '/services/rpc?node=a&method=*&region=us#latency'],
    ['eth_blockNumber', '/services/rpc?node=a&method=eth_blockNumber&region=us#latency'],
    ['eth_call', '/services/rpc?node=a&method=eth_call&region=us#latency'],
    ['Every region', '/services/rpc?node=a&method=eth_call#latency'],
    ['Frankfurt', '/services/rpc?node=a&method=eth_call&region=eu#latency'],
    ['New York', '/services/rpc?node=a&method=eth_call&region=us#latency'],
  ]);
  expect(new Set(hrefs.map(([, href]) => href)).size).toBe(hrefs.length - 1);
});

test('regions that are compared have one scale; methods have their own', () => {
  const slow = { ...aMethodLatency(now, 'us', '*', 9_000), hours: [someQuantiles(0, 9_000)] };
  const quick = { ...slow, region: 'eu', hours: [someQuantiles(0, 90)] };
  const tops = of({}, [slow, quick])?.charts.map(({ drawing }) => drawing.y.at(-1)?.text);
  expect(tops?.[0]).toBe(tops?.[1]);
  const own = of({ region: 'eu' }, [quick, { ...slow, region: 'eu', method: 'x' }])?.charts;
  expect(own?.[0]?.drawing.y.at(-1)?.text).not.toBe(own?.[1]?.drawing.y.at(-1)?.text);
});

test('charts are told in a sentence, with what is not known, and row by row', () => {
  const chart = of({ region: 'us', method: '*' })?.charts[0];
  expect(plain(chart?.summary ?? '')).toMatch(
    /^Median \d+ ms to \d+ ms; 99 % within \d+ ms at most; nothing measured in 5 of 48 hours\.$/,
  );
  expect(chart?.table.rows).toHaveLength(48);
  expect(chart?.table.rows.filter((row) => row[1] === '–')).toHaveLength(5);
  expect(plain(chart?.table.rows[0]?.[0] ?? '')).toBe('21 Nov, 06:00');
  expect(new Set(chart?.table.rows.map(([name]) => name)).size).toBe(48);
});

test('the first hour begins with the installation, and a chart is named by service, method and region', () => {
  const from = Date.UTC(2026, 10, 20, 20);
  const hours = [null, someQuantiles(0, 90)];
  const young = { ...aMethodLatency(now, 'eu', 'eth_call', 1), from, hours };
  const begun = { ...made, startedAt: Date.UTC(2026, 10, 20, 21, 52, 38) };
  const chart = latencyCharts([young], {}, regionName, 'rpc', begun)?.charts[0];
  expect(plain(chart?.summary ?? '')).toContain('; measured since 20 Nov, 21:52');
  expect(plain(chart?.table.rows[0]?.[0] ?? '')).toBe('20 Nov, 21:00');
  expect(chart?.table.caption).toBe('Latency of rpc, eth_call, Frankfurt, by hour');
});

test('an hour that has only just begun is no gap, unless a chart beside has answers of it', () => {
  const from = Date.UTC(2026, 10, 20, 20);
  const eu = { ...aMethodLatency(now, 'eu', '*', 1), from, hours: [someQuantiles(0, 90), null] };
  const us = { ...eu, region: 'us', hours: [null, someQuantiles(0, 90)] };
  const rowsAt = (minute: number, all = [eu]) =>
    latencyCharts(all, {}, regionName, 'rpc', {
      ...made,
      generatedAt: Date.UTC(2026, 10, 20, 21, minute),
    })?.charts.map(({ table, summary }) => [table.rows.length, /nothing measured/.test(summary)]);
  expect(rowsAt(1)).toEqual([[1, false]]);
  expect(rowsAt(2)).toEqual([[2, true]]);
  expect(rowsAt(1, [eu, us])).toEqual([
    [2, true],
    [2, false],
  ]);
});

test('without any answer there is a chart of nothing, and it says so', () => {
  const nothing = { ...aMethodLatency(now, 'eu', '*', 1), hours: [null, null] };
  const chart = of({}, [nothing])?.charts[0];
  expect(chart?.summary).toBe('Nothing was measured in 2 hours.');
  expect(chart?.drawing.lines.map(({ d }) => d)).toEqual(['', '', '']);
  expect(of({}, [])).toMatchObject({ charts: [], methods: [], more: '' });
});

test('of many regions some are shown, and the others are a choice', () => {
  const many = Array.from({ length: MAX_CHARTS + 5 }, (_, index) =>
    aMethodLatency(now, `r${index}`, '*', 100),
  );
  const view = of({}, many);
  expect(view?.charts).toHaveLength(MAX_CHARTS);
  expect(view?.more).toBe('5 more regions: choose one above.');
  expect(view?.regions).toHaveLength(MAX_CHARTS + 6);
});

test('names from outside stay names, and never leave their place in an address', () => {
  const hostile = '"><script>alert(1)</script>&region=eu#x/../..\u202e';
  const view = of({}, [aMethodLatency(now, hostile, hostile, 100)]);
  for (const { href } of [...(view?.methods ?? []), ...(view?.regions ?? [])].slice(1))
    expect(href).toMatch(/^\/services\/rpc(\?[a-z]+=[^"<>#&?/]*(&[a-z]+=[^"<>#&?/]*)?)?#latency$/);
  const query = new URL(view?.regions[1]?.href ?? '', 'http://x').searchParams;
  expect(query.get('region')).toBe(hostile);
});
