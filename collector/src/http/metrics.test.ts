import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir, openHouse, type House } from '../testing/house.ts';

const promtool = spawnSync('promtool', ['--version']);
const missing = promtool.error !== undefined;
if (missing && process.env['CI'] === 'true')
  throw new Error('promtool is not installed (Debian: prometheus)');

let dataDir: string;
let house: House;
beforeEach(async () => {
  dataDir = newDataDir();
  house = await openHouse(testHouse().config, dataDir);
}, 30_000);
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

describe('metrics', () => {
  it.skipIf(missing)('are found good by promtool check metrics', async () => {
    const input = await (await house.get('/metrics')).text();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input });
    expect({ status, output: `${stdout.toString()}${stderr.toString()}` }).toEqual({ status: 0, output: '' });
  });

  it('have the names that dashboards build on', async () => {
    const text = await (await house.get('/metrics')).text();
    for (const name of [
      'highwater_verdict{service="web",node="main",check="http",status="unknown"} 1',
      'highwater_ingest_observations_total{probe="eu-1"} 0',
      'highwater_outbox_pending 0',
      'highwater_log_size 4',
    ]) {
      expect(text).toContain(name);
    }
  });
});
