/** A collector that meets a damaged pack tells people of it, and goes on. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { OperatorStatus } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { packingMetrics } from '../http/packing-metrics.ts';
import { openPacking } from '../packing/packing.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { testHouse } from '../testing/config.ts';
import { fill } from '../testing/filled.ts';
import { dropDataDir, newDataDir, openHouse } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';

const FROM = 20_000 * MINUTES_PER_DAY + 1_420;
const house = testHouse(20_000);
const now = (FROM + 1_000) * MINUTE_MS;
const clock = { now: () => now, monotonic: () => now };
let dataDir: string;

beforeEach(() => (dataDir = newDataDir()));
afterEach(() => dropDataDir(dataDir));

/** The one that has the bodies of a service. */
async function packedBlob(folder: string): Promise<string> {
  await using store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  await openPacking(folder, store, blobs, clock, pino({ level: 'silent' }), packingMetrics([])).turn();
  const [pack, ...others] = await store.read(LOG_SHARD, (tx) => tx.packs('rpc', 20_000));
  if (pack === undefined || others.length > 0) throw new Error('not one pack');
  return pack.blob;
}

it('an alarm names the pack and its day, once, and it is counted', async () => {
  await fill(dataDir, house, { from: FROM, minutes: 5, random: () => 0.5 });
  const folder = join(dataDir, 'collector');
  const blob = await packedBlob(folder);
  rmSync(join(folder, 'blobs', blob));
  const running = await openHouse(house.config, dataDir, clock);
  try {
    const asked = `/v1/why?monitor=rpc/a/head&at=${(FROM + 1) * MINUTE_MS}`;
    for (let i = 0; i < 2; i += 1) expect((await running.get(asked)).status).toBe(200);
    const alarms = async (): Promise<OperatorStatus['alarms']> => {
      const { alarms: all } = await running.json<OperatorStatus>('/v1/status');
      return all.filter(({ key }) => key.startsWith('pack'));
    };
    await vi.waitFor(async () => expect(await alarms()).toHaveLength(1), { timeout: 10_000 });
    expect(await alarms()).toMatchObject([
      { key: `pack-damaged ${blob}`, title: 'Observations of rpc on 2024-10-04 can not be read' },
    ]);
    const metrics = await (await running.get('/metrics')).text();
    expect(metrics).toContain('highwater_packed_damaged_total 1\n');
  } finally {
    await running.stop();
  }
});
