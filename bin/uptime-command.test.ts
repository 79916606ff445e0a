/** `highwater uptime` as a process, against a collector in this one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { uptimeAnswer } from '@highwater/config/public-detail.ts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { testHouse } from '../collector/src/testing/config.ts';
import { dropDataDir, type House, newDataDir, openHouse } from '../collector/src/testing/house.ts';

// Each starts a process, on machines that may be busy with other tests.
vi.setConfig({ testTimeout: 60_000 });

const launcher = fileURLToPath(new URL('./highwater', import.meta.url));
let dataDir: string;
let house: House;
beforeAll(async () => {
  dataDir = newDataDir();
  house = await openHouse(testHouse().config, dataDir);
});
afterAll(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

async function uptime(...flags: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const args = [launcher, 'uptime', '--collector', house.url, '--data', dataDir, ...flags];
  const child = spawn(process.execPath, args, { env: process.env });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

it('tells the days that were asked for, as text and as JSON', async () => {
  const days = ['rpc/a', '--from', '2026-10-01', '--to', '2026-10-31', '--region', 'eu'];
  const text = await uptime(...days);
  expect(text).toMatchObject({ code: 0, err: '' });
  expect(text.out).toMatch(
    /^rpc\/a, as eu alone saw it, 2026-10-01 00:00:00 UTC to 2026-11-01 00:00:00 UTC\n {2}uptime {4}nothing was counted\n/,
  );
  const answer = uptimeAnswer.parse(JSON.parse((await uptime(...days, '--json')).out));
  expect(answer).toMatchObject({ subject: 'rpc/a', region: 'eu', days: [] });
  expect(answer).not.toHaveProperty('period');
});

it.each([
  [['nobody'], 'there is no subject nobody'],
  [['rpc', '--period', '8d'], 'period=8d is not a period; give 24h, 7d, 30d, 90d'],
  [['rpc', '--from', '2026-10-01'], 'to is missing'],
  [['rpc', '--region', 'mars'], 'there is no region mars; give one of eu, us, sg'],
  [[], "missing required argument 'SUBJECT'"],
])('%j ends with 2 and says why', async (flags, says) => {
  const { code, out, err } = await uptime(...flags);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(says);
});
