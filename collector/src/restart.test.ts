import { join } from 'node:path';
import { feedPage } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { raiseAlarm } from './alarms.ts';
import { acknowledge } from './answers/acknowledge.ts';
import { SILENT_AFTER_MS } from './decide/silence.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { acknowledging } from './testing/acknowledging.ts';
import { testHouse } from './testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from './testing/house.ts';

const { config } = testHouse();
let dataDir: string;
let house: House | undefined;
beforeEach(() => {
  dataDir = newDataDir();
});
afterEach(async () => {
  await house?.stop();
  dropDataDir(dataDir);
});

it('a collector that was down calls no probe silent before it has listened for it', async () => {
  const now = { ms: 1_800_000_000_000 };
  const clock = { now: () => now.ms, monotonic: () => performance.now() };
  house = await openHouse(config, dataDir, clock);
  await house.stop();

  now.ms += 3_600_000;
  const restartedAt = now.ms;
  house = await openHouse(config, dataDir, clock);
  const silences = await eventually(async () => {
    // A second at each look: to the collector's beats the time goes on without a gap.
    now.ms += 1_000;
    const { events } = feedPage.parse(await house?.json('/v1/events?after=0'));
    const silent = events.filter((event) => event.type === 'probe.silent');
    return silent.length >= config.probes.length && silent;
  }, 25_000);
  expect(silences).toHaveLength(config.probes.length);
  for (const { at } of silences) expect(at - restartedAt).toBeGreaterThanOrEqual(SILENT_AFTER_MS);
}, 30_000);

it('an acknowledgement that was killed between the log and the house is made up for at the next start', async () => {
  house = await openHouse(config, dataDir);
  await house.stop();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  {
    await using store = openSqliteStore(join(dataDir, 'collector'));
    await raiseAlarm(store, clock, { key: 'test', title: 'Test', because: 'why', remedy: 'do this' });
    let left = 1;
    const dying: Store = {
      read: (shard, work) => store.read(shard, work),
      transact: async (shard, work) => {
        if ((left -= 1) < 0) throw new Error('killed');
        return store.transact(shard, work);
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    };
    await expect(acknowledge(acknowledging(dying, clock), 'alarm-test', 'ana')).rejects.toThrow('killed');
  }
  house = await openHouse(config, dataDir);
  await eventually(async () => {
    const { events } = feedPage.parse(await house?.json('/v1/events?after=0'));
    return events.some((event) => event.type === 'alert.acknowledged' && event.incidentId === 'alarm-test');
  });
}, 30_000);
