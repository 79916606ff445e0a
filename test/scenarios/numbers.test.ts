/**
 * Everything that tells a number tells the same one, and it is the rule's: snapshot, detail, /v1/uptime, badge and
 * command line of a collector that took in signed batches, against config/src/proof/rule/evaluate.ts over its log and the
 * bodies that it acknowledged.
 */
import { join } from 'node:path';
import { sha256 } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { type Evaluation, evaluate, type Subjects } from '@highwater/config/proof/rule/evaluate.ts';
import type { Evidence, LoggedLeaf } from '@highwater/config/proof/rule/evidence.ts';
import { parseDay } from '@highwater/config/proof/rule/period.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type { PublicCounted, PublicServiceDetail, UptimeAnswer } from '@highwater/config/public-detail.ts';
import { publicServiceDetail, uptimeAnswer } from '@highwater/config/public-detail.ts';
import { type PublicSnapshot, publicSnapshot } from '@highwater/config/public.ts';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { uptimeText } from '../../bin/commands/uptime.ts';
import { lastClosed } from '../../collector/src/slots/slots.ts';
import { signerOf, signerOfKey } from '../../collector/src/signer.ts';
import { readCopy } from '../../collector/src/store/sqlite/sqlite-store.ts';
import { testHouse } from '../../collector/src/testing/config.ts';
import { fill } from '../../collector/src/testing/filled.ts';
import { dropDataDir, eventually, newDataDir, openHouse } from '../../collector/src/testing/house.ts';
import { LOG_SHARD } from '../../collector/src/watched.ts';
import { badgeFor } from '../../status-site/src/lib/badge.ts';
import { randomFrom } from '../faults/random.ts';

/** Over the midnight between two months. */
const LENGTH = 24;
const from = (parseDay('2026-11-01') ?? 0) * MINUTES_PER_DAY - 11;
const now = (from + LENGTH + 30) * MINUTE_MS;
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const periods = ['24h', '7d', '30d', '90d', '2026-11', '2026-10'] as const;
const planes = ['', 'eu', 'us', 'sg'] as const;

let dataDir: string;
let snapshot: PublicSnapshot;
let details: ReadonlyMap<string, PublicServiceDetail>;
let answers: ReadonlyMap<string, UptimeAnswer>;
let evidence: Evidence;
/** By range; 24 hours and 90 days have the same minutes. */
const evaluations = new Map<string, Evaluation>();

/** Every subject that the two services can have. */
const subjects = [
  'rpc', 'rpc/a', 'rpc/a/head', 'rpc/a/jsonrpc', 'rpc/b', 'rpc/b/head', 'rpc/b/jsonrpc', 'web', 'web/main', 'web/main/http',
] as const; // prettier-ignore

beforeAll(async () => {
  dataDir = newDataDir();
  const world = testHouse(12_000);
  const promised = world.config.services.map((each) => ({ ...each, objectiveMillionths: 950_000 }));
  const house = { ...world, config: { ...world.config, services: promised } };
  const late = { share: 0.2, minutes: 9 };
  const bodies = await fill(dataDir, house, { from, minutes: LENGTH, random: randomFrom(seed), late });
  evidence = await evidenceOf(
    bodies,
    Object.values(world.keys).map(({ vkey }) => vkey),
  );
  const collector = await openHouse(house.config, dataDir, {
    now: () => now,
    monotonic: () => performance.now(),
  });
  try {
    // Who asks for a slot makes the follower come so far.
    for (const { id } of house.config.monitors) {
      await collector.json(`/v1/why?monitor=${encodeURIComponent(id)}&at=${now}`);
    }
    const told = async (service: string) =>
      publicServiceDetail.parse(await collector.json(`/v1/services/${service}`));
    details = new Map([
      ['rpc', await told('rpc')],
      ['web', await told('web')],
    ]);
    const asked: [string, UptimeAnswer][] = [];
    for (const subject of subjects) {
      for (const period of periods) {
        for (const region of planes) {
          const query = `subject=${subject}&period=${period}${region === '' ? '' : `&region=${region}`}`;
          asked.push([
            `${subject} ${region} ${period}`,
            uptimeAnswer.parse(await collector.json(`/v1/uptime?${query}`)),
          ]);
        }
      }
    }
    answers = new Map(asked);
    // It is made now and then: one that was made before the last minute was closed is followed by another.
    snapshot = await eventually(async () => {
      const made = publicSnapshot.parse(await collector.json('/v1/snapshot'));
      const isLast = made.services.every(
        ({ id, uptime }) => uptime.coverage === answers.get(`${id}  90d`)?.uptime.coverage,
      );
      return isLast && made;
    }, 30_000);
  } finally {
    await collector.stop();
  }
}, 120_000);
afterAll(() => dropDataDir(dataDir));

async function evidenceOf(acknowledged: ReadonlyMap<string, string>, vkeys: readonly string[]): Promise<Evidence> {
  const store = join(dataDir, 'collector', 'store.db');
  const commits = await readCopy(store, LOG_SHARD, (tx) => tx.commitsFrom(0, 100_000));
  const bodies = new Map(acknowledged);
  const leaves = commits.map(({ index, note, hash, body }): LoggedLeaf => {
    const parsed = parseNote(note);
    if ('error' in parsed) throw new Error(parsed.error);
    if (body !== undefined) bodies.set(encodeBase64(sha256(utf8(body))), body);
    return { index, hash, text: parsed.text, key: vkeys.find((key) => signerOfKey(key) === signerOf(note)) ?? '' };
  });
  return { leaves, bodies };
}

function seriesOf(of: Subjects, subject: string) {
  return of.services.get(subject) ?? of.nodes.get(subject) ?? of.monitors.get(subject);
}

/** What the rule counts of a subject in these minutes, in one plane. */
function ruled(subject: string, plane: string, span: { firstMinute: number; lastMinute: number }): RuleTotals {
  // Before it there is no configuration.
  const first = Math.max(span.firstMinute, from - 2);
  const last = Math.min(span.lastMinute, lastClosed(now));
  const key = `${first} ${last}`;
  const evaluation = evaluations.get(key) ?? evaluate(evidence, { first, last }, sha256);
  evaluations.set(key, evaluation);
  const of = plane === '' ? evaluation : evaluation.regions.get(plane);
  return (of && seriesOf(of, subject)?.totals) ?? emptyTotals;
}

/** The integers that are told, under the rule's names for them. */
function told({ totals, unknown, requests, succeeded }: PublicCounted): object {
  return {
    ...totals,
    unknownNoData: unknown.noData,
    unknownSplit: unknown.split,
    unknownProbe: unknown.probe,
    unknownClock: unknown.clock,
    requests,
    succeeded,
  };
}

function badgeOf(service: string, period: string): string {
  const answer = badgeFor(service, 'uptime', { now, snapshot, receivedAt: now, details }, period);
  return 'badge' in answer ? answer.badge.message : answer.error;
}

test.each(subjects)(`of %s every reader tells what the rule counts, seed ${seed}`, (subject) => {
  const numbers = details.get(subject.split('/')[0] ?? '')?.numbers;
  for (const plane of planes) {
    const own = numbers?.subjects.find((one) => one.subject === subject && (one.region ?? '') === plane);
    // Of a check what a region saw alone is told by /v1/uptime.
    expect(own === undefined).toBe(plane !== '' && subject.split('/').length === 3);
    for (const period of periods) {
      const answer = answers.get(`${subject} ${plane} ${period}`);
      if (answer === undefined) throw new Error('it was asked for');
      const { inMaintenance: _, ...integers } = ruled(subject, plane, answer);
      expect({ plane, period, ...told(answer) }).toEqual({ plane, period, ...integers });
      const uptime = printedUptime(ruled(subject, plane, answer));
      expect(answer.uptime).toEqual(uptime);
      expect(integers.up + integers.down).toBeGreaterThan(0);
      const shown = own?.periods.find((one) => one.period === period);
      if (shown !== undefined) expect(told(shown)).toEqual(told(answer));
      if (shown !== undefined) expect(shown.uptime).toEqual(uptime);
      // Of checks, and of a node as one region saw it, 30 days alone.
      const isCompared = subject.split('/').length === 3 || (subject.includes('/') && plane !== '');
      if (own !== undefined) expect(shown !== undefined).toBe(period === '30d' || !isCompared);
      expect(uptimeText(answer)).toContain(`${integers.up} up`);
      expect(uptimeText(answer)).toContain(`${integers.down} down, ${integers.unknown} unknown`);
    }
  }
});

test.each(subjects)('of %s the days add up to the period', (subject) => {
  for (const period of periods.filter((each) => each !== '24h')) {
    const answer = answers.get(`${subject}  ${period}`);
    expect(answer?.days.length).toBe(period.startsWith('2026') ? 1 : 2);
    for (const name of ['up', 'down', 'unknown', 'degraded'] as const) {
      const sum = answer?.days.reduce((all, { totals }) => all + totals[name], 0);
      expect([period, name, sum]).toEqual([period, name, answer?.totals[name]]);
    }
  }
});

test('the snapshot tells the last 90 days of services and nodes, and badges the figure of each period', () => {
  const ninety = (subject: string) => answers.get(`${subject}  90d`);
  for (const service of snapshot.services) {
    const all = [[service.id, service] as const].concat(
      service.nodes.map((node) => [`${service.id}/${node.id}`, node as never] as const),
    );
    for (const [subject, { days, uptime }] of all) {
      expect(uptime).toEqual(ninety(subject)?.uptime);
      expect(days).toEqual(ninety(subject)?.days.map(({ date, totals }) => ({ date, ...totals })));
    }
    expect(service.budget).toMatchObject(answers.get(`${service.id}  30d`)?.budget ?? { nothing: 'asked' });
    for (const period of periods) {
      const { figure, atLeast } = answers.get(`${service.id}  ${period}`)?.uptime ?? {};
      const text = figure ?? (atLeast === undefined ? 'no data' : `≥ ${atLeast}`);
      expect(badgeOf(service.id, period).replaceAll(' ', '')).toBe(
        text === 'no data' ? 'nodata' : text.replaceAll(' ', ''),
      );
    }
  }
});
