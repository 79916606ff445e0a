import { realpathSync } from 'node:fs';
import { sha256 } from '@highwater/config/keys.ts';
import type { Config, Service } from '@highwater/config/model.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  configApplied,
  configPlace,
  feedPage,
  operatorStatus,
  refused,
  type AssignmentBody,
  type ConfigApplied,
} from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { regions, testHouse, type TestHouse } from '../testing/config.ts';
import { dropDataDir, jsonSource, newDataDir, openHouse, type House } from '../testing/house.ts';
import { player, type Player } from '../testing/player.ts';

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let dataDir: string;
let test: TestHouse;
let house: House;
let file: { text: string };

beforeEach(async () => {
  dataDir = newDataDir();
  test = testHouse();
  file = { text: JSON.stringify(test.config) };
  house = await openHouse(test.config, dataDir, undefined, jsonSource(file));
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

const post = (text: string): Promise<Response> =>
  house.post('/v1/config', text, 'text/yaml', { authorization: `Bearer ${house.token}` });

async function apply(config: Config): Promise<ConfigApplied> {
  const response = await post(JSON.stringify(config));
  const body: unknown = await response.json();
  expect([response.status, body]).toEqual([200, expect.anything()]);
  return configApplied.parse(body);
}

/** With another service, a copy of `web`. */
function grown(config: Config, id = 'more'): Config {
  const web = config.services.find((service) => service.id === 'web') as Service;
  const monitors = config.monitors
    .filter((monitor) => monitor.service === 'web')
    .map((monitor) => ({ ...monitor, id: monitor.id.replace('web/', `${id}/`), service: id }));
  return {
    ...config,
    services: [...config.services, { ...web, id }],
    monitors: [...config.monitors, ...monitors].sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

async function ask(probe: Player, path: string): Promise<Response> {
  const { origin } = test.config;
  const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target: path, at: Date.now() });
  return house.get(path, { authorization: authorizationOf(probe.sign(text)) });
}

async function tasks(probe: Player): Promise<AssignmentBody> {
  const response = await ask(probe, '/v1/assignments?after=0');
  return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
}

/** One good line of each monitor, due at its last due time. */
function lines(body: AssignmentBody): string[] {
  return body.monitors.map(({ id, intervalMs }) => {
    const phase = phaseMs(body.seed, id, body.probe, intervalMs, sha256);
    const now = Date.now();
    return `${id} ${now - ((now - phase) % intervalMs)} ok 120 -`;
  });
}

/** Waits as probes do: held calls end empty when a configuration takes over. */
async function newerThan(probe: Player, after: number): Promise<AssignmentBody> {
  for (;;) {
    const response = await ask(probe, `/v1/assignments?after=${after}&wait=30s`);
    if (response.status === 204) continue;
    return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
  }
}

const configNow = async (): Promise<string> => (await tasks(player(test.config.origin, test.keys.eu))).config;
const statusNow = async () => operatorStatus.parse(await house.json('/v1/status'));

describe('a configuration that is applied to a running collector', () => {
  it('takes over under load: every frame and batch is acknowledged, and each probe gets its new assignment', async () => {
    const statuses = new Map<number, number>();
    const said = { frames: 0, batches: 0 };
    let isOver = false;
    const work = async (probe: Player): Promise<AssignmentBody> => {
      let body = await tasks(probe);
      const fresh = newerThan(probe, body.number).then((next) => (body = next));
      for (let sent = 0; !isOver; sent += 1) {
        const calls = [house.post('/v1/frames', probe.frame(sent % 20 === 0 ? lines(body) : []))];
        said.frames += 1;
        for (const response of await Promise.all(calls)) {
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
          expect(accepted.parse(await response.json()).result).toBe('accepted');
        }
        if (sent % 5 !== 4) continue;
        const { note } = probe.batch({ config: body.config, minute: Math.floor(Date.now() / 60_000) });
        const response = await house.post('/v1/batches', note);
        said.batches += 1;
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
        await response.body?.cancel();
      }
      await fresh;
      return body;
    };
    const probes = regions.map((region) => player(test.config.origin, test.keys[region]));
    const working = Promise.all(probes.map(work));
    let config = test.config;
    let last: ConfigApplied | undefined;
    for (const id of ['m1', 'm2', 'm3', 'm4', 'm5']) {
      config = grown(config, id);
      last = await apply(config);
      expect(last).toMatchObject({ result: 'applied', changes: { services: { added: [id] } } });
      expect(last.inForceFrom).toBeGreaterThan(last.at);
      expect(last.inForceFrom % 60_000).toBe(0);
    }
    isOver = true;
    await working;
    expect([...statuses]).toEqual([[200, said.frames + said.batches]]);
    const newest = await tasks(probes[0] as Player);
    expect([newest.config, newest.number, newest.monitors.length]).toEqual([
      last?.config,
      6,
      test.config.monitors.length + 5,
    ]);
    // The log: first configuration, three probes, all batches, five configurations; nothing else.
    const metrics = await (await house.get('/metrics')).text();
    expect(metrics).toContain(`\nhighwater_log_size ${4 + said.batches + 5}\n`);
    // Counters go on.
    const observed = [...metrics.matchAll(/highwater_ingest_observations_total\{[^}]*\} (\d+)/g)];
    expect(observed.map(([, count]) => Number(count) > 0)).toEqual([true, true, true]);
    // What was said of the old monitors still holds, and the new ones are judged.
    const { monitors } = await statusNow();
    expect(monitors.find(({ subject }) => subject === 'web/main/http')?.status).toBe('up');
    expect(monitors.some(({ subject }) => subject === 'm5/main/http')).toBe(true);
  });

  it('ends held calls with their usual empty answers', async () => {
    const held = house.json('/v1/events?after=0&wait=30s');
    // The call is inside once a later one was answered.
    await house.json('/v1/events?after=0');
    await apply(grown(test.config));
    expect(feedPage.parse(await held).events).toEqual([]);
  });

  it('changes nothing for one with mistakes, of another log, or without the token', async () => {
    const before = await configNow();
    const bad = await post('bad');
    expect(bad.status).toBe(400);
    const { error, remedy } = refused.parse(await bad.json());
    expect(error.split('\n')).toHaveLength(2);
    expect(remedy).toMatch(/nothing was changed/);

    const other = await post(JSON.stringify({ ...test.config, origin: 'elsewhere.example/log' }));
    expect(other.status).toBe(400);
    expect(refused.parse(await other.json())).toMatchObject({
      error: expect.stringMatching(/test\.example\/log, fixed at first start/) as string,
      remedy: expect.stringContaining('log: { origin: "test.example/log" }') as string,
    });

    const [first, ...rest] = test.config.probes;
    const key = await post(JSON.stringify({ ...test.config, probes: [{ ...first, key: 'x' }, ...rest] }));
    expect(key.status).toBe(400);
    const text = JSON.stringify(grown(test.config));
    expect((await house.post('/v1/config', text, 'text/yaml')).status).toBe(401);
    expect((await post('x'.repeat(1_100_000))).status).toBe(413);
    expect(
      (await house.post('/v1/config', text, 'text/plain', { authorization: `Bearer ${house.token}` })).status,
    ).toBe(415);

    expect(file.text).toBe(JSON.stringify(test.config));
    expect(await configNow()).toBe(before);
    expect(await (await house.get('/metrics')).text()).toContain('\nhighwater_log_size 4\n');
  });

  it('says unchanged for the same, and keeps its new comments', async () => {
    const before = await configNow();
    const text = `${JSON.stringify(test.config)}\n`;
    const answer = configApplied.parse(await (await post(text)).json());
    expect(answer).toMatchObject({ result: 'unchanged', config: before });
    expect(file.text).toBe(text);
    expect(await (await house.get('/metrics')).text()).toContain('\nhighwater_log_size 4\n');
  });

  it('applies what changes no outcome too: without a leaf', async () => {
    const before = await configNow();
    const answer = await apply({ ...test.config, site: { ...test.config.site, name: 'Another name' } });
    expect(answer).toMatchObject({ result: 'applied', config: before, changes: { other: ['site'] } });
    // What is in no leaf waits for no minute.
    expect([answer.isNewLeaf, answer.inForceFrom]).toEqual([false, answer.at]);
    expect(await configNow()).toBe(before);
    expect((await statusNow()).site).toBe('Another name');
    expect(await (await house.get('/metrics')).text()).toContain('\nhighwater_log_size 4\n');
  });

  it('reads its own file again by a call, and tells which one it is to those alone who have the token', async () => {
    const token = { authorization: `Bearer ${house.token}` };
    const reload = () => house.post('/v1/config/reload', '', 'text/plain', token);
    file.text = JSON.stringify(grown(test.config));
    const before = file.text;
    const answer = configApplied.parse(await (await reload()).json());
    expect(answer).toMatchObject({ result: 'applied', isNewLeaf: true, file: '/etc/highwater/test.yaml' });
    expect(answer.changes.services.added).toEqual(['more']);
    expect(file.text).toBe(before);
    file.text = 'bad';
    expect((await reload()).status).toBe(400);
    expect((await statusNow()).services.map(({ subject }) => subject)).toContain('more');

    const place = configPlace.parse(await (await house.get('/v1/config', token)).json());
    expect(place).toEqual({
      file: '/etc/highwater/test.yaml',
      data: realpathSync(dataDir),
      origin: test.config.origin,
    });
    expect((await house.post('/v1/config/reload', '')).status).toBe(401);
    expect((await house.get('/v1/config')).status).toBe(401);
    expect(JSON.stringify(await statusNow())).not.toContain('/etc/highwater');
  });

  it('reads its file again when it is told to, and stays when that is bad', async () => {
    file.text = JSON.stringify(grown(test.config));
    expect(await house.reload?.()).toMatchObject({ result: 'applied' });
    file.text = 'bad';
    await expect(house.reload?.()).rejects.toThrow(/not good either/);
    expect((await statusNow()).services.map(({ subject }) => subject)).toContain('more');
    expect(file.text).toBe('bad');
  });

  it('takes one at a time, and not too many', async () => {
    const configs = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((id) => grown(test.config, id));
    const answers = await Promise.all(configs.map((config) => post(JSON.stringify(config))));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses.slice(0, 4)).toEqual([200, 200, 200, 200]);
    expect(statuses.slice(4).every((status) => status === 200 || status === 429)).toBe(true);
    expect(statuses).toContain(429);
    const { services } = await statusNow();
    expect(services).toHaveLength(test.config.services.length + 1);
    expect(JSON.parse(file.text)).toMatchObject({ services: expect.arrayContaining([]) as unknown });
  });

  it('stops telling of what it no longer has, lets a new probe in and a removed one not', async () => {
    const next = testHouse().keys.sg;
    const probes = test.config.probes.map((probe) =>
      probe.id === 'sg-1' ? { ...probe, key: next.vkey } : probe,
    );
    const services = test.config.services.filter(({ id }) => id !== 'web');
    const monitors = test.config.monitors.filter(({ service }) => service !== 'web');
    const { changes } = await apply({ ...test.config, probes, services, monitors });
    expect(changes).toMatchObject({
      services: { removed: ['web'] },
      nodes: { removed: ['web/main'] },
      monitors: { removed: ['web/main/http'] },
      probes: { changed: ['sg-1'] },
      other: [],
    });
    expect((await statusNow()).services.map(({ subject }) => subject)).not.toContain('web');
    const { origin } = test.config;
    const statuses = [test.keys.sg, next].map((key) =>
      house.post('/v1/frames', player(origin, key).frame([])),
    );
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([401, 200]);
    expect(await (await house.get('/metrics')).text()).not.toMatch(/highwater_verdict\{service="web"/);
  });
});
