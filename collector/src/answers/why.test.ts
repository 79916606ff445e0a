/** Why a minute of long ago is as it is, over HTTP: what came as frames is gone, the bodies are packed, a check is removed. */
import { join } from 'node:path';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { why, type Why } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packingMetrics } from '../http/packing-metrics.ts';
import { openPacking } from '../packing/packing.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { testHouse } from '../testing/config.ts';
import { fill } from '../testing/filled.ts';
import { dropDataDir, type House, newDataDir, openHouse } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';

const FROM = 20_000 * MINUTES_PER_DAY + 600;
const MINUTE = FROM + 2;
const declared = testHouse(20_000);
/** A day later; it stands still. */
const now = (FROM + 3_000) * MINUTE_MS;
const clock = { now: () => now, monotonic: () => now };
let dataDir: string;

beforeEach(() => (dataDir = newDataDir()));
afterEach(() => dropDataDir(dataDir));

const ask = async (house: House, monitor: string, minute: number): Promise<Why> =>
  why.parse(await house.json(`/v1/why?monitor=${monitor}&at=${minute * MINUTE_MS + 17_000}`));

async function pack(folder: string): Promise<void> {
  await using store = openSqliteStore(folder);
  const blobs = folderBlobs(join(folder, 'blobs'));
  await openPacking(folder, store, blobs, clock, pino({ level: 'silent' }), packingMetrics([])).turn();
  expect(await store.read(LOG_SHARD, (tx) => tx.packs('web', 20_000))).toHaveLength(1);
}

it('is told by the lines of its window, whose bodies are packed, and for a check that there was', async () => {
  await fill(dataDir, declared, { from: FROM, minutes: 5, random: () => 0.5 });
  await pack(join(dataDir, 'collector'));
  const { config } = declared;
  const without = {
    ...config,
    services: config.services.filter(({ id }) => id !== 'web'),
    monitors: config.monitors.filter(({ service }) => service !== 'web'),
  };
  const house = await openHouse(without, dataDir, clock);
  try {
    for (const [monitor, because] of [
      ['rpc/a/head', 'no fresh answer from any of 3 regions'],
      ['web/main/http', 'it is not configured now'],
    ] as const) {
      const told = await ask(house, monitor, MINUTE);
      expect(told.decided).toEqual({ first: MINUTE, last: MINUTE, gone: 0, more: 0 });
      // What it is today says nothing of that minute.
      expect([told.node, told.head]).toEqual([undefined, undefined]);
      // Every 20 s by three probes.
      expect(told.lines).toHaveLength(9);
      expect(new Set(told.lines.map(({ region }) => region))).toEqual(new Set(['eu', 'us', 'sg']));
      for (const line of told.lines) {
        expect(line).toMatchObject({ counts: true, batch: { epoch: 0, log: { year: 2024 } } });
      }
      expect(told.slot).toMatchObject({ minute: MINUTE, state: 'up', quorum: { needed: 2, regions: 3 } });
      expect(told.verdict.because).toBe(because);
    }
    const places = (await ask(house, 'rpc/a/head', MINUTE)).lines.map(({ batch }) => batch?.log?.index ?? 0);
    // One of each probe.
    expect(new Set(places).size).toBe(3);
    expect((await house.get('/v1/why?monitor=web/main/none')).status).toBe(404);
  } finally {
    await house.stop();
  }
});
