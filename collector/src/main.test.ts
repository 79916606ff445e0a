import { phaseMs } from '@highwater/config/proof/due.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { publicSnapshot } from '@highwater/config/public.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  feedPage,
  operatorStatus,
  refused,
  why,
  type AssignmentBody,
  type OperatorStatus,
} from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { regions, testHouse, type Region, type TestHouse } from './testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from './testing/house.ts';
import { player, type Player } from './testing/player.ts';

// Real processes of others share this machine.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let dataDir: string;
let test: TestHouse;
let house: House;
let players: Record<Region, Player>;

beforeEach(async () => {
  dataDir = newDataDir();
  test = testHouse();
  house = await openHouse(test.config, dataDir);
  players = Object.fromEntries(
    regions.map((region) => [region, player(test.config.origin, test.keys[region])]),
  ) as Record<Region, Player>;
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

async function ask(probe: Player, path: string): Promise<Response> {
  const text = formatRequestText({
    origin: test.config.origin,
    probe: probe.id,
    method: 'GET',
    target: path,
    at: Date.now(),
  });
  return house.get(path, { authorization: authorizationOf(probe.sign(text)) });
}

async function tasks(probe: Player): Promise<AssignmentBody> {
  const response = await ask(probe, '/v1/assignments?after=0');
  return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
}

interface Say {
  readonly outcome?: string;
  readonly tail?: string;
}

/** One line of each monitor of a probe, due at its last due times. */
function lines(body: AssignmentBody, say: (monitor: string) => Say, ago = 0): string[] {
  return body.monitors.map(({ id, intervalMs, kind }) => {
    const phase = phaseMs(body.seed, id, body.probe, intervalMs, sha256);
    const now = Date.now();
    const due = now - ((now - phase) % intervalMs) - ago * intervalMs;
    const { outcome = 'ok 120 -', tail } = say(id);
    const facts =
      tail ?? (kind === 'head' && outcome.startsWith('ok') ? ` g=aaaaaaaa h=${Math.floor(due / 1_000)}` : '');
    return `${id} ${due} ${outcome}${facts}`;
  });
}

const refusing: Say = { outcome: 'fail 3 target.connect.refused' };

async function send(region: Region, all: readonly string[]): Promise<void> {
  const response = await house.post('/v1/frames', players[region].frame(all));
  expect(accepted.parse(await response.json()).result).toBe('accepted');
}

const statusOf = async (): Promise<OperatorStatus> => operatorStatus.parse(await house.json('/v1/status'));

async function verdictOf(subject: string): Promise<string | undefined> {
  const status = await statusOf();
  return [...status.services, ...status.nodes, ...status.monitors].find((v) => v.subject === subject)?.status;
}

/** Sends what `say` says from these regions, `times` due times in a row that end now. */
async function tell(from: readonly Region[], say: (monitor: string) => Say, times: number): Promise<void> {
  for (const region of from) {
    const body = await tasks(players[region]);
    for (let ago = times - 1; ago >= 0; ago -= 1) await send(region, lines(body, say, ago));
  }
}

describe('a collector with three probes', () => {
  it('hands each probe a signed assignment, and nothing newer until it changes', async () => {
    const body = await tasks(players.eu);
    expect(body).toMatchObject({ probe: 'eu-1', region: 'eu', number: 1 });
    expect(body.monitors).toHaveLength(test.config.monitors.length);
    const again = await ask(players.eu, '/v1/assignments?after=1');
    expect(again.status).toBe(204);
    expect(again.headers.get('highwater-operator')).toMatch(/^test\.example\/log\+/);
  });

  it.each([
    ['no signature', {}],
    ['another scheme', { authorization: 'Bearer x' }],
  ])('refuses an assignment to a call with %s', async (_, headers) => {
    expect((await house.get('/v1/assignments?after=0', headers)).status).toBe(401);
  });

  it('refuses a request that was signed for another path', async () => {
    const text = formatRequestText({
      origin: test.config.origin,
      probe: 'eu-1',
      method: 'GET',
      target: '/v1/assignments?after=7',
      at: Date.now(),
    });
    const headers = { authorization: authorizationOf(players.eu.sign(text)) };
    expect((await house.get('/v1/assignments?after=0', headers)).status).toBe(401);
  });

  it('that began this month has nothing of the month before that could be counted again', async () => {
    const before = new Date().toISOString();
    const { bodies } = await statusOf();
    const after = new Date().toISOString();
    const [month] = bodies?.recomputable ?? [];
    expect(bodies?.recomputable).toHaveLength(1);
    expect([before.slice(0, 7), after.slice(0, 7)]).toContain(month?.month);
    // From the day on which it began, and not from the month's first.
    const days = test.config.retention.bodiesMs / 86_400_000;
    const kept = Date.parse(`${bodies?.keptFrom ?? ''}T00:00:00Z`);
    expect(((month?.until ?? 0) - kept) / 86_400_000).toBe(days);
  });

  it('agrees by quorum: one region changes nothing, two make it down, and back', async () => {
    await tell(regions, () => ({}), 1);
    await eventually(async () => (await verdictOf('rpc')) === 'up' && (await verdictOf('web')) === 'up');

    const hurt = (monitor: string): Say => (monitor.startsWith('web/') ? refusing : {});
    await eventually(async () => {
      await tell(['eu'], hurt, 1);
      const status = await statusOf();
      const votes = status.monitors.find((v) => v.subject === 'web/main/http')?.votes;
      return votes?.find((vote) => vote.region === 'eu')?.status === 'down';
    });
    expect(await verdictOf('web')).toBe('up');

    await eventually(async () => {
      await tell(['us', 'eu'], hurt, 1);
      return (await verdictOf('web')) === 'down';
    });
    expect(await verdictOf('rpc')).toBe('up');
    const opened = await eventually(async () => {
      const { events } = feedPage.parse(await house.json('/v1/events?after=0&wait=1s'));
      return events.find((event) => event.type === 'incident.opened');
    });
    expect(opened).toMatchObject({ seq: 1, incident: { key: 'service:web', impact: 'major' } });

    await eventually(async () => {
      await tell(regions, () => ({}), 1);
      const { events } = feedPage.parse(await house.json('/v1/events?after=1'));
      return events.some((event) => event.type === 'incident.resolved');
    });
  });

  it('says what it knows to the public, and nothing of private services', async () => {
    await tell(regions, (monitor) => (monitor.startsWith('hidden/') ? refusing : {}), 3);
    await eventually(async () => (await verdictOf('hidden')) === 'down');
    const snapshot = await eventually(async () => {
      const made = publicSnapshot.parse(await house.json('/v1/snapshot'));
      return made.services.every((service) => service.status === 'up') && made;
    });
    expect(snapshot.services.map((service) => service.id)).toEqual(['rpc', 'web']);
    // The nodes of the private service fail: what they have is no news of the head.
    expect(snapshot.services[0]?.head?.nodes).toBe(2);
    expect(snapshot.holds).toMatch(/^3 regions watch and 2 must agree/);
    expect(JSON.stringify(snapshot)).not.toMatch(/canary|hidden/i);
  });

  it('answers 304 to a snapshot that the caller has', async () => {
    const first = await house.get('/v1/snapshot');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{27}"$/);
    expect((await house.get('/v1/snapshot', { 'if-none-match': etag })).status).toBe(304);
  });

  it('holds a frame once, and refuses another text under its number', async () => {
    const body = await tasks(players.eu);
    const note = players.eu.frame(lines(body, () => ({})));
    const answers = [];
    for (let i = 0; i < 3; i += 1) {
      answers.push(accepted.parse(await (await house.post('/v1/frames', note)).json()).result);
    }
    expect(answers).toEqual(['accepted', 'held', 'held']);
    const other = player(test.config.origin, test.keys.eu).frame([]);
    expect((await house.post('/v1/frames', other)).status).toBe(409);
  });

  it('rebuilds the bodies of a batch from its frames and gives it one index for ever', async () => {
    const body = await tasks(players.eu);
    for (const ago of [2, 1])
      await send(
        'eu',
        lines(body, () => ({}), ago),
      );
    const { note } = players.eu.batch({ config: body.config, minute: 0 });
    const answers = [];
    for (let i = 0; i < 2; i += 1) {
      answers.push(accepted.parse(await (await house.post('/v1/batches', note)).json()));
    }
    expect(answers.map(({ result, index }) => [result, index])).toEqual([
      ['accepted', 4],
      ['held', 4],
    ]);
  });

  it('asks for the bodies that it cannot rebuild, and takes them with the batch', async () => {
    const body = await tasks(players.eu);
    players.eu.frame(lines(body, () => ({}), 1)); // never sent
    const { note, bodies } = players.eu.batch({ config: body.config, minute: 0 });
    const first = await house.post('/v1/batches', note);
    expect(first.status).toBe(428);
    expect(refused.parse(await first.json()).services).toEqual(['hidden', 'rpc', 'web']);

    const wrong = { ...Object.fromEntries(bodies), web: 'web/main/http 1 ok 1 -\n' };
    const second = await house.post(
      '/v1/batches',
      JSON.stringify({ note, bodies: wrong }),
      'application/json',
    );
    expect(second.status).toBe(400);
    const right = JSON.stringify({ note, bodies: Object.fromEntries(bodies) });
    const third = await house.post('/v1/batches', right, 'application/json');
    expect(accepted.parse(await third.json()).result).toBe('accepted');
  });

  it('keeps a contradiction as evidence and refuses it', async () => {
    const body = await tasks(players.eu);
    await send(
      'eu',
      lines(body, () => ({}), 1),
    );
    const batch = players.eu.batch({ config: body.config, minute: 0 });
    expect((await house.post('/v1/batches', batch.note)).status).toBe(200);
    const other = players.eu.contradict(batch);
    expect((await house.post('/v1/batches', other)).status).toBe(409);
    expect(await (await house.get('/metrics')).text()).toMatch(
      /highwater_ingest_conflicts_total\{probe="eu-1"\} 1\n[^]*highwater_log_size 6\n/,
    );
  });

  it('refuses what reaches ahead of its clock, unknown keys, other logs, bad lines, types and sizes', async () => {
    const { config } = await tasks(players.eu);
    const ahead = players.us.batch({ config, minute: Math.floor(Date.now() / 60_000) + 5 });
    const stranger = player(test.config.origin, testHouse().keys.eu);
    const elsewhere = player('other.example/log', test.keys.sg);
    const cases: [number, Promise<Response>][] = [
      [422, house.post('/v1/batches', ahead.note)],
      [401, house.post('/v1/frames', stranger.frame([]))],
      [400, house.post('/v1/frames', elsewhere.frame([]))],
      [400, house.post('/v1/frames', 'nonsense')],
      [400, house.post('/v1/frames', players.sg.frame(['web/main/http 1 ok 1 - zz=1']))],
      [415, house.post('/v1/frames', 'x', 'image/png')],
      [413, house.post('/v1/frames', 'x'.repeat(1_100_000))],
      [404, house.get('/v1/nothing')],
      [405, house.get('/v1/frames')],
      [401, house.post('/v1/alerts/x/ack', '{"by":"me"}', 'application/json')],
    ];
    for (const [status, call] of cases) {
      const answer = await call;
      expect(answer.status).toBe(status);
      // An answer that nobody reads keeps its connection, and with it the collector's end.
      await answer.arrayBuffer();
    }
  });

  it('names the line that it cannot read', async () => {
    const bad = players.sg.frame(['web/main/http 1 ok 1 -', 'web/main/http 1 ok 1 - zz=1']);
    const { error } = refused.parse(await (await house.post('/v1/frames', bad)).json());
    expect(error).toMatch(/^line 2 of the frame: .*zz=1/);
  });

  it('goes on after a restart where it was: verdicts, feed, keys, assignments', async () => {
    await tell(regions, (monitor) => (monitor.startsWith('web/') ? refusing : {}), 3);
    await eventually(async () => feedPage.parse(await house.json('/v1/events?after=0')).last > 0);
    const before = await statusOf();
    const { last } = feedPage.parse(await house.json('/v1/events?after=0'));
    const body = await tasks(players.eu);
    await house.stop();
    house = await openHouse(test.config, dataDir);
    const after = await statusOf();
    const told = (status: OperatorStatus) =>
      status.services.map(({ subject, status: s, since }) => [subject, s, since]);
    expect(told(after)).toEqual(told(before));
    expect(feedPage.parse(await house.json('/v1/events?after=0')).last).toBe(last);
    expect(await tasks(players.eu)).toEqual(body);
  });

  it('acknowledges an incident by name, with the token', async () => {
    await tell(regions, (monitor) => (monitor.startsWith('web/') ? refusing : {}), 3);
    const [incident] = await eventually(async () => {
      const { incidents } = await statusOf();
      return incidents.length > 0 && incidents;
    });
    const path = `/v1/alerts/${encodeURIComponent(incident?.id ?? '')}/ack`;
    const headers = { authorization: `Bearer ${house.token}` };
    const response = await house.post(path, '{"by":"alice"}', 'application/json', headers);
    expect(response.status).toBe(200);
    await eventually(async () => {
      const { events } = feedPage.parse(await house.json('/v1/events?after=0'));
      return events.some((event) => event.type === 'alert.acknowledged' && event.by === 'alice');
    });
  });

  it('explains a monitor by its votes and lines, with the detail of a fault', async () => {
    const body = await tasks(players.eu);
    const all = lines(body, (monitor) => (monitor.startsWith('web/') ? refusing : {}));
    const place = all.findIndex((line) => line.startsWith('web/'));
    const note = players.eu.frame(all);
    const sent = JSON.stringify({ note, details: { [place]: 'ECONNREFUSED 192.0.2.1:443' } });
    expect((await house.post('/v1/frames', sent, 'application/json')).status).toBe(200);
    const answer = await eventually(async () => {
      const read = why.parse(await house.json('/v1/why?monitor=web/main/http'));
      return read.lines.length > 0 && read;
    });
    expect(answer.lines[0]).toMatchObject({
      probe: 'eu-1',
      region: 'eu',
      detail: 'ECONNREFUSED 192.0.2.1:443',
    });
    expect(answer.verdict.status).toBe('unknown');
  });
});
