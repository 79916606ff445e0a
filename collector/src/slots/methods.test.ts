/** From signed batches to what the snapshot says of methods, over a real store. */
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import type { Config, Monitor } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import type { PublicMethod } from '@highwater/config/public.ts';
import { HOUR_MS, MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHistory } from '../answers/history.ts';
import { openLedger } from '../answers/ledger.ts';
import { type BatchIngest, batchIngest } from '../ingest/batches.ts';
import { declareLeaves } from '../leaves/leaves.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player, type Player } from '../testing/player.ts';
import { watch, type Watched } from '../watched.ts';

import { openSlots, type Slots } from './slots.ts';

/** Hours shown, and the one that runs. */
const SHOWN_HOURS = 25;
const house = testHouse();
const methods = [{ method: 'eth_call' }, { method: 'eth_call', id: '__proto__' }, { get: '/v2/status?x=1' }];
const config: Config = {
  ...house.config,
  monitors: house.config.monitors.map((monitor): Monitor =>
    monitor.id === 'rpc/a/jsonrpc' ? { ...monitor, settings: { methods } } : monitor,
  ),
};
const watched = watch(config);
/** The start of an hour. */
const start = 490_000 * HOUR_MS;

let now: number;
const clock = { now: () => now, monotonic: () => now };
let folder: string;
let store: Store;
let ingest: BatchIngest;
let slots: Slots;
let [eu, us]: readonly [Player, Player] = [player('', house.keys.eu), player('', house.keys.us)];
async function declare(declared: Watched, blobs: Blobs): Promise<void> {
  const projection = formatProjection(
    projectConfig(declared.config, { seed: '0'.repeat(32), salt: 'salt' }, sha256),
  );
  await declareLeaves(store, blobs, declared, generateSigningKey(config.origin), projection, now);
}

beforeEach(async () => {
  now = start + 30 * MINUTE_MS;
  folder = newDataDir();
  store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  const events = { committed: () => undefined, closed: () => undefined, conflict: () => undefined };
  ingest = batchIngest(watched, store, clock, events);
  await declare(watched, blobs);
  slots = openSlots(watched, store, blobs, clock);
  [eu, us] = [player(config.origin, house.keys.eu), player(config.origin, house.keys.us)];
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

/** What probes say in one batch, taken in; returns it as it was sent. */
async function told(by: Player, lines: readonly string[]): Promise<() => Promise<number>> {
  by.frame(lines);
  const { note, bodies } = by.batch({ config: ZERO_HASH, minute: Math.floor(now / MINUTE_MS) });
  const send = async (): Promise<number> => (await ingest.accept(note, Object.fromEntries(bodies))).status;
  expect(await send()).toBe(200);
  await slots.beat();
  return send;
}

const line = (at: number, facts: string, outcome = 'ok 100 -'): string =>
  `rpc/a/jsonrpc ${at} ${outcome} ${facts}`;

async function shown(): Promise<readonly PublicMethod[]> {
  return (await openHistory(watched, slots, openLedger(slots)).read(now)).methods.get('rpc/a') ?? [];
}

test('all regions together: quantiles, calls, and faults, the most frequent first', async () => {
  await told(eu, [
    line(now - 4_000, 'm.eth_call=1000 m.v2.status=50'),
    line(now - 3_000, 'm.eth_call=1000 m.v2.status=target.http.status', 'fail 100 target.http.status'),
    line(now - 2_000, 'm.eth_call=target.rpc.limit', 'fail 100 target.rpc.limit'),
  ]);
  await told(us, [
    line(now - 4_000, 'm.eth_call=3000'),
    line(now - 3_000, 'm.eth_call=target.http.timeout', 'fail 100 target.http.timeout'),
    line(now - 2_000, 'm.eth_call=target.http.timeout', 'fail 100 target.http.timeout'),
  ]);
  const [call, status, ...more] = await shown();
  expect(more).toEqual([]);
  expect(call).toMatchObject({ check: 'jsonrpc', method: 'eth_call', calls: 3, from: start - 23 * HOUR_MS });
  expect(Math.abs((call?.p50Tenths ?? 0) - 1_000)).toBeLessThanOrEqual(10);
  // Of three the one in the middle is the 95th percentile's too: its rank is rounded down.
  expect(Math.abs((call?.p95Tenths ?? 0) - 1_000)).toBeLessThanOrEqual(10);
  expect(call?.faults).toEqual([
    { fault: 'target.http.timeout', count: 2 },
    { fault: 'target.rpc.limit', count: 1 },
  ]);
  expect(call?.hourlyP50Tenths).toEqual([...Array.from({ length: 23 }, () => null), call?.p50Tenths]);
  expect(status).toMatchObject({
    method: 'v2.status',
    calls: 1,
    p50Tenths: 50,
    faults: [{ fault: 'target.http.status', count: 1 }],
  });
});

test.each([
  ['a method that the check does not have', line(start, 'm.eth_chainId=1000')],
  ['methods of a check that has none', `rpc/b/jsonrpc ${start} ok 100 - m.eth_call=1000`],
  ["the probe's own fault", line(start, 'm.eth_call=probe.loop.late')],
  ["a line of the probe's own trouble", line(start, 'm.eth_call=1000', 'fail 9 probe.loop.late')],
  ['a skipped line', line(start, 'm.eth_call=1000', 'skipped 0 probe.schedule.late')],
  ['a recheck', line(start, 'm.eth_call=1000 re=1')],
  ['a line older than what is kept', line(start - SHOWN_HOURS * HOUR_MS, 'm.eth_call=1000')],
])('%s adds nothing', async (_, text) => {
  await told(eu, [text]);
  expect(await shown()).toEqual([]);
});

test('a method may have any id that the settings allow', async () => {
  await told(eu, [line(start, 'm.__proto__=70'), line(start + 1_000, 'm.__proto__=target.rpc.error')]);
  expect(await shown()).toMatchObject([
    { method: '__proto__', calls: 1, p50Tenths: 70, faults: [{ fault: 'target.rpc.error', count: 1 }] },
  ]);
});

test('a batch that comes twice, before and after a restart, counts once', async () => {
  const send = await told(eu, [line(start, 'm.eth_call=1000')]);
  expect(await send()).toBe(200);
  await slots.beat();
  slots = openSlots(watched, store, folderBlobs(join(folder, 'blobs')), clock);
  await slots.beat();
  expect(await shown()).toMatchObject([{ calls: 1 }]);
});

test('late lines land in their hour, and an hour is gone once a day is over', async () => {
  const hourOf = (at: number, tenths: number): string => line(at, `m.eth_call=${tenths}`);
  await told(eu, [hourOf(start, 10)]);
  await told(eu, [hourOf(start - 23 * HOUR_MS, 20), hourOf(start - 22 * HOUR_MS, 30)]);
  await told(us, [hourOf(start - 23 * HOUR_MS, 20)]);
  const [method] = await shown();
  expect(method?.calls).toBe(4);
  expect(method?.hourlyP50Tenths.map((value) => value ?? '-').join(' ')).toBe(`20 30${' -'.repeat(21)} 10`);
  now += HOUR_MS;
  expect((await shown())[0]).toMatchObject({ calls: 2, from: start - 22 * HOUR_MS });
  // The ring comes round: what one region wrote a day ago does not stand beside what the other writes now.
  now = start + (SHOWN_HOURS - 23) * HOUR_MS;
  await told(us, [hourOf(now, 40)]);
  expect((await shown())[0]).toMatchObject({ calls: 2 });
  now += 30 * HOUR_MS;
  expect(await shown()).toEqual([]);
});

test('what is read bit by bit is what is read afresh', async () => {
  const kept = openHistory(watched, slots, openLedger(slots));
  for (let i = 0; i < 12; i += 1) {
    const at = now - ((i * 7) % 24) * HOUR_MS;
    await told(i % 2 === 0 ? eu : us, [
      line(at - 1, `m.eth_call=${100 + i} m.v2.status=${i % 3 === 0 ? 'target.rpc.error' : 7}`),
    ]);
    now += (i % 5) * 20 * MINUTE_MS;
    expect((await kept.read(now)).methods.get('rpc/a')).toEqual(await shown());
  }
});

test('of a node at most 64 methods are shown', async () => {
  const ids = Array.from({ length: 16 }, (_, i) => ({ method: `m${10 + i}` }));
  const checks = ['c1', 'c2', 'c3', 'c4', 'c5'];
  const monitors = checks.map((check): Monitor => {
    const [model] = config.monitors;
    if (model === undefined) throw new Error('no monitor');
    return { ...model, service: 'rpc', node: 'b', check, id: `rpc/b/${check}`, settings: { methods: ids } };
  });
  const many = watch({ ...config, monitors: [...config.monitors, ...monitors] });
  const blobs = folderBlobs(join(folder, 'blobs'));
  await declare(many, blobs);
  slots = openSlots(many, store, blobs, clock);
  ingest = batchIngest(many, store, clock, {
    committed: () => undefined,
    closed: () => undefined,
    conflict: () => undefined,
  });
  const facts = ids
    .map(({ method }) => `m.${method}=10`)
    .sort()
    .join(' ');
  await told(
    eu,
    checks.map((check) => `rpc/b/${check} ${start} ok 1 - ${facts}`),
  );
  const { methods } = await openHistory(many, slots, openLedger(slots)).read(now);
  expect(methods.get('rpc/b')?.length).toBe(64);
});
