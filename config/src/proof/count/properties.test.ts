/** The count equals the rule's reference for any evidence, in every subject, plane and integer. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../keys.ts';
import type { Counted } from '../../report/counted.ts';
import { counted as countedSchema } from '../../report/counted.ts';
import { dayOfMinute } from '../../time.ts';
import type { RuleConfig, RuleMonitor } from '../projection.ts';
import { type Evaluation, type MinuteRange, type Subjects, evaluate } from '../rule/evaluate.ts';
import type { Evidence } from '../rule/evidence.ts';
import { REFERENCE_PREFIX } from '../rule/stalled.ts';
import { WORLD_SEED, dueTimes, newWorld, worldKey } from '../testing/world.ts';
import { play } from './testing.ts';

// Other suites may have the machine.
vi.setConfig({ testTimeout: 120_000 });

/** The last minutes of a day and the first of the next. */
const RANGE: MinuteRange = { first: 1_430, last: 1_449 };
const DAYS: MinuteRange = { first: 0, last: 2 * 1_440 - 1 };
const regions = ['eu', 'us', 'sg', 'br'];
const intervals = [20_000, 60_000, 90_000, 300_000];
const answers = [
  'ok 1 - h=7',
  'ok 2000 - h=9 late=3',
  'degraded 1 -',
  'degraded 1 target.http.status',
  'fail 1 target.connect.refused',
  'fail 1 target.head.old',
  'ok 1 - late=44000',
  'ok 1 - m.eth_call=12 m.x=target.connect.refused re=1',
  'ok 700 - ce=86400000 m.eth_call=12 m.x=9 sc=200',
];
const rare = [
  'skipped 0 probe.schedule.late',
  'fail 1 probe.control.failed',
  'skipped 0 probe.clock.stepped',
];
const answer = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...answers) },
  { weight: 8, arbitrary: fc.constantFrom('fail 1 target.head.old', 'ok 5 -') },
  { weight: 2, arbitrary: fc.constantFrom(...rare) },
  { weight: 1, arbitrary: fc.constant('') },
);
const zeros = '00'.repeat(32);

function monitor(id: string, intervalMs: number, more: Partial<RuleMonitor>): RuleMonitor {
  const isHead = id.endsWith('head');
  return {
    id,
    kind: isHead ? 'head' : 'http',
    intervalMs,
    timeoutMs: 1_000,
    ...(isHead ? { chain: 'devnet' } : {}),
    targetHash: zeros,
    settings: [],
    regions,
    counts: true,
    ...more,
  };
}

interface Shape {
  readonly count: number;
  readonly minUp: number;
  readonly every: readonly number[];
  readonly hasPublic: boolean;
  readonly few: number;
}

function configOf({ count, minUp, every, hasPublic, few }: Shape): RuleConfig {
  const asked = regions.slice(0, count);
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, zone: 'z', operator: id, urlHash: zeros }));
  const ids = [
    'rpc/a/head',
    'rpc/b/head',
    'rpc/c/head',
    'rpc/a/http',
    'web/a/http',
    'web/b/http',
    'alt/a/head',
  ];
  const all = [...ids, 'chain.devnet/x.example/head', ...(hasPublic ? ['web/public/http'] : [])];
  return {
    seed: WORLD_SEED,
    regions: asked,
    probes: asked.flatMap((region) =>
      (region === 'eu' ? ['eu-1', 'eu-2', 'eu-3'] : [`${region}-1`]).map((id) => ({
        id,
        region,
        operator: 'Example',
        vkey: worldKey(id, sha256),
      })),
    ),
    controls: [],
    chains: [
      {
        name: 'devnet',
        family: 'evm',
        blockTimeMs: 1_000,
        maxLagBlocks: 5,
        maxAgeMs: 10_000,
        references: [{ host: 'x.example', operator: 'x' }],
      },
    ],
    services: [
      { id: 'rpc', minUp, visibility: 'public', chain: 'devnet', nodes },
      { id: 'web', minUp: 1, visibility: 'public', nodes: nodes.slice(0, 2) },
      { id: 'alt', minUp: 1, visibility: 'public', nodes: nodes.slice(0, 1) },
    ],
    monitors: all.map((id, i) =>
      monitor(id, every[i % every.length] ?? 60_000, {
        regions: i === few ? asked.slice(0, 1) : asked,
        ...(i === few + 1 ? { quorum: asked.length } : {}),
        ...(i === 3 && few === 2 ? { counts: false } : {}),
      }),
    ),
  };
}

const shape = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  minUp: fc.integer({ min: 1, max: 3 }),
  every: fc.array(fc.constantFrom(...intervals), { minLength: 4, maxLength: 9 }),
  hasPublic: fc.boolean(),
  few: fc.nat(12),
});

const plan = fc.record({
  before: shape,
  after: shape,
  drops: fc.option(fc.constantFrom('rpc/b/head', 'web/a/http'), { nil: undefined }),
  changeAt: fc.integer({ min: RANGE.first - 5, max: RANGE.last }),
  enrolAt: fc.integer({ min: RANGE.first, max: RANGE.last }),
  revokeAt: fc.integer({ min: RANGE.first, max: RANGE.last + 20 }),
  maintenance: fc.tuple(fc.constantFrom('rpc', 'rpc/a', 'web'), fc.nat(19), fc.nat(9)),
  clocks: fc.array(fc.constantFrom(5, 5, 5, 5, 2_001, -1), { minLength: 1, maxLength: 9 }),
  contradiction: fc.option(fc.nat(30), { nil: undefined }),
  twinSays: fc.constantFrom('', 'ok 1 -', 'fail 1 target.connect.refused'),
  /** Lines are sent again, or once more in the same batch, in every so manieth batch. */
  again: fc.integer({ min: 2, max: 9 }),
  torn: fc.integer({ min: 2, max: 40 }),
  shift: fc.integer({ min: 3, max: 90 }),
  answers: fc.array(answer, { minLength: 1, maxLength: 60 }),
  order: fc.array(fc.nat(), { minLength: 31, maxLength: 31 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

function evidenceOf(p: Plan): Evidence {
  const world = newWorld(sha256);
  const before = configOf(p.before);
  const changed = configOf(p.after);
  const after = { ...changed, monitors: changed.monitors.filter(({ id }) => id !== p.drops) };
  const first = world.config(before, 0);
  for (const probe of configOf({ ...p.before, count: 4 }).probes)
    world.enrol(probe.id, probe.region, probe.id === 'eu-2' ? p.enrolAt : 0);
  const [subject, from, length] = p.maintenance;
  world.maintain([subject], RANGE.first + from, RANGE.first + from + length);
  const second = world.config(after, p.changeAt);
  let next = 0;
  let sent = 0;
  for (let minute = 1_425; minute <= 1_454; minute += 1) {
    const isLater = minute >= p.changeAt;
    const config = isLater ? after : before;
    if (minute === p.revokeAt - 2) world.enrol('eu-3', 'eu', p.revokeAt, 'revoke');
    for (const probe of config.probes) {
      const lines = config.monitors.flatMap(({ id, intervalMs }) =>
        dueTimes(WORLD_SEED, id, probe.id, intervalMs, { first: minute, last: minute }, sha256).flatMap(
          (at) => {
            const text = p.answers[next++ % p.answers.length] ?? '';
            const due = next % p.shift === 0 ? at - (at % 1_000) : at;
            return text === '' ? [] : [`${id} ${due} ${text}`];
          },
        ),
      );
      sent += 1;
      const [one = ''] = lines;
      const torn =
        one !== '' && sent % p.torn === 0 ? [`${one.split(' ').slice(0, 2).join(' ')} ok 9 -`, one] : [];
      const clockBoundMs = p.clocks[next % p.clocks.length] ?? 5;
      const options = { config: isLater ? second : first, clockBoundMs, minute };
      const number = world.batch(probe.id, [...lines, ...torn], options);
      if (number === p.contradiction) {
        const twin =
          p.twinSays === ''
            ? []
            : lines.map((each) => `${each.split(' ').slice(0, 2).join(' ')} ${p.twinSays}`);
        world.batch(probe.id, [...twin, ...lines.slice(0, 1)], { ...options, number, minute });
      }
      if (sent % p.again === 0) {
        const others = lines.map(
          (each) => `${each.split(' ').slice(0, 2).join(' ')} fail 1 target.connect.refused`,
        );
        world.batch(probe.id, others, { ...options, epoch: sent % 4 === 0 ? 0 : 1, minute });
      }
    }
  }
  return world.evidence();
}

/** `SUBJECT REGION` to totals, of what a report tells. */
function expected(evaluation: Evaluation, only?: string): Map<string, unknown> {
  const planes: [string, Subjects][] = [['', evaluation], ...evaluation.regions];
  return new Map(
    planes.flatMap(([region, { monitors, nodes, services }]) =>
      [...monitors, ...nodes, ...services]
        .filter(([id]) => !id.startsWith(REFERENCE_PREFIX))
        .filter(([id]) => only === undefined || id === only || id.startsWith(`${only}/`))
        .map(([id, { totals }]): [string, unknown] => [`${id} ${region}`, totals]),
    ),
  );
}

function told({ services }: Counted): Map<string, unknown> {
  return new Map(
    services.flatMap(({ subjects }) =>
      subjects.map(({ subject, region = '', totals }): [string, unknown] => [`${subject} ${region}`, totals]),
    ),
  );
}

const byName = (map: Map<string, unknown>): unknown => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('for any evidence', () => {
  test('every integer is that of the reference, in whatever order bodies come', () => {
    fc.assert(
      fc.property(plan, fc.constantFrom(RANGE, RANGE, RANGE, DAYS), (p, range) => {
        const evidence = evidenceOf(p);
        const order = (i: number): number => p.order[i % p.order.length] ?? 0;
        const { count, refused } = play(evidence, range, { order });
        const evaluation = evaluate(evidence, range, sha256);
        expect(refused).toEqual(evaluation.problems);
        const counted = count.result();
        expect(countedSchema.parse(counted)).toEqual(counted);
        expect(byName(told(counted))).toEqual(byName(expected(evaluation)));
        expectDays(counted, evaluation);
      }),
      { numRuns: 12 },
    );
  });

  test('one service alone is told as it is among all', () => {
    fc.assert(
      fc.property(plan, fc.constantFrom('rpc', 'web', 'alt'), (p, service) => {
        const evidence = evidenceOf(p);
        const whole = play(evidence, RANGE).count.result();
        const alone = play(evidence, RANGE, { service }).count.result();
        expect(alone.services).toEqual(whole.services.filter(({ id }) => id === service));
      }),
      { numRuns: 10 },
    );
  });
});

/** Days and outages from the slots of the reference. */
function expectDays({ services }: Counted, evaluation: Evaluation): void {
  const series = new Map([...evaluation.nodes, ...evaluation.services]);
  const { first } = evaluation;
  expect(services.flatMap(({ days }) => days.map(({ subject }) => subject)).sort()).toEqual(
    [...series.keys()].filter((id) => !id.startsWith(REFERENCE_PREFIX)).sort(),
  );
  for (const service of services) {
    for (const { subject, days } of service.days) {
      const slots = series.get(subject)?.slots ?? [];
      const plain = days.map(() => [0, 0, 0, 0, 0, 0]);
      const outages: { subject: string; firstMinute: number; minutes: number }[] = [];
      let isDown = false;
      for (const [i, slot] of slots.entries()) {
        const day = plain[dayOfMinute(first + i) - dayOfMinute(first)] ?? [];
        const add = (at: number): number => (day[at] = (day[at] ?? 0) + 1);
        const isOutage = slot?.state === 'down' && !slot.maintenance && !slot.stalled;
        const last = outages.at(-1);
        if (isOutage && isDown && last) last.minutes += 1;
        else if (isOutage) outages.push({ subject, firstMinute: first + i, minutes: 1 });
        isDown = isOutage;
        if (slot === undefined) continue;
        if (slot.maintenance) add(3);
        else if (slot.stalled) add(4);
        else {
          add(['up', 'down', 'unknown'].indexOf(slot.state));
          if (slot.degraded) add(5);
        }
      }
      expect(days).toEqual(plain);
      expect(service.outages.filter((outage) => outage.subject === subject)).toEqual(outages);
    }
  }
}
