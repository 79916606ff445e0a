/** Maintenance end to end: from the operator's call by the leaf to the count, the page's word and the alarm. */
import { sha256 } from '@highwater/config/keys.ts';
import { formatMaintLeaf, parseMaintLeaf } from '@highwater/config/proof/leaves.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { publicSnapshot } from '@highwater/config/public.ts';
import { type Clock, MINUTE_MS } from '@highwater/config/time.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  type AssignmentBody,
  feedPage,
  type FeedEvent,
  maintenanceCancelled,
  maintenanceDeclared,
  maintenanceList,
  refused,
} from '@highwater/config/wire.ts';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import { regions, testHouse, type Region, type TestHouse } from './testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from './testing/house.ts';
import { player, type Player } from './testing/player.ts';
import { LOG_SHARD } from './watched.ts';

// Real processes of others share this machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const INTERVAL_MS = 20_000;
/** The minute of the first start; what is configured counts from the next. */
const FIRST = Date.UTC(2026, 10, 22, 1, 55) / MINUTE_MS;

let now: number;
const clock: Clock = { now: () => now, monotonic: () => performance.now() };
let dataDir: string;
let test: TestHouse;
let house: House;
let players: Record<Region, Player>;

beforeEach(async () => {
  now = FIRST * MINUTE_MS + 5_000;
  dataDir = newDataDir();
  test = testHouse(INTERVAL_MS);
  house = await openHouse(test.config, dataDir, clock);
  players = Object.fromEntries(
    regions.map((region) => [region, player(test.config.origin, test.keys[region])]),
  ) as Record<Region, Player>;
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

const write = (path: string, body: unknown): Promise<Response> =>
  house.post(path, JSON.stringify(body), 'application/json', { authorization: `Bearer ${house.token}` });

async function declare(body: unknown) {
  const answer = await write('/v1/maintenance', body);
  expect(answer.status).toBe(200);
  return maintenanceDeclared.parse(await answer.json());
}

async function cancel(id: string, body: unknown = {}) {
  const answer = await write(`/v1/maintenance/${id}/cancel`, body);
  expect(answer.status).toBe(200);
  return maintenanceCancelled.parse(await answer.json());
}

async function tasks(probe: Player): Promise<AssignmentBody> {
  const target = '/v1/assignments?after=0';
  const { origin } = test.config;
  const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target, at: now });
  const response = await house.get(target, { authorization: authorizationOf(probe.sign(text)) });
  return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
}

/** What every probe sees in one minute, as a frame and a batch; then it is ten seconds into the next. */
async function pass(minute: number, isDown: (monitor: string) => boolean = () => false): Promise<void> {
  now = (minute + 1) * MINUTE_MS + 10_000;
  for (const region of regions) {
    const probe = players[region];
    const body = await tasks(probe);
    const lines = body.monitors.flatMap(({ id, intervalMs, kind }) => {
      const phase = phaseMs(body.seed, id, body.probe, intervalMs, sha256);
      const begin = minute * MINUTE_MS;
      const first = begin + ((phase - (begin % intervalMs) + intervalMs) % intervalMs);
      const seen = (due: number): string => {
        if (isDown(id)) return 'fail 3 target.connect.refused';
        return `ok 120 -${kind === 'head' ? ` g=aaaaaaaa h=${Math.floor(due / 1_000)}` : ''}`;
      };
      const dues = Array.from({ length: MINUTE_MS / intervalMs }, (_, i) => first + i * intervalMs);
      return dues.map((due) => `${id} ${due} ${seen(due)}`);
    });
    for (const path of ['/v1/frames', '/v1/batches'] as const) {
      const note =
        path === '/v1/frames' ? probe.frame(lines) : probe.batch({ config: body.config, minute }).note;
      expect(accepted.parse(await (await house.post(path, note)).json()).result).toBe('accepted');
    }
  }
}

const snapshot = async () => publicSnapshot.parse(await house.json('/v1/snapshot'));
const serviceOf = async (id: string) => (await snapshot()).services.find((service) => service.id === id);
const events = async (): Promise<FeedEvent[]> =>
  feedPage.parse(await house.json('/v1/events?after=0')).events;

/** The minutes of a service of which something is known, once `count` of them have their slots. */
async function counted(id: string, count: number) {
  return eventually(async () => {
    const [day] = (await serviceOf(id))?.days ?? [];
    const known = (day?.up ?? 0) + (day?.down ?? 0) + (day?.maintenance ?? 0);
    return known === count && { up: day?.up, down: day?.down, maintenance: day?.maintenance };
  });
}

/** Every maintenance leaf in the log, as its text says it, signed by the operator. */
async function leaves() {
  await house.stop();
  await using store = openSqliteStore(join(dataDir, 'collector'));
  const all = await store.read(LOG_SHARD, (tx) => tx.leaves());
  return all
    .filter(({ kind }) => kind === 'maint')
    .map(({ note, hash }) => {
      const parsed = parseNote(note);
      if ('error' in parsed) throw new Error(parsed.error);
      expect(parsed.signatures.map(({ name }) => name)).toEqual([test.config.origin]);
      const leaf = parseMaintLeaf(parsed.text);
      if ('error' in leaf) throw new Error(leaf.error);
      expect(formatMaintLeaf(leaf)).toBe(parsed.text);
      return { leaf, hash };
    });
}

describe('maintenance', () => {
  it('counts from the first minute after it was logged to the one it was cancelled from, and is not told', async () => {
    const down = (monitor: string): boolean => monitor.startsWith('web/');
    for (const minute of [1, 2]) await pass(FIRST + minute);

    // Ten seconds into minute 3: it was meant to begin two minutes ago.
    const asked = {
      title: 'New disks',
      of: ['web'],
      startsAt: (FIRST + 1) * MINUTE_MS,
      forMs: 10 * MINUTE_MS,
    };
    const { maintenance, warnings } = await declare(asked);
    expect(warnings).toEqual(['it counts only from 01:59 UTC, the first minute after it was declared']);
    expect(maintenance).toMatchObject({
      startsAt: (FIRST + 4) * MINUTE_MS,
      endsAt: (FIRST + 11) * MINUTE_MS,
      state: 'planned',
    });
    for (const minute of [3, 4]) await pass(FIRST + minute);
    await eventually(async () => (await serviceOf('web'))?.component === 'under_maintenance');
    for (const minute of [5, 6]) await pass(FIRST + minute, down);
    await eventually(async () => (await serviceOf('web'))?.status === 'down');
    expect((await serviceOf('web'))?.component).toBe('under_maintenance');

    // Ten seconds into minute 7, cancelled from minute 9 on.
    const { maintenance: ended } = await cancel(maintenance.id, { endsAt: (FIRST + 9) * MINUTE_MS });
    expect(ended).toMatchObject({ endsAt: (FIRST + 9) * MINUTE_MS, cancelledAt: now, state: 'active' });
    await pass(FIRST + 7, down);
    expect((await events()).filter((event) => event.type === 'incident.opened')).toEqual([]);
    await pass(FIRST + 8, down);
    const opened = await eventually(async () =>
      (await events()).find((event) => event.type === 'incident.opened'),
    );
    // Not from within it; to the minute is in decide/hold.test.ts, for the clock leaps here.
    const { incident } = opened;
    expect(incident.key).toBe('service:web');
    expect(incident.startedAt).toBeGreaterThanOrEqual((FIRST + 9) * MINUTE_MS);
    // For a moment after the leap in time what was seen is old.
    await eventually(async () => (await serviceOf('web'))?.component === 'major_outage');
    await pass(FIRST + 9, down);
    now += 10_000;
    // 1 to 3 before, 4 to 8 under it, 9 after.
    expect(await counted('web', 9)).toEqual({ up: 3, down: 1, maintenance: 5 });
    expect(await counted('rpc', 9)).toEqual({ up: 9, down: 0, maintenance: 0 });

    const [first, second, ...more] = await leaves();
    expect(more).toEqual([]);
    expect(first?.leaf).toMatchObject({
      act: 'declare',
      from: FIRST + 4,
      last: FIRST + 10,
      subjects: ['web'],
    });
    expect(second?.leaf).toMatchObject({ act: 'cancel', from: FIRST + 9, leaf: first?.hash });
  });

  it('outlives a restart: what is declared is known, and counts', async () => {
    await declare({ title: 'Later', of: ['rpc/b', 'rpc/a', 'rpc/a'], forMs: 2 * MINUTE_MS });
    await house.stop();
    house = await openHouse(test.config, dataDir, clock);
    const listed = maintenanceList.parse(await house.json('/v1/maintenance')).maintenance;
    expect(listed).toMatchObject([{ title: 'Later', of: ['rpc/a', 'rpc/b'], state: 'planned' }]);
    for (const minute of [1, 2, 3]) await pass(FIRST + minute);
    now += 10_000;
    const node = await eventually(async () => {
      const [first] = (await serviceOf('rpc'))?.nodes ?? [];
      return first?.days[0]?.up === 1 && first.days[0];
    });
    expect(node).toMatchObject({ up: 1, maintenance: 2 });
    // A node's is none of its service.
    expect(await counted('rpc', 3)).toEqual({ up: 3, down: 0, maintenance: 0 });
    expect(maintenanceList.parse(await house.json('/v1/maintenance')).maintenance[0]?.state).toBe('over');
  });

  it('has its words in the log where the page shows them, and nowhere else', async () => {
    await declare({ title: 'Of the public', body: 'Two\nlines', of: ['web', 'rpc/a'], forMs: 3_600_000 });
    const [hidden] = test.config.services.filter(({ visibility }) => visibility === 'private');
    await declare({ title: 'A secret', of: ['web', hidden?.id], forMs: 3_600_000 });
    await house.stop();
    await using store = openSqliteStore(join(dataDir, 'collector'));
    const all = await store.read(LOG_SHARD, (tx) => tx.leaves());
    const told = all.flatMap(({ kind, note }) => (kind === 'annot' ? [/^text (.*)$/m.exec(note)?.[1]] : []));
    expect(told).toEqual(['Of the public ¶ Two ¶ lines']);
    expect(all.filter(({ kind }) => kind === 'maint')).toHaveLength(2);
  });

  it('warns of a service whose nodes are covered one by one', async () => {
    const { warnings } = await declare({
      title: 'T',
      of: ['rpc/a', 'rpc/b'],
      startsAt: now + 3_600_000,
      forMs: 3_600_000,
    });
    expect(warnings).toEqual([
      'all nodes of rpc are covered, and rpc is not: declare rpc, or it counts as down',
    ]);
  });

  const good = { title: 'T', of: ['rpc'], startsAt: (FIRST + 60) * MINUTE_MS, forMs: 3_600_000 };
  it.each([
    ['another service', { ...good, of: ['rpx'] }, 404, 'there is no service rpx', 'did you mean rpc?'],
    [
      'another node',
      { ...good, of: ['rpc', 'web/mian'] },
      404,
      'there is no node web/mian',
      'did you mean web/main?',
    ],
    ['the public name', { ...good, of: ['rpc/public'] }, 404, 'there is no node rpc/public', 'there are: '],
    ['no title', { ...good, title: ' ' }, 400, 'title: ', ''],
    ['a title of two lines', { ...good, title: 'a\nb' }, 400, 'title: ', ''],
    ['a body that drives a terminal', { ...good, body: 'a\u001b[2Jb' }, 400, 'body: ', ''],
    ['nothing', { ...good, of: [] }, 400, 'of: ', ''],
    ['more', { ...good, secret: 1 }, 400, 'the body: ', ''],
    ['half a minute', { ...good, forMs: 30_000 }, 400, 'forMs: ', ''],
    ['31 days', { ...good, forMs: 31 * 86_400_000 }, 400, 'more than 30 days', 'in parts'],
    ['in two years', { ...good, startsAt: (FIRST + 730 * 1_440) * MINUTE_MS }, 400, 'more than a year', ''],
    [
      'yesterday',
      { ...good, startsAt: (FIRST - 1_440) * MINUTE_MS },
      400,
      'over already',
      'what was measured stays',
    ],
  ])('of %s is refused, with what to write', async (_, body, status, error, remedy) => {
    const answer = await write('/v1/maintenance', body);
    expect(answer.status).toBe(status);
    const said = refused.parse(await answer.json());
    expect(said.error).toContain(error);
    expect(said.remedy).toContain(remedy);
    expect(maintenanceList.parse(await house.json('/v1/maintenance')).maintenance).toEqual([]);
  });

  it('takes a token, for nothing that a target says may silence an alert', async () => {
    for (const path of ['/v1/maintenance', '/v1/maintenance/00/cancel']) {
      expect((await house.post(path, JSON.stringify(good), 'application/json')).status).toBe(401);
    }
  });

  it('sent twice is held once; of other words, or cancelled, it is another one', async () => {
    const first = await declare(good);
    const again = await declare(good);
    expect(again).toMatchObject({ result: 'held', maintenance: { id: first.maintenance.id } });
    expect((await write('/v1/maintenance', { ...good, title: 'Other' })).status).toBe(409);
    await cancel(first.maintenance.id);
    expect((await write('/v1/maintenance', good)).status).toBe(409);
    expect((await write(`/v1/maintenance/${first.maintenance.id}/cancel`, {})).status).toBe(409);
    expect((await write('/v1/maintenance/0000000000000000/cancel', {})).status).toBe(404);
    expect(await leaves()).toHaveLength(2);
  });

  it('is planned or active two hundred times at most', async () => {
    const lengths = Array.from({ length: 200 }, (_, i) => (i + 1) * MINUTE_MS);
    await Promise.all(lengths.map((forMs) => declare({ ...good, forMs })));
    const answer = await write('/v1/maintenance', { ...good, of: ['web'] });
    expect([answer.status, refused.parse(await answer.json()).error]).toEqual([
      409,
      'there are 200 planned or active already',
    ]);
    const [first] = maintenanceList.parse(await house.json('/v1/maintenance')).maintenance;
    await cancel(first?.id ?? '');
    await declare({ ...good, of: ['web'] });
  });
});
