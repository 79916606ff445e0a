/** The report of a month end to end: batches by the calls of probes, over the month's end, to what verifiers read. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkBundle } from '@highwater/config/bundle/check-bundle.ts';
import type { BundleFiles } from '@highwater/config/bundle/files.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { nodeChecker } from '@highwater/config/node-checker.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import { parseReport, type Report } from '@highwater/config/report/report.ts';
import { type Clock, MINUTE_MS } from '@highwater/config/time.ts';
import {
  accepted,
  assignment,
  assignmentBody,
  type AssignmentBody,
  feedPage,
  reportList,
  type ReportList,
} from '@highwater/config/wire.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { regions, testHouse, type Region, type TestHouse } from '../testing/config.ts';
import { dropDataDir, eventually, newDataDir, openHouse, type House } from '../testing/house.ts';
import { player, type Player } from '../testing/player.ts';
import { LOG_SHARD } from '../watched.ts';
import { reportJobs } from './job.ts';

// Real processes of others share this machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const INTERVAL_MS = 20_000;
/** Within the last hours of a month. */
const FIRST = Date.UTC(2026, 9, 31, 22, 0) / MINUTE_MS;
const SETTLED = Date.UTC(2026, 10, 3);
const MONTH = '2026-10';

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
  house = await openHouse(test.config, dataDir, clock, undefined, { reportJobs });
  players = Object.fromEntries(
    regions.map((region) => [region, player(test.config.origin, test.keys[region])]),
  ) as Record<Region, Player>;
});
afterEach(async () => {
  await house.stop();
  dropDataDir(dataDir);
});

/** Starting threads is most of what a report of few minutes takes: of two tests alone they are the point. */
async function restart(isThreaded = false): Promise<void> {
  await house.stop();
  house = await openHouse(test.config, dataDir, clock, undefined, isThreaded ? {} : { reportJobs });
}

async function tasks(probe: Player): Promise<AssignmentBody> {
  const target = '/v1/assignments?after=0';
  const { origin } = test.config;
  const text = formatRequestText({ origin, probe: probe.id, method: 'GET', target, at: now });
  const response = await house.get(target, { authorization: authorizationOf(probe.sign(text)) });
  return assignmentBody.parse(JSON.parse(assignment.parse(await response.json()).body));
}

async function send(region: Region, minute: number, isDown: boolean): Promise<void> {
  const probe = players[region];
  const { seed, monitors, config, salts } = await tasks(probe);
  const lines = monitors.flatMap(({ id, intervalMs, kind }) => {
    const phase = phaseMs(seed, id, probe.id, intervalMs, sha256);
    const begin = minute * MINUTE_MS;
    const first = begin + ((phase - (begin % intervalMs) + intervalMs) % intervalMs);
    const dues = Array.from({ length: MINUTE_MS / intervalMs }, (_, i) => first + i * intervalMs);
    return dues.map((due) => {
      if (isDown && id.startsWith('web/')) return `${id} ${due} fail 3 target.connect.refused`;
      return `${id} ${due} ok 120 -${kind === 'head' ? ` g=aaaaaaaa h=${Math.floor(due / 1_000)}` : ''}`;
    });
  });
  const keys = new Map(Object.entries(salts ?? {}).map(([id, hex]) => [id, Buffer.from(hex, 'hex')]));
  for (const path of ['/v1/frames', '/v1/batches'] as const) {
    const note =
      path === '/v1/frames' ? probe.frame(lines) : probe.batch({ config, minute, salts: keys }).note;
    expect(accepted.parse(await (await house.post(path, note)).json()).result).toBe('accepted');
  }
}

/** What every probe, or some, see in one minute; then it is ten seconds into the next. */
async function pass(minute: number, isDown = false, of: readonly Region[] = regions): Promise<void> {
  now = (minute + 1) * MINUTE_MS + 10_000;
  for (const region of of) await send(region, minute, isDown);
}

async function passAll(): Promise<void> {
  for (let i = 1; i <= 12; i += 1) await pass(FIRST + i, i >= 5 && i < 8, i === 10 ? ['eu'] : regions);
}

/** The log goes on in the next month, which shows that this one is over. */
const passOn = (): Promise<void> => pass(Date.UTC(2026, 10, 1, 0, 5) / MINUTE_MS, false, ['eu']);

/** The log covers all that was sent. */
const logged = () =>
  eventually(async () => (await house.json<{ log: { pending: number } }>('/v1/status')).log.pending === 0);

const list = async (): Promise<ReportList> => reportList.parse(await house.json('/v1/reports'));
const ask = (query = '', body = ''): Promise<Response> =>
  house.post(`/v1/reports/${MONTH}${query}`, body, 'application/json', {
    authorization: `Bearer ${house.token}`,
  });

async function published(revision = 1): Promise<ReportList['reports'][number]> {
  return eventually(async () => {
    const { reports, failed } = await list();
    if (failed !== undefined) throw new Error(failed.because);
    return reports.find((each) => each.month === MONTH && each.revision === revision);
  }, 60_000);
}

const bytesAt = async (path: string): Promise<Buffer> => {
  const response = await house.get(path);
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
};

/** The files as the calls for single files give them. */
const served = (query = ''): BundleFiles => ({
  async read(name) {
    const response = await house.get(`/v1/reports/${MONTH}/bundle/${name}${query}`);
    return response.status === 404 ? undefined : new Uint8Array(await response.arrayBuffer());
  },
});

const reportAt = async (query = ''): Promise<Report> => {
  const report = parseReport((await bytesAt(`/v1/reports/${MONTH}${query}`)).toString('utf8'));
  if ('error' in report) throw new Error(report.error);
  return report;
};

const STEPS = ['report-made', 'report-logged', 'report-published'];
/** One that has come further than it is waited for is killed in the end. */
const KILLED_WITHIN_MS = 8_000;

/** Runs it as a process of its own, and kills it when it has logged a step or a later one, or after so many ms. */
async function killedAt(file: string, what: string | number): Promise<void> {
  const script = new URL('../testing/serve-at.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, file, dataDir, String(now)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'exit');
  const kill = (): void => void child.kill('SIGKILL');
  let all = '';
  let late: NodeJS.Timeout | undefined;
  child.stdout.on('data', (part: Buffer) => {
    all += part.toString();
    const isThere = (step: string): boolean => all.includes(`"msg":"${step}"`);
    if (typeof what === 'string' && STEPS.slice(STEPS.indexOf(what)).some(isThere)) kill();
    if (all.includes('"collector-listening"'))
      late ??= setTimeout(kill, typeof what === 'number' ? what : KILLED_WITHIN_MS);
  });
  await gone;
  clearTimeout(late);
}

describe('the report of a month', () => {
  it('is made by itself once the month has settled, and checks', async () => {
    await passAll();
    await eventually(async () => (await house.get('/log/2026/checkpoint')).status === 200);
    expect((await list()).next).toEqual({ month: MONTH, dueAt: SETTLED });
    const early = await ask();
    expect(early.status).toBe(409);
    expect(await early.json()).toMatchObject({ dueAt: SETTLED });

    await passOn();
    now = SETTLED + 1_000;
    await restart(true);
    const { leaf, services, bytes } = await published();
    const checked = await checkBundle(served(), nodeChecker(), {});
    expect(checked.problems).toEqual([]);

    const report = await reportAt();
    const web = services.find(({ id }) => id === 'web');
    const answer = await house.json<{ totals: Record<string, number> }>(
      `/v1/uptime?subject=web&period=${MONTH}`,
    );
    expect(web).toMatchObject({ down: 3 });
    for (const key of ['up', 'down', 'unknown', 'maintenance'] as const) {
      expect([key, web?.[key]]).toEqual([key, answer.totals[key]]);
    }
    expect(services.map(({ id }) => id).sort()).toEqual(['rpc', 'web']);
    expect(JSON.stringify(report)).not.toContain('anary');
    expect(leaf).toMatch(/=$/);

    // As a program that knows nothing of us unpacks it.
    const archive = await bytesAt(`/v1/reports/${MONTH}/tar.gz`);
    expect(archive.length).toBe(bytes);
    const folder = join(dataDir, 'unpacked');
    mkdirSync(folder);
    writeFileSync(join(folder, 'a.tar.gz'), archive);
    execFileSync('tar', ['xzf', 'a.tar.gz'], { cwd: folder });
    const names = readdirSync(join(folder, `report-${MONTH}`), { recursive: true }) as string[];
    expect(names).toContain('bodies/2026-10-31/web/000');
    expect(names.some((name) => name.includes('hidden'))).toBe(false);

    // The feed has it once, also after another restart.
    await restart();
    const { events } = feedPage.parse(await house.json('/v1/events?after=0'));
    expect(events.filter(({ type }) => type === 'report.published')).toHaveLength(1);
  });

  it('is superseded by another revision that tells what differs, after a late batch', async () => {
    await passAll();
    await passOn();
    now = SETTLED + 1_000;
    await restart();
    await published();
    expect(await (await ask()).json()).toMatchObject({ result: 'there', revision: 1 });

    // What two probes had kept of a minute that one had told of.
    const at = now;
    await pass(FIRST + 10, false, ['us', 'sg']);
    now = at + 5 * MINUTE_MS;
    expect((await ask('', '{"revise":true}')).status).toBe(202);
    const second = await published(2);
    expect(second.differences).toBeGreaterThan(0);
    const report = await reportAt();
    expect(report.revision).toBe(2);
    expect(report.supersedes?.revision).toBe(1);
    expect((await checkBundle(served(), nodeChecker(), {})).problems).toEqual([]);
    // The first stays what it was.
    expect((await reportAt('?revision=1')).revision).toBe(1);
    expect((await checkBundle(served('?revision=1'), nodeChecker(), {})).problems).toEqual([]);
  });

  it('is one report whenever the collector is killed', async () => {
    await passAll();
    await passOn();
    await house.stop();
    now = SETTLED + 1_000;
    const file = join(dataDir, 'config.json');
    writeFileSync(file, JSON.stringify(test.config));
    for (const what of [200, 'report-made', 'report-logged', 300, 'report-published']) {
      await killedAt(file, what);
      now += 60_000;
    }
    house = await openHouse(test.config, dataDir, clock);
    await published();
    expect((await checkBundle(served(), nodeChecker(), {})).problems).toEqual([]);
    await eventually(async () => {
      const { events } = feedPage.parse(await house.json('/v1/events?after=0'));
      return events.filter(({ type }) => type === 'report.published').length === 1;
    });
    await house.stop();
    const store = openSqliteStore(join(dataDir, 'collector'));
    const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
    await store[Symbol.asyncDispose]();
    expect(leaves.filter(({ kind }) => kind === 'report')).toHaveLength(1);
    expect(readdirSync(join(dataDir, 'collector', 'reports')).sort()).toEqual([
      `${MONTH}.1.tar.gz`,
      `${MONTH}.1.tar.gz.index.json`,
    ]);
    house = await openHouse(test.config, dataDir, clock);
  });

  it('is signed by nobody where what is kept is not what was signed; an alarm says so', async () => {
    await passAll();
    await eventually(async () => (await house.get('/log/2026/checkpoint')).status === 200);
    await logged();
    const entries = join(dataDir, 'collector', 'blobs', 'log', '2026', 'tile', 'entries');
    const [file = ''] = (readdirSync(entries, { recursive: true }) as string[]).filter((name) =>
      /\/[0-9]+$/.test(name),
    );
    for (const name of readdirSync(join(entries, file, '..'))) {
      const path = join(entries, file, '..', name);
      const bytes = readFileSync(path);
      // Within the first entry's text.
      bytes[60] = (bytes[60] ?? 0) ^ 1;
      writeFileSync(path, bytes);
    }
    await passOn();
    now = SETTLED + 1_000;
    expect((await ask()).status).toBe(202);
    const alarm = await eventually(async () => {
      const { events } = feedPage.parse(await house.json('/v1/events?after=0'));
      return events.flatMap((event) =>
        event.type === 'alarm.raised' && event.alarm.key === `report/${MONTH}` ? [event.alarm] : [],
      )[0];
    }, 60_000);
    expect(alarm.because).toMatch(/entries|end\.checkpoint/);
    const { reports, failed } = await list();
    expect(reports).toEqual([]);
    expect(failed).toMatchObject({ month: MONTH, tries: 1 });
    expect((await house.get(`/v1/reports/${MONTH}`)).status).toBe(404);
  });

  it('can be had as a draft before that: unsigned, in no log, marked', async () => {
    await passAll();
    await eventually(async () => (await house.get('/log/2026/checkpoint')).status === 200);
    await logged();
    expect((await ask('?draft=1')).status).toBe(202);
    await eventually(async () => (await list()).drafts.length === 1, 60_000);
    const text = (await bytesAt(`/v1/reports/${MONTH}/report.md?draft=1`)).toString('utf8');
    expect(text).toContain('DRAFT');
    expect((await house.get(`/v1/reports/${MONTH}/report.note?draft=1`)).status).toBe(404);

    // What has not come yet is not unknown: it ends with what is logged, and agrees with its evidence up to there.
    const report = await reportAt('?draft=1');
    const last = FIRST + 11;
    expect(report.draft).toEqual({ lastMinute: last });
    expect(report.minutes.last).toBe(last);
    const { evidence, problems } = await checkBundle(served('?draft=1'), nodeChecker(), {});
    expect(evidence.range.last).toBe(last);
    expect(problems).toEqual([
      { kind: 'incomplete', file: 'report.note', says: 'this is a draft: unsigned, in no log' },
    ]);
    for (const { firstMinute, minutes } of report.counted.probes.flatMap(({ silent }) => silent))
      expect(firstMinute + minutes - 1).toBeLessThanOrEqual(last);

    // Another one takes its place; whoever looks meanwhile always finds one.
    await pass(FIRST + 13);
    await eventually(async () => {
      await ask('?draft=1');
      expect((await list()).drafts).toHaveLength(1);
      return (await reportAt('?draft=1')).minutes.last > last;
    }, 60_000);
    expect((await list()).reports).toEqual([]);
    expect((await house.get(`/v1/reports/${MONTH}`)).status).toBe(404);
  });

  it('of a month that nothing is known of is not there', async () => {
    for (const month of ['2026-09', '2026-11', '2026-13', 'draft']) {
      const path = `/v1/reports/${month}`;
      expect((await house.get(path)).status).toBe(404);
      const asked = await house.post(path, '', 'application/json', {
        authorization: `Bearer ${house.token}`,
      });
      expect(asked.status).toBe(404);
    }
    expect((await house.post(`/v1/reports/${MONTH}`, '')).status).toBe(401);
  });
});
