import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { openLive } from './heart.ts';

const { config, keys } = testHouse();
const clock = { now: () => Date.now(), monotonic: () => performance.now() };
const eu = player(config.origin, keys.eu);

let dataDir: string;
let store: Store;
let reads: number;
beforeEach(() => {
  dataDir = newDataDir();
  const inner = openSqliteStore(dataDir);
  reads = 0;
  store = {
    transact: (shard, work) => inner.transact(shard, work),
    read: (shard, work) =>
      inner.read(shard, (tx) =>
        work({
          ...tx,
          async framesAfter(pos, limit) {
            const frames = await tx.framesAfter(pos, limit);
            reads += frames.length;
            return frames;
          },
        }),
      ),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  };
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(dataDir);
});

let frame = 0;
const come = (count: number): Promise<void> =>
  store.transact(LOG_SHARD, async (tx) => {
    for (let i = 0; i < count; i += 1) {
      frame += 1;
      await tx.addFrame({ probe: 'eu-1', epoch: 0, frame, receivedAt: Date.now(), note: eu.frame([]) });
    }
  });

const open = (services: readonly string[]) =>
  openLive({
    watched: watch({
      ...config,
      services: config.services.filter(({ id }) => services.includes(id)),
      monitors: config.monitors.filter(({ service }) => services.includes(service)),
    }),
    store,
    clock,
    startedAt: 0,
    flipped: () => undefined,
    turned: () => undefined,
  });

it('a service that is new begins with the newest frames, and not with all that are kept', async () => {
  await come(3_000);
  const before = await open(['rpc']);
  expect(before.position()).toBe(3_000);
  await come(600);
  await before.beat();
  reads = 0;
  const after = await open(['rpc', 'web']);
  expect(after.position()).toBe(3_600);
  expect(reads).toBeLessThanOrEqual(2_000);
  reads = 0;
  await open(['rpc', 'web']);
  expect(reads).toBeLessThanOrEqual(1_200);
});

it('what was watched and is behind is read in full', async () => {
  await come(600);
  await open(['rpc']);
  await come(2_500);
  reads = 0;
  const again = await open(['rpc']);
  expect(again.position()).toBe(3_100);
  expect(reads).toBeGreaterThanOrEqual(2_500);
});
