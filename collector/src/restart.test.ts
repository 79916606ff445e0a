import { feedPage } from '@highwater/config/wire.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SILENT_AFTER_MS } from './decide/silence.ts';
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
