import type { Config, Monitor } from '@highwater/config/model.ts';
import { publicCharts } from '@highwater/config/public-detail.ts';
import { DAY_MS, formatDay, HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { beforeEach, expect, test } from 'vitest';
import { openHeadsView } from '../slots/heads-view.ts';
import { openLatencyView } from '../slots/latency-view.ts';
import type { LineView } from '../slots/line-view.ts';
import type { SeenLine } from '../slots/lines.ts';
import { testHouse } from '../testing/config.ts';
import { keptBlocks, type KeptBlocks } from '../testing/kept-blocks.ts';
import { watch } from '../watched.ts';
import { CHART_METHODS, openCharts } from './charts.ts';

const house = testHouse();
const methods = Array.from({ length: 20 }, (_, i) => ({ method: `m${10 + i}` }));
const config: Config = {
  ...house.config,
  monitors: house.config.monitors.map((monitor): Monitor =>
    monitor.id === 'rpc/a/jsonrpc' ? { ...monitor, settings: { methods } } : monitor,
  ),
};
const SHARD = 'chain:devnet';
/** Half past the first hour of a day. */
const now = 20_000 * DAY_MS + 30 * MINUTE_MS;

let kept: KeptBlocks;
let views: readonly LineView[];
let revision: number;
let charts: ReturnType<typeof openCharts>;
beforeEach(() => {
  kept = keptBlocks();
  views = [openLatencyView(), openHeadsView()];
  revision = 0;
  charts = openCharts({ watched: watch(config), slots, clock: { now: () => now } });
});

const line = (monitor: string, latencyTenths: number, facts = ''): SeenLine => ({
  monitor,
  dueAt: 0,
  outcome: 'ok',
  latencyTenths,
  fault: '-',
  facts,
});

async function told(at: number, lines: readonly SeenLine[], region = 'eu'): Promise<void> {
  const minute = Math.floor(at / MINUTE_MS);
  for (const view of views) {
    await view.apply(kept.tx, kept.blocks, { key: region, region, minute, before: [], after: lines });
    view.close(kept.blocks);
  }
  revision += 1;
}

const slots = {
  revision: () => revision,
  blocks: (shard: string, ...asked: [Parameters<typeof kept.blocks.list>[1], number, number, string?]) => {
    expect(shard).toBe(SHARD);
    return kept.blocks.list(kept.tx, ...asked);
  },
};
const of = async (service: string) => publicCharts.parse(await charts(service));

test('latency by region and hour: all answers, then the methods that are asked most', async () => {
  await told(now, [line('rpc/a/jsonrpc', 500, 'm.m10=70 m.m11=90'), line('rpc/b/head', 900)]);
  await told(now + MINUTE_MS, [line('rpc/a/jsonrpc', 500, 'm.m11=90 m.other=5')]);
  await told(now - 47 * HOUR_MS, [line('rpc/a/head', 100)], 'us');
  await told(now - 48 * HOUR_MS, [line('rpc/a/head', 100)], 'us');
  const { latency, leftOut } = await of('rpc');
  expect(latency.map(({ region, method }) => `${region} ${method}`)).toEqual([
    'eu *',
    'eu m11',
    'eu m10',
    'us *',
  ]);
  const [all, , , us] = latency;
  expect(all?.hours.length).toBe(48);
  expect(all?.hours.slice(0, 47)).toEqual(Array.from({ length: 47 }, () => null));
  expect(all?.hours[47]).toMatchObject({ count: 3, p50Tenths: 498 });
  expect(us?.hours[0]).toMatchObject({ count: 1 });
  expect(us?.from).toBe(now - 30 * MINUTE_MS - 47 * HOUR_MS);
  expect(leftOut).toBeUndefined();
});

test('with more methods than are shown the rest is named', async () => {
  const facts = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `m.m${from + i}=7`).join(' ');
  await told(now, [line('rpc/a/jsonrpc', 500, facts(10, 26))]);
  await told(now + MINUTE_MS, [line('rpc/a/jsonrpc', 500, facts(14, 30))]);
  const { latency, leftOut } = await of('rpc');
  expect(latency.length).toBe(1 + CHART_METHODS);
  expect(leftOut).toEqual(['m26', 'm27', 'm28', 'm29']);
});

test('days of nodes, oldest first, at most thirty', async () => {
  for (const day of [0, 1, 29, 30]) await told(now - day * DAY_MS, [line('rpc/a/head', 1_000)]);
  const { nodes } = await of('rpc');
  expect(nodes.map(({ node, days }) => [node, days.map(({ date }) => date)])).toEqual([
    ['a', [29, 1, 0].map((day) => formatDay(20_000 - day))],
    ['b', []],
  ]);
});

test('heads of 24 hours, and the lag to what two have reached, in a stretch of five minutes', async () => {
  const heads = (a: number, b: number, hidden: number): SeenLine[] => [
    line('rpc/a/head', 1, `h=${a}`),
    line('rpc/b/head', 1, `h=${b}`),
    line('hidden/canary-node/head', 1, `h=${hidden}`),
  ];
  await told(now, heads(40, 50, 49));
  await told(now + 4 * MINUTE_MS, heads(41, 48, 49), 'us');
  await told(now - DAY_MS + 5 * MINUTE_MS, [line('rpc/a/head', 1, 'h=7')]);
  await told(now - DAY_MS, [line('rpc/a/head', 1, 'h=6')]);
  const { nodes } = await of('rpc');
  const [a, b] = nodes.map(({ heads: own }) => own);
  expect(a?.heights.length).toBe(288);
  expect([a?.heights[0], a?.lagBlocks[0]]).toEqual([7, null]);
  expect([a?.heights[287], a?.lagBlocks[287]]).toEqual([41, 8]);
  expect([b?.heights[287], b?.lagBlocks[287]]).toEqual([50, -1]);
  expect(a?.from).toBe(now - DAY_MS + 5 * MINUTE_MS);
  // A later line makes it anew.
  await told(now + MINUTE_MS, [line('rpc/b/head', 1, 'h=60'), line('rpc/a/head', 1, 'h=55')]);
  expect((await of('rpc')).nodes[1]?.heads?.lagBlocks[287]).toBe(-5);
});

test('a private service has no charts, nor has one that is not there', async () => {
  await told(now, [line('hidden/canary-node/head', 900, 'h=5')]);
  for (const service of ['hidden', 'nobody']) expect(await of(service)).toEqual({ latency: [], nodes: [] });
});

test('a service that nothing was said of has empty charts', async () => {
  expect(await of('rpc')).toEqual({
    latency: [],
    nodes: [
      { node: 'a', days: [] },
      { node: 'b', days: [] },
    ],
  });
});
