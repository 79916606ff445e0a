/**
 * Scripted faults on real processes: nodes that hang, die and come back, SIGKILL of each role, a region that is cut off,
 * two probes that deliver an hour which they saw before. Then every slot, of checks, nodes and services, must equal a
 * plain tally of what the probes recorded beside the system, and all views made again must equal to the byte.
 *
 *   npm run test:long -- oracle      30 minutes; HIGHWATER_MINUTES for fewer: whole rounds of five, at whose end every fault is over
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseNote } from '@highwater/config/proof/note.ts';
import { expect, it } from 'vitest';
import { slotOfByte } from '../../collector/src/slots/byte.ts';
import { type DayPlane, decodeDay } from '../../collector/src/slots/day.ts';
import { readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';
import { getJson, highwater, startAnvil, until, type Process } from '../e2e/process.ts';
import { fakeTime, regions, services, startWorld, type World } from '../e2e/world.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { spoolHour } from './spooled-hour.ts';
import { plainCounts, type PlainSlot, plainTally, plainVote, readRecords } from './tally.ts';

const minutes = Math.max(1, Math.round(Number(process.env['HIGHWATER_MINUTES'] ?? 30) / 5)) * 5;
/** The run, what comes late, and all views made again. */
const limitMs = (minutes + 20) * 60_000;
const checks = ['head', 'jsonrpc'] as const;
const intervalMs = 2_000;
const HOUR_MINUTES = 60;
const MINUTES_PER_DAY = 1_440;
/** A line is recorded a moment before it is in the journal: a killed probe may have recorded so many that it never said. */
const MOST_LOST_BY_A_KILL = 1;
/** Slots that the collector calls unknown although the records say more: of all, at most this share. */
const MOST_UNKNOWN = 0.02;

/** Resolves when the wall clock reaches `at`: simulated time is not to be had with real processes. */
function clock(at: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, at - Date.now())));
}

const storeOf = (world: World): string => join(world.dir, 'data', 'collector', 'store.db');

/** What the collector goes by: made at its first start. */
async function groundOf(world: World) {
  return readCopy(storeOf(world), LOG_SHARD, async (tx) => {
    const leaf = (await tx.leaves()).find(({ kind }) => kind === 'config');
    const parsed = parseNote(leaf?.note ?? '');
    if (leaf === undefined || 'error' in parsed) throw new Error('no configuration in the log');
    const origin = parsed.text.split('\n')[1]?.replace(/^log /, '') ?? '';
    return { seed: (await tx.meta('seed')) ?? '', config: leaf.hash, origin, at: leaf.at };
  });
}

/** A node is down if any of its checks is, up if all are; a service of one node is what its node is. */
function nodeSlot(slots: readonly PlainSlot[]): PlainSlot {
  if (slots.includes('down')) return 'down';
  return slots.every((slot) => slot === 'up') ? 'up' : 'unknown';
}

/** What the plain tally says of everything that has slots, by subject. */
function expectedOf(plain: ReadonlyMap<string, PlainSlot>, service: string, minute: number) {
  const slots = checks.map((check) => plain.get(`${service}/main/${check} ${minute}`) ?? 'unknown');
  const all = nodeSlot(slots);
  return new Map<string, PlainSlot>([
    ...checks.map((check, i) => [`${service}/main/${check}`, slots[i] ?? 'unknown'] as const),
    [`${service}/main`, all],
    [service, all],
  ]);
}

const title = `${minutes} minutes of faults: slots equal the plain tally, and views made again are equal`;
it(title, { timeout: limitMs }, async () => {
  if (!existsSync(fakeTime)) throw new Error(`${fakeTime} is missing (Debian: faketime)`);
  await using again = new AsyncDisposableStack();
  const links = new Map<string, Proxy>();
  await using world = await startWorld({
    beganAgoS: (HOUR_MINUTES + 5) * 60,
    async linkOf(region, url) {
      if (region !== 'sg') return url;
      const proxy = links.get(region) ?? again.use(await startProxy(url));
      links.set(region, proxy);
      return proxy.url;
    },
  });
  const ground = await groundOf(world);
  const from = Math.ceil(Date.now() / 60_000) * 60_000;
  const node = (id: string) => world.nodes[id];
  const link = () => links.get('sg');
  const restart = async (
    region: string,
    name: NodeJS.Signals,
    meanwhile = async () => undefined as unknown,
  ) => {
    world.probes.get(region)?.signal(name);
    await world.probes.get(region)?.gone;
    await meanwhile();
    await world.startProbe(region);
  };

  const hourFrom = Math.floor(ground.at / 60_000) + 2;
  /** Ten minutes down for both of alpha's checks, and now and then one answer. */
  const fails = (monitor: string, dueAt: number): boolean => {
    const minute = Math.floor(dueAt / 60_000) - hourFrom;
    return (monitor.startsWith('alpha/') && minute >= 20 && minute < 30) || dueAt % 17 === 0;
  };
  const hourOf = (region: string) =>
    spoolHour({
      ...ground,
      dataDir: join(world.dir, region),
      id: `${region}-1`,
      monitors: services.flatMap((service) => checks.map((check) => `${service}/main/${check}`)),
      intervalMs,
      firstMinute: hourFrom,
      minutes: HOUR_MINUTES,
      recordFile: world.recordOf(`${region}-1`),
      fails,
    });

  /** One fault a step, seconds from the start of a round of five minutes. */
  const script = (round: number): [number, () => unknown][] => [
    [20, () => node('alpha')?.signal('SIGSTOP')],
    [65, () => node('alpha')?.signal('SIGCONT')],
    [80, () => world.probes.get('us')?.signal('SIGSTOP')],
    [
      95,
      () => {
        const proxy = link();
        if (proxy) proxy.isCut = true;
      },
    ],
    [110, () => node('beta')?.signal('SIGSTOP')],
    [130, () => world.probes.get('us')?.signal('SIGCONT')],
    [
      140,
      async () => {
        world.site.signal('SIGKILL');
        world.alerts.signal('SIGKILL');
        await Promise.all([world.site.gone, world.alerts.gone]);
        [world.site, world.alerts] = await Promise.all([world.startSite(), world.startAlerts()]);
      },
    ],
    [155, () => node('beta')?.signal('SIGCONT')],
    [170, () => node('gamma')?.signal('SIGKILL')],
    // Once for longer than a round has.
    [
      round === 1 ? 290 : 185,
      () => {
        const proxy = link();
        if (proxy) proxy.isCut = false;
      },
    ],
    [
      205,
      async () => {
        const { port } = new URL(node('gamma')?.url ?? '');
        const started = again.use(await startAnvil({ port: Number(port) }));
        (world.nodes as Record<string, Process>)['gamma'] = started;
      },
    ],
    [
      220,
      async () => {
        world.collector.signal('SIGKILL');
        await world.collector.gone;
        world.collector = await world.startCollector();
      },
    ],
    [235, () => restart('us', 'SIGKILL')],
    [250, () => node('alpha')?.signal('SIGSTOP')],
    [254, () => node('alpha')?.signal('SIGCONT')],
    [
      265,
      async () => {
        if (round > 0) return restart('eu', 'SIGTERM');
        // What the two saw an hour before comes now.
        await Promise.all(['eu', 'sg'].map((region) => restart(region, 'SIGTERM', () => hourOf(region))));
      },
    ],
  ];
  for (let round = 0; round < minutes / 5; round += 1) {
    for (const [second, strike] of script(round).sort(([a], [b]) => a - b)) {
      await clock(from + (round * 300 + second) * 1_000);
      await strike();
    }
  }
  await clock(from + minutes * 60_000);

  const first = from / 60_000;
  const last = first + minutes - 1;
  // Settled: every probe's batches have gone past the last minute, and those of the hour before have come.
  await until('every region has delivered the last minute', 300_000, async () => {
    const { probes } = await getJson<{ probes: { closedMinute?: number }[] }>(
      `${world.collector.url}/v1/status`,
    );
    return probes.length === regions.length && probes.every(({ closedMinute }) => (closedMinute ?? 0) > last);
  });
  const lastMonitor = `${services[2]}/main/${checks[0]}`;
  await until('the last minute has its slot', 120_000, async () => {
    const why = await getJson<{ slot?: { minute: number } }>(
      `${world.collector.url}/v1/why?monitor=${encodeURIComponent(lastMonitor)}&at=${last * 60_000}`,
    );
    return why.slot?.minute === last;
  });
  for (const probe of world.probes.values()) {
    probe.signal('SIGTERM');
    await probe.gone;
  }
  world.collector.signal('SIGTERM');
  expect(await world.collector.gone).toBe('0');

  const records = regions.flatMap((region) => readRecords(world.recordOf(`${region}-1`)));
  const plain = plainTally(records, regions.length, intervalMs);
  const compared = [
    ...Array.from({ length: HOUR_MINUTES }, (_, i) => hourFrom + i),
    ...Array.from({ length: minutes }, (_, i) => first + i),
  ];
  const differences: unknown[] = [];
  const unknown: string[] = [];
  const lost: string[] = [];
  const counts = { up: 0, down: 0, unknown: 0, requests: 0, failed: 0 };
  const said = plainCounts(records, intervalMs);
  /** What each region said of a check, and how often it was asked: integer for integer. */
  const compareRegions = (planes: ReadonlyMap<string, DayPlane>, subject: string, minute: number): void => {
    const at = minute % MINUTES_PER_DAY;
    for (const region of regions) {
      const plain = said.get(`${subject} ${minute}`)?.get(`${region}-1`) ?? { failed: 0, answered: 0 };
      const plane = planes.get(region);
      const [requests = 0, succeeded = 0] = [plane?.requests[at], plane?.succeeded[at]];
      const asked = plain.failed + plain.answered;
      counts.requests += asked;
      counts.failed += plain.failed;
      const place = `${subject} ${region} ${minute}`;
      const short = asked - requests;
      for (let nth = 0; nth < short; nth += 1) lost.push(place);
      const isFewer = short >= 0 && succeeded <= plain.answered && plain.answered - succeeded <= short;
      if (!isFewer) differences.push({ place, plain, requests, succeeded });
      const state = slotOfByte(plane?.slots[at] ?? 0)?.state;
      if (short === 0 && asked > 0 && state !== plainVote(plain)) differences.push({ place, plain, state });
    }
  };
  for (const service of services) {
    const days = new Map<string, ReadonlyMap<string, DayPlane>>();
    for (const minute of compared) {
      const day = Math.floor(minute / MINUTES_PER_DAY);
      for (const [subject, expected] of expectedOf(plain, service, minute)) {
        const place = `${day} ${subject}`;
        const planes = days.get(place) ?? (await planesOf(world, `chain:${service}net`, day, subject));
        days.set(place, planes);
        if (subject.split('/').length === 3) compareRegions(planes, subject, minute);
        const got = slotOfByte(planes.get('')?.slots[minute % MINUTES_PER_DAY] ?? 0);
        const state = got?.state ?? 'none';
        counts[expected] += 1;
        if (state === expected) continue;
        if (state === 'unknown') unknown.push(`${subject} ${minute}: ${expected}, ${JSON.stringify(got)}`);
        else differences.push({ subject, minute, expected, got });
      }
    }
  }
  const total = counts.up + counts.down + counts.unknown;
  console.log(
    `${records.length} records, ${total} slots compared; by the plain tally ${JSON.stringify(counts)}; ` +
      `${unknown.length} are unknown to the collector alone:\n${unknown.join('\n')}\n` +
      `${lost.length} lines recorded and never said: ${lost.join(', ')}`,
  );
  expect(differences).toEqual([]);
  expect(lost.length).toBeLessThanOrEqual((minutes / 5) * MOST_LOST_BY_A_KILL);
  expect(unknown.length).toBeLessThanOrEqual(total * MOST_UNKNOWN);
  // Ten minutes of the hour before, in four subjects; the rest is from the faults of now.
  expect(counts.down).toBeGreaterThan(40);
  expect(counts.up).toBeGreaterThan(total / 2);

  const args = ['rebuild', '--check', '--config', world.configFile, '--data', join(world.dir, 'data')];
  const rebuilt = await highwater(args, world.env);
  console.log(rebuilt.stdout + rebuilt.stderr);
  expect(rebuilt.stdout).toContain('equal     every block');
  expect(rebuilt.code).toBe(0);
});

async function planesOf(
  world: World,
  shard: string,
  day: number,
  subject: string,
): Promise<ReadonlyMap<string, DayPlane>> {
  const block = await readCopy(storeOf(world), shard, (tx) => tx.block('slots', day, subject));
  if (block === undefined) throw new Error(`${subject} has no slots on day ${day}`);
  return decodeDay(block);
}
