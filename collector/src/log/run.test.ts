/** The log in a whole collector: its hold after a start, what probes show and are given, and its own page. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { loadSigningKey } from '@highwater/config/keys.ts';
import { formatCheckpointText } from '@highwater/config/proof/checkpoint.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import {
  assignmentAnswer,
  assignmentBody,
  checkpointHeader,
  operatorStatus,
} from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { regions, testHouse } from '../testing/config.ts';
import { dropDataDir, eventually, type House, newDataDir, openHouse } from '../testing/house.ts';
import { openHold } from './hold.ts';
import { keyFileOf } from './keys.ts';

const ROOT = Buffer.alloc(32).toString('base64');
const { config, keys } = testHouse();
let dataDir: string;
let house: House;
beforeEach(async () => {
  dataDir = newDataDir();
  house = await openHouse(config, dataDir);
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

const status = async () => operatorStatus.parse(await house.json('/v1/status')).log;

/** A probe asks for its assignment, and shows a checkpoint or none. */
async function ask(region: (typeof regions)[number], checkpoint?: string): Promise<Response> {
  const target = '/v1/assignments?after=0';
  const text = formatRequestText({
    origin: config.origin,
    probe: `${region}-1`,
    method: 'GET',
    target,
    at: Date.now(),
  });
  const shown =
    checkpoint === undefined ? {} : { [checkpointHeader]: Buffer.from(checkpoint).toString('base64') };
  return house.get(target, { authorization: authorizationOf(keys[region].sign(text)), ...shown });
}

async function foreign(): Promise<string> {
  const log = await status();
  const key = loadSigningKey(keyFileOf(join(dataDir, 'keys'), log?.year ?? 0));
  return key.sign(formatCheckpointText({ origin: key.name, size: 400, root: ROOT }));
}

it('names its key in the first assignments, and signs once all probes have asked', async () => {
  const before = await status();
  expect(before).toMatchObject({ size: 0, pending: 4 });
  for (const region of regions) {
    const answer = assignmentAnswer.parse(await (await ask(region)).json());
    const body = assignmentBody.parse(JSON.parse('body' in answer ? answer.body : ''));
    expect([body.number, body.logKeys]).toEqual([1, [before?.key]]);
  }
  const signed = await eventually(async () => ((await status())?.size ?? 0) > 0 && status());
  expect(signed).toMatchObject({ size: 4, pending: 0, key: before?.key });
  const metrics = await (await house.get('/metrics')).text();
  for (const line of ['size 4', 'signed_size 4', 'pending 0', 'refused 0'])
    expect(metrics).toContain(`\nhighwater_log_${line}\n`);
});

it('signs nothing when a probe shows in the first moments that the store is an old one, and tells it', async () => {
  await ask('eu');
  expect((await ask('us', await foreign())).status).toBe(200);
  await ask('sg', 'no checkpoint');
  const refused = await eventually(async () => (await status())?.refused);
  expect(refused.because).toMatch(/^probe us-1 shows a checkpoint of .* 400 entries/);
  expect(await status()).toMatchObject({ size: 0, pending: 4 });
  const alarms = await eventually(async () => {
    const now = operatorStatus.parse(await house.json('/v1/status')).alarms;
    return now.length > 0 && now;
  });
  expect(alarms).toMatchObject([{ key: 'log.refused', because: refused.because }]);
  expect(await (await house.get('/metrics')).text()).toContain('\nhighwater_log_refused 1\n');
});

it('asks its own page before it signs', async () => {
  const bad = await foreign();
  await house.stop();
  const page = createServer((request, response) => {
    response.end(/^\/log\/\d+\/checkpoint$/.test(request.url ?? '') ? bad : 'no');
  });
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/`;
  house = await openHouse({ ...config, site: { ...config.site, url } }, dataDir);
  const refused = await eventually(async () => (await status())?.refused);
  expect(refused.because).toMatch(/^the page http:\/\/127\.0\.0\.1:\d+\/log\/\d+\/checkpoint shows/);
  await new Promise((resolve) => page.close(resolve));
});

describe('the hold', () => {
  it('is over once every probe has asked and the others were heard, not before', async () => {
    const hold = openHold();
    const other = Promise.withResolvers<void>();
    let isOver = false;
    hold.asked('a');
    const over = hold.over(['a', 'b'], [other.promise], new AbortController().signal).then(() => {
      isOver = true;
    });
    other.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    hold.asked('c');
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    hold.asked('b');
    await over;
  });

  it('is over when the collector ends, whoever is missing', async () => {
    const ending = new AbortController();
    const over = openHold().over(['a'], [new Promise(() => undefined)], ending.signal);
    ending.abort();
    await over;
    await openHold().over(['a'], [], ending.signal);
  });
});
