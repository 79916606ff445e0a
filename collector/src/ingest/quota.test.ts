/** One key floods, by the real ingest: what it leaves here for good is bounded, and what is held costs nothing. */
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { batchIngest } from './batches.ts';
import { type Budget, openBudget } from './budget.ts';
import { frameIngest } from './frames.ts';
import { openQuota } from './quota.ts';

const minute = 29_000_000;
let passedMs = 0;
const clock = { now: () => minute * MINUTE_MS, monotonic: () => passedMs };
const { config, keys } = testHouse();
const nothing = { committed: () => undefined, closed: () => undefined, conflict: () => undefined };
let folder: string;
let store: Store;
let refused: string[];
beforeEach(() => {
  passedMs = 0;
  refused = [];
  folder = newDataDir();
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const quotaOf = (budget: Budget) =>
  openQuota(watch(config), budget, clock, (probe, lacking) => refused.push(`${probe} ${lacking}`));
const ingestOf = (budget: Budget) =>
  batchIngest(watch(config), store, clock, nothing, undefined, undefined, quotaOf(budget));
const commits = () => store.read(LOG_SHARD, (tx) => tx.commitSize());

it('epochs of one key: twenty at once, then by the hour; those that are here go on', async () => {
  const budget = openBudget();
  const ingest = ingestOf(budget);
  const players = Array.from({ length: 30 }, (_, epoch) => player(config.origin, keys.eu, epoch));
  const made = players.map((eu) => eu.batch({ config: ZERO_HASH, minute }));
  const answers = [];
  for (const { note } of made) answers.push(await ingest.accept(note, {}));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  expect(answers.at(-1)).toMatchObject({ status: 429, retryAfterS: 600 });
  expect(await commits()).toBe(20);
  expect(new Set(refused)).toEqual(new Set(['eu-1 epochs']));
  // A new configuration has the same budget.
  expect((await ingestOf(budget).accept(made[29]?.note ?? '', {})).status).toBe(429);
  // Held ones, what follows on one of them, and another probe.
  expect(await ingest.accept(made[0]?.note ?? '', {})).toMatchObject({ body: { result: 'held' } });
  for (const eu of players.slice(0, 20)) {
    expect((await ingest.accept(eu.batch({ config: ZERO_HASH, minute }).note, {})).status).toBe(200);
  }
  const us = player(config.origin, keys.us).batch({ config: ZERO_HASH, minute });
  expect((await ingest.accept(us.note, {})).status).toBe(200);
  passedMs = 600_000;
  expect((await ingest.accept(made[20]?.note ?? '', {})).status).toBe(200);
  expect((await ingest.accept(made[21]?.note ?? '', {})).status).toBe(429);
});

it('a contradiction that is kept costs what a leaf costs', async () => {
  const budget = openBudget();
  const ingest = ingestOf(budget);
  const eu = player(config.origin, keys.eu);
  const made = eu.batch({ config: ZERO_HASH, minute });
  expect((await ingest.accept(made.note, {})).status).toBe(200);
  for (let n = 1; n < 3_000; n += 1) expect(quotaOf(budget).take('eu-1', { leaves: 1 }, 0)).toBeUndefined();
  expect(await ingest.accept(eu.contradict(made), {})).toMatchObject({ status: 429, retryAfterS: 2 });
  expect(await commits()).toBe(1);
  passedMs = 2_000;
  expect((await ingest.accept(eu.contradict(made), {})).status).toBe(409);
  expect(await commits()).toBe(2);
});

it('frames past the budget are not kept; one that is held is', async () => {
  const budget = openBudget();
  const frames = frameIngest(watch(config), store, clock, () => undefined, quotaOf(budget));
  const eu = player(config.origin, keys.eu);
  const [first, second] = [0, 1].map((n) => eu.frame([`web/main/http ${minute * MINUTE_MS + n} ok 100 -`]));
  expect((await frames.accept(first ?? '', {})).status).toBe(200);
  while (quotaOf(budget).take('eu-1', { 'frame-bytes': 1_048_576 }, 0) === undefined);
  while (quotaOf(budget).take('eu-1', { 'frame-bytes': 100 }, 0) === undefined);
  expect((await frames.accept(second ?? '', {})).status).toBe(429);
  expect(await frames.accept(first ?? '', {})).toMatchObject({ body: { result: 'held' } });
  passedMs = 1_000;
  expect((await frames.accept(second ?? '', {})).status).toBe(200);
});
