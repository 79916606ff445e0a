/** Requests to look now, over real HTTP: the collector's own call and the probe's own follower. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { assignment, lookNow, maxLookNow } from '@highwater/config/wire.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Region, regions, testHouse, type TestHouse } from '../../collector/src/testing/config.ts';
import {
  dropDataDir,
  eventually,
  type House,
  newDataDir,
  openHouse,
} from '../../collector/src/testing/house.ts';
import { type Player, player } from '../../collector/src/testing/player.ts';
import { followAssignments, openTrust } from '../../probe/src/assign.ts';
import { openLink } from '../../probe/src/collector-link.ts';
import { serveHttp } from '../../probe/testing/servers.ts';

// Real processes of others share this machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

/** So long that hardly ever a scheduled check comes soon: then nobody would be asked. */
const INTERVAL_MS = 86_400_000;
const MONITOR = 'web/main/http';
const silent = pino({ level: 'silent' });

let dataDir: string;
let test: TestHouse;
let house: House;
let reopen: () => Promise<House>;
let players: Record<Region, Player>;
/** The clock of the budget, put forward by hand. */
let monotonicMs: number;

beforeEach(async () => {
  dataDir = newDataDir();
  test = testHouse(INTERVAL_MS);
  monotonicMs = 1_000_000;
  const [web] = test.config.monitors.filter(({ id }) => id === MONITOR);
  if (web === undefined) throw new Error('the configuration of tests has no web check');
  const more = Array.from({ length: 60 }, (_, i) => ({ ...web, id: `${MONITOR}-${i}`, check: `http-${i}` }));
  const config = { ...test.config, monitors: [...test.config.monitors, ...more] };
  reopen = () => openHouse(config, dataDir, { now: () => Date.now(), monotonic: () => monotonicMs });
  house = await reopen();
  players = Object.fromEntries(
    regions.map((region) => [region, player(test.config.origin, test.keys[region])]),
  ) as Record<Region, Player>;
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

/** A signed call for what a probe is to do. */
async function poll(region: Region, query: string): Promise<Response> {
  const target = `/v1/assignments?${query}`;
  const { origin } = test.config;
  const said = { origin, probe: `${region}-1`, method: 'GET', target, at: Date.now() } as const;
  return house.get(target, { authorization: authorizationOf(players[region].sign(formatRequestText(said))) });
}

/** What a probe is asked to look at; nothing for 204. */
async function asked(region: Region, query = 'after=1&look=1'): Promise<readonly string[]> {
  const response = await poll(region, query);
  return response.status === 204 ? [] : lookNow.parse(await response.json()).look;
}

async function say(
  region: Region,
  outcome: 'ok' | 'fail',
  ids: readonly string[] = [MONITOR],
): Promise<void> {
  const said = outcome === 'ok' ? 'ok 120 -' : 'fail 3 target.connect.refused';
  const note = players[region].frame(ids.map((id) => `${id} ${Date.now()} ${said}`));
  expect((await house.post('/v1/frames', note)).status).toBe(200);
}

async function metric(line: string): Promise<true> {
  return eventually(async () => (await (await house.get('/metrics')).text()).includes(`${line}\n`));
}

async function verdictIs(expected: string): Promise<void> {
  await eventually(async () => {
    const { monitors } = await house.json<{ monitors: { subject: string; status: string }[] }>('/v1/status');
    return monitors.find(({ subject }) => subject === MONITOR)?.status === expected;
  });
}

describe('a collector', () => {
  it('answers the waiting probes of the other regions when one sees a first failure, and not again', async () => {
    for (const region of regions) await say(region, 'ok');
    await verdictIs('up');
    const waiting = [asked('us', 'after=1&wait=30s&look=1'), asked('sg', 'after=1&wait=30s&look=1')];
    await say('eu', 'fail');
    expect(await Promise.all(waiting)).toEqual([[MONITOR], [MONITOR]]);
    expect(await asked('eu')).toEqual([]);
    // What they saw is no news to those who said so, and the third was asked already.
    await say('us', 'fail');
    await metric(`probe_success{service="web",node="main",check="http",region="us"} 0`);
    expect([await asked('eu'), await asked('us'), await asked('sg')]).toEqual([[], [], []]);
    await metric('highwater_look_requests_total{probe="us-1"} 1');
  });

  it('asks as fast whether it is back', async () => {
    for (const region of regions) await say(region, 'fail');
    for (const region of regions) await say(region, 'fail');
    await verdictIs('down');
    // What was held since the first failure.
    await Promise.all([asked('eu'), asked('us'), asked('sg')]);
    const waiting = [asked('eu', 'after=1&wait=30s&look=1'), asked('us', 'after=1&wait=30s&look=1')];
    await say('sg', 'ok');
    expect(await Promise.all(waiting)).toEqual([[MONITOR], [MONITOR]]);
    expect(await asked('sg')).toEqual([]);
  });

  it('tells only who understands it; who was not waiting gets it at its next call', async () => {
    await say('eu', 'fail');
    expect(await eventually(async () => (await asked('sg'))[0])).toBe(MONITOR);
    expect((await poll('us', 'after=1')).status).toBe(204);
    expect((await poll('us', 'after=1&look=0')).status).toBe(204);
    expect(await asked('us')).toEqual([MONITOR]);
    expect(await asked('us')).toEqual([]);
  });

  it('drops what nobody fetches in time', async () => {
    await say('eu', 'fail');
    expect(await eventually(async () => (await asked('sg'))[0])).toBe(MONITOR);
    monotonicMs += 3_000;
    expect(await asked('us')).toEqual([]);
    await metric('highwater_look_requests_dropped_total{because="late"} 1');
  });

  it('gives an assignment first', async () => {
    await say('eu', 'fail');
    expect(await eventually(async () => (await asked('sg'))[0])).toBe(MONITOR);
    expect(assignment.safeParse(await (await poll('us', 'after=0&look=1')).json()).success).toBe(true);
    expect(await asked('us')).toEqual([MONITOR]);
  });

  it('asks for no more than its budget when much fails at once', async () => {
    await say(
      'eu',
      'fail',
      Array.from({ length: 60 }, (_, i) => `${MONITOR}-${i}`),
    );
    const first = await eventually(async () => {
      const ids = await asked('us');
      return ids.length > 0 && ids;
    });
    expect(new Set(first).size).toBe(maxLookNow);
    // 15 wait for the budget, and the others never will.
    await metric('highwater_look_requests_dropped_total{because="budget"} 25');
    expect(await asked('us')).toEqual([]);
    monotonicMs += 1_000;
    const second = await asked('us', 'after=1&wait=30s&look=1');
    expect(second).toHaveLength(5);
    expect(new Set([...first, ...second]).size).toBe(maxLookNow + 5);
    await metric('highwater_look_requests_total{probe="us-1"} 25');
  });

  it('forgets at a restart what nobody had fetched, and goes on with what comes after', async () => {
    await say('eu', 'fail');
    expect(await eventually(async () => (await asked('sg'))[0])).toBe(MONITOR);
    await house.stop();
    house = await reopen();
    expect(await asked('us')).toEqual([]);
    const waiting = asked('us', 'after=1&wait=30s&look=1');
    await say('eu', 'fail', [MONITOR, `${MONITOR}-1`]);
    expect(await waiting).toEqual([`${MONITOR}-1`]);
  });

  it('does not ask for what it first hears long after', async () => {
    const fresh = `${MONITOR}-1`;
    const note = players.eu.frame([
      `${MONITOR} ${Date.now() - INTERVAL_MS} fail 3 target.connect.refused`,
      `${fresh} ${Date.now()} fail 3 target.connect.refused`,
    ]);
    const waiting = [asked('us', 'after=1&wait=30s&look=1'), asked('sg', 'after=1&wait=30s&look=1')];
    expect((await house.post('/v1/frames', note)).status).toBe(200);
    expect(await Promise.all(waiting)).toEqual([[fresh], [fresh]]);
  });
});

/** A probe's follower against an address: what it was asked to look at, and what it logged. */
function follow(url: string, region: Region) {
  const dir = mkdtempSync(join(tmpdir(), 'highwater-look-'));
  const ending = new AbortController();
  const link = openLink(url, false);
  const looked: (readonly string[])[] = [];
  const taken: number[] = [];
  const logged: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void logged.push(line) });
  const following = followAssignments(
    {
      dir,
      asker: { key: test.keys[region], now: () => Date.now(), checkpoint: () => undefined },
      trust: openTrust(dir, undefined, silent),
      link,
      log,
      after: 0,
      changed: ({ body }) => taken.push(body.number),
      look: (ids) => looked.push(ids),
    },
    ending.signal,
  );
  return {
    looked,
    taken,
    logged,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await following;
      await link.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

describe('a probe', () => {
  it('takes its assignment, waits, and hands on what it is asked to look at', async () => {
    await using us = follow(house.url, 'us');
    await eventually(async () => us.taken.length === 1);
    await say('eu', 'fail');
    await eventually(async () => us.looked.length === 1);
    expect([us.looked, us.logged]).toEqual([[[MONITOR]], []]);
  });

  const tooMany = Array.from({ length: maxLookNow + 1 }, (_, i) => `rpc/a/${i}`);
  it.each<[string, string]>([
    ['too many ids', JSON.stringify({ look: tooMany })],
    ['no ids', '{"look":[]}'],
    ['ids that are no text', '{"look":[1]}'],
    ['one id that is no list', '{"look":"rpc/a/head"}'],
    ['a list in a list', '{"look":[["rpc/a/head"]]}'],
    ['something beside', '{"look":["rpc/a/head"],"at":1}'],
    ['half an assignment', '{"look":["rpc/a/head"],"note":"x"}'],
    ['nothing', '{}'],
    ['a list', '["rpc/a/head"]'],
    ['no JSON', 'look'],
  ])('rejects an answer with %s, and goes on', async (_, hostile) => {
    let calls = 0;
    const answers = [hostile, '{"look":["rpc/b/head"]}'];
    await using server = await serveHttp((_request, response) => {
      const answer = answers[calls];
      calls += 1;
      if (answer === undefined) response.writeHead(204).end();
      else response.end(answer);
    });
    await using us = follow(server.url, 'us');
    await eventually(async () => us.looked.length > 0);
    expect(us.looked).toEqual([['rpc/b/head']]);
    expect(us.logged).toHaveLength(1);
    expect(us.logged[0]).toContain('assignment.rejected');
  });

  it('does not ask without pause a collector that has something to look at each time', async () => {
    await using server = await serveHttp(
      (_request, response) => void response.end('{"look":["rpc/a/head"]}'),
    );
    const began = performance.now();
    await using us = follow(server.url, 'us');
    await eventually(async () => us.looked.length >= 5);
    // A lower bound: a slow machine makes it only longer. Timers may fire a millisecond early.
    expect((performance.now() - began) / (us.looked.length - 1)).toBeGreaterThan(198);
  });
});
