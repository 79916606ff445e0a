/** What holds of `rule/v1` for any evidence, beyond the cases of the vectors. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { sha256 } from '../../keys.ts';
import { type RuleConfig, type RuleMonitor, formatProjection, parseProjection } from '../projection.ts';
import { WORLD_SEED, dueTimes, newWorld, worldKey } from '../testing/world.ts';
import { type Evaluation, type MinuteRange, evaluate } from './evaluate.ts';
import type { Evidence } from './evidence.ts';
import { inForceFrom } from './in-force.ts';
import { monitorSlot, quorumOf } from './monitor.ts';
import { type Claim, earlierClaim } from './none.ts';
import { nodeSlot } from './node.ts';
import { serviceSlot } from './service.ts';
import { type Say, type State, commonCause } from './slot.ts';
import { addTotals, allOf, emptyTotals, withMaintenance } from './totals.ts';
import { WINDOWS, windowOf, windowsOfDay } from './window.ts';

// Other suites may have the machine.
vi.setConfig({ testTimeout: 60_000 });

// ------------------------------------------------------------ any evidence

/** The last minutes of a day and the first of the next, so that day ends are met. */
const RANGE: MinuteRange = { first: 1_430, last: 1_449 };
const regions = ['eu', 'us', 'sg', 'br'];
const intervals = [20_000, 60_000, 90_000, 300_000];
const answers = ['ok 1 -', 'degraded 1 -', 'fail 1 target.connect.refused', 'fail 1 target.head.old'];
const rare = [
  'skipped 0 probe.schedule.late',
  'fail 1 probe.control.failed',
  'skipped 0 probe.clock.stepped',
];
const answer = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...answers) },
  { weight: 2, arbitrary: fc.constantFrom(...rare) },
  { weight: 1, arbitrary: fc.constant('') },
);

function monitorsOf(every: readonly number[], count: number): RuleMonitor[] {
  const ids = ['rpc/a/head', 'rpc/b/head', 'rpc/c/head', 'rpc/a/http'];
  return ids.map((id, i) => ({
    id,
    kind: id.endsWith('head') ? 'head' : 'http',
    intervalMs: every[i] ?? 60_000,
    timeoutMs: 1_000,
    ...(id.endsWith('head') ? { chain: 'devnet' } : {}),
    targetHash: '00'.repeat(32),
    settings: [],
    regions: regions.slice(0, count),
    counts: true,
  }));
}

function configOf(count: number, minUp: number, every: readonly number[]): RuleConfig {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id, zone: 'z', operator: id, urlHash: '00'.repeat(32) }));
  const probes = regions.slice(0, count).flatMap((region) =>
    (region === 'eu' ? ['eu-1', 'eu-2'] : [`${region}-1`]).map((id) => ({
      id,
      region,
      operator: 'Example',
      vkey: worldKey(id, sha256),
    })),
  );
  const chain = {
    name: 'devnet',
    family: 'evm',
    blockTimeMs: 1_000,
    maxLagBlocks: 5,
    maxAgeMs: 10_000,
    references: [],
  };
  return {
    seed: WORLD_SEED,
    regions: regions.slice(0, count),
    probes,
    controls: [],
    chains: [chain],
    services: [{ id: 'rpc', minUp, visibility: 'public', nodes }],
    monitors: monitorsOf(every, count),
  };
}

const plan = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  minUp: fc.integer({ min: 1, max: 3 }),
  every: fc.array(fc.constantFrom(...intervals), { minLength: 4, maxLength: 4 }),
  everyLater: fc.array(fc.constantFrom(...intervals), { minLength: 4, maxLength: 4 }),
  changeAt: fc.integer({ min: RANGE.first, max: RANGE.last }),
  maintenance: fc.tuple(fc.constantFrom('rpc', 'rpc/a'), fc.nat(19), fc.nat(9)),
  /** One entry a batch, used in turn. */
  clocks: fc.array(fc.constantFrom(5, 5, 5, 5, 2_001, -1), { minLength: 1, maxLength: 9 }),
  contradiction: fc.option(fc.nat(30), { nil: undefined }),
  answers: fc.array(answer, { minLength: 1, maxLength: 60 }),
});
type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

/** Plays a plan: configuration, enrolments, a change of configuration, maintenance, and a batch a probe and minute. */
function evidenceOf(p: Plan): Evidence {
  const world = newWorld(sha256);
  const before = configOf(p.count, p.minUp, p.every);
  const after = configOf(p.count, p.minUp, p.everyLater);
  const first = world.config(before, 0);
  for (const probe of before.probes) world.enrol(probe.id, probe.region, 0);
  const [subject, from, length] = p.maintenance;
  world.maintain([subject], RANGE.first + from, RANGE.first + from + length);
  const second = world.config(after, p.changeAt);
  let next = 0;
  for (let minute = 1_425; minute <= 1_454; minute += 1) {
    const isLater = minute >= p.changeAt;
    const config = isLater ? after : before;
    for (const probe of config.probes) {
      const lines = config.monitors.flatMap((monitor) =>
        dueTimes(
          WORLD_SEED,
          monitor.id,
          probe.id,
          monitor.intervalMs,
          { first: minute, last: minute },
          sha256,
        )
          .map((at) => [monitor.id, at, p.answers[next++ % p.answers.length]])
          .filter(([, , text]) => text !== '')
          .map((words) => words.join(' ')),
      );
      const clockBoundMs = p.clocks[next % p.clocks.length] ?? 5;
      const options = { config: isLater ? second : first, clockBoundMs, minute };
      const number = world.batch(probe.id, lines, options);
      if (number === p.contradiction) world.batch(probe.id, [], { ...options, number, minute });
    }
  }
  return world.evidence();
}

const evidence = plan.map(evidenceOf);

function everySeries(evaluation: Evaluation): Evaluation['monitors'] {
  return new Map([...evaluation.monitors, ...evaluation.nodes, ...evaluation.services]);
}

describe('any evidence', () => {
  test('the order and repetition of leaves do not matter', () => {
    fc.assert(
      fc.property(evidence, fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (made, places) => {
        const keyed = [...made.leaves, ...made.leaves.slice(0, 20)].map((leaf, i) => ({
          leaf,
          at: places[i % places.length] ?? 0,
        }));
        const shuffled = keyed.sort((a, b) => a.at - b.at).map(({ leaf }) => leaf);
        expect(evaluate({ ...made, leaves: shuffled }, RANGE, sha256)).toEqual(evaluate(made, RANGE, sha256));
      }),
      { numRuns: 12 },
    );
  });

  test('the same batches at other places above all other leaves give the same', () => {
    fc.assert(
      fc.property(evidence, fc.array(fc.nat(), { minLength: 200, maxLength: 200 }), (made, places) => {
        const isBatch = (text: string): boolean => text.startsWith('highwater/batch/');
        const others = made.leaves.filter((leaf) => !isBatch(leaf.text));
        const batches = made.leaves
          .filter((leaf) => isBatch(leaf.text))
          .map((leaf, i) => ({ leaf, at: places[i % places.length] ?? 0 }))
          .sort((a, b) => a.at - b.at)
          .map(({ leaf }, i) => ({ ...leaf, index: 1_000 + i }));
        expect(evaluate({ ...made, leaves: [...others, ...batches] }, RANGE, sha256)).toEqual(
          evaluate(made, RANGE, sha256),
        );
      }),
      { numRuns: 12 },
    );
  });

  test('totals of two ranges add up to those of both, also where a window is cut', () => {
    fc.assert(
      fc.property(evidence, fc.integer({ min: RANGE.first, max: RANGE.last - 1 }), (made, middle) => {
        const whole = evaluate(made, RANGE, sha256);
        const left = everySeries(evaluate(made, { first: RANGE.first, last: middle }, sha256));
        const right = everySeries(evaluate(made, { first: middle + 1, last: RANGE.last }, sha256));
        for (const [subject, series] of everySeries(whole)) {
          const [a, b] = [left.get(subject), right.get(subject)];
          expect(addTotals(a?.totals ?? emptyTotals, b?.totals ?? emptyTotals)).toEqual(series.totals);
          expect([...(a?.slots ?? []), ...(b?.slots ?? [])]).toEqual(series.slots);
        }
      }),
      { numRuns: 10 },
    );
  });

  test('every configured minute counts once, and what is printed lies within its bounds', () => {
    fc.assert(
      fc.property(evidence, (made) => {
        const evaluation = evaluate(made, RANGE, sha256);
        expect(evaluation.problems).toEqual([]);
        for (const [subject, { slots, totals }] of everySeries(evaluation)) {
          const minutes = slots.filter((slot) => slot !== undefined).length;
          expect(allOf(totals) + totals.stalled + totals.maintenance, subject).toBe(minutes);
          const within = totals.inMaintenance;
          expect(allOf(within) + within.stalled).toBe(totals.maintenance);
          for (const counts of [totals, within, withMaintenance(totals)]) {
            const { unknownNoData, unknownSplit, unknownProbe, unknownClock } = counts;
            expect(unknownNoData + unknownSplit + unknownProbe + unknownClock).toBe(counts.unknown);
            expect(counts.degraded).toBeLessThanOrEqual(counts.up);
            expect(counts.succeeded).toBeLessThanOrEqual(counts.requests);
          }
          expect(allOf(withMaintenance(totals)) + withMaintenance(totals).stalled).toBe(minutes);
        }
      }),
      { numRuns: 12 },
    );
  });

  test('leaves that come later change no minute that k regions have reached, whatever they make of R before', () => {
    const turns = fc.array(fc.constantFrom('revoke', 'enrol', 'nobody', 'others'), { maxLength: 5 });
    fc.assert(
      fc.property(plan, turns, fc.integer({ min: RANGE.first, max: RANGE.last }), (p, acts, from) => {
        const made = evidenceOf(p);
        const world = newWorld(sha256);
        const config = configOf(p.count, 3, p.every);
        const far = RANGE.last + 500_000;
        for (const act of acts) {
          if (act === 'nobody') world.config({ ...config, probes: [], monitors: [] }, far);
          else if (act === 'others') {
            const others = ['x', 'y', 'z'].map((id) => ({
              id: `${id}-1`,
              region: id,
              operator: 'Example',
              vkey: worldKey(`${id}-1`, sha256),
            }));
            world.config({ ...config, regions: ['x', 'y', 'z'], probes: others, monitors: [] }, far);
            for (const { id, region } of others) world.enrol(id, region, from);
          } else {
            for (const { id, region } of config.probes)
              world.enrol(id, region, act === 'revoke' ? far : from, act);
          }
        }
        world.maintain(['rpc', 'rpc/a'], from, RANGE.last);
        world.config({ ...config, monitors: [] }, from);
        const late = world.evidence();
        const leaves = [
          ...made.leaves,
          ...late.leaves.map((leaf) => ({ ...leaf, index: leaf.index + 9_999 })),
        ];
        const bodies = new Map([...made.bodies, ...late.bodies]);
        expect(evaluate({ leaves, bodies }, RANGE, sha256)).toEqual(evaluate(made, RANGE, sha256));
      }),
      { numRuns: 10 },
    );
  });

  test('a body that is missing or changed is silence and is named', () => {
    const made = evidenceOf(fc.sample(plan, { numRuns: 1, seed: 1 })[0] as Plan);
    const batch = made.leaves.findLast(
      (leaf) => /\nbody rpc /.test(leaf.text) && /\nminutes 144[0-9]/.test(leaf.text),
    );
    const hash = /\nbody rpc [0-9]+ [0-9]+ (\S+)/.exec(batch?.text ?? '')?.[1] ?? '';
    const body = made.bodies.get(hash) ?? '';
    expect(body).not.toBe('');
    const without = new Map([...made.bodies].filter(([key]) => key !== hash));
    for (const bodies of [without, new Map([...without, [hash, body.replace(/ [a-z]+ /, ' ok ')]])]) {
      const { problems } = evaluate({ ...made, bodies }, RANGE, sha256);
      expect(problems.filter((problem) => problem.startsWith(`leaf ${batch?.index}:`))).toHaveLength(
        bodies.get(hash) === body ? 0 : 1,
      );
    }
  });

  test('projections of any such configuration come back whole, whatever the order of their parts', () => {
    fc.assert(
      fc.property(plan, (p) => {
        const config = configOf(p.count, p.minUp, p.every);
        const text = formatProjection(config);
        const turned = {
          ...config,
          monitors: [...config.monitors].reverse(),
          probes: [...config.probes].reverse(),
        };
        expect(formatProjection(turned)).toBe(text);
        const read = parseProjection(text);
        expect('error' in read ? read.error : formatProjection(read)).toBe(text);
      }),
    );
  });

  test('a range that is empty, backwards or endless is refused', () => {
    const nothing = { leaves: [], bodies: new Map<string, string>() };
    for (const range of [
      { first: 2, last: 1 },
      { first: 0, last: 10_000_000 },
      { first: 0, last: Number.NaN },
    ]) {
      expect(() => evaluate(nothing, range, sha256)).toThrow(RangeError);
    }
    expect(evaluate(nothing, { first: 0, last: 0 }, sha256).monitors.size).toBe(0);
  });
});

// --------------------------------------------------------- small exhaustives

function combinations<T>(values: readonly T[], n: number): T[][] {
  if (n === 0) return [[]];
  return combinations(values, n - 1).flatMap((rest) => values.map((value) => [...rest, value]));
}

const says: readonly Say[] = ['down', 'none', 'up'];
const states: readonly State[] = ['down', 'unknown', 'up'];
const rank = (state: State): number => states.indexOf(state);

describe('quorum, for every vote of up to five regions and every declared quorum', () => {
  for (const n of [1, 2, 3, 4, 5]) {
    for (const quorum of [undefined, 1, 2, 3, 4, 5]) {
      const q = quorumOf(n, quorum);
      test(`n ${n}, declared ${quorum}`, () => {
        expect(2 * q).toBeGreaterThan(n);
        expect(q).toBeLessThanOrEqual(n);
        for (const votes of combinations(says, n)) {
          const slot = monitorSlot(votes, n, quorum);
          expect(slot).toBe(plainSlot(votes, q));
          for (let i = 0; i < n; i += 1) {
            for (const other of says) {
              const changed = monitorSlot(votes.with(i, other), n, quorum);
              const better = says.indexOf(other) - says.indexOf(votes[i] ?? 'none');
              // A better vote never makes it worse.
              if (better >= 0) expect(rank(changed)).toBeGreaterThanOrEqual(rank(slot));
            }
          }
        }
      });
    }
  }

  /** Written again, plainly. */
  function plainSlot(votes: readonly Say[], q: number): State {
    let [up, down] = [0, 0];
    for (const vote of votes) {
      if (vote === 'up') up += 1;
      if (vote === 'down') down += 1;
    }
    return up >= q ? 'up' : down >= q ? 'down' : 'unknown';
  }
});

test('nodes and services: a better part never makes the whole worse, and unknown hides what it might be', () => {
  for (const n of [1, 2, 3, 4]) {
    for (const parts of combinations(states, n)) {
      const resolved = combinations<State>(['down', 'up'], n).filter((r) =>
        r.every((state, i) => parts[i] === 'unknown' || parts[i] === state),
      );
      const outcomes = (whole: (parts: readonly State[]) => State | undefined): Set<State | undefined> =>
        new Set(resolved.map(whole));
      for (const minUp of [1, 2, 3, 4]) {
        const might = outcomes((p) => serviceSlot(p, minUp));
        // Known exactly when every way of filling in what is unknown gives the same.
        expect(serviceSlot(parts, minUp)).toBe(might.size === 1 ? [...might][0] : 'unknown');
      }
      const might = outcomes(nodeSlot);
      expect(nodeSlot(parts)).toBe(might.size === 1 ? [...might][0] : 'unknown');
    }
  }
});

test('in force: the first minute from S on that fewer than k regions have reached', () => {
  const reach = fc.integer({ min: -1, max: 30 });
  fc.assert(
    fc.property(fc.nat(30), fc.array(reach, { maxLength: 7 }), (from, reaches) => {
      const k = Math.floor(reaches.length / 2) + 1;
      let minute = from;
      while (reaches.filter((r) => r >= minute).length >= k) minute += 1;
      expect(inForceFrom(from, reaches)).toBe(minute);
    }),
    { numRuns: 1_000 },
  );
});

test('of several claims the same one stands in any order', () => {
  const claim: fc.Arbitrary<Claim> = fc.record({
    epoch: fc.nat(2),
    number: fc.nat(2),
    line: fc.constantFrom('a', 'b', 'c'),
  });
  fc.assert(
    fc.property(fc.array(claim, { minLength: 1, maxLength: 6 }), fc.nat(), (claims, turn) => {
      const turned = [
        ...claims.slice(turn % claims.length),
        ...claims.slice(0, turn % claims.length),
        ...claims,
      ];
      expect(turned.reduce(earlierClaim)).toEqual(claims.reduce(earlierClaim));
    }),
  );
});

test('windows cut every day without a gap or an overlap', () => {
  const change = fc.tuple(fc.nat(1_439), fc.constantFrom(...WINDOWS, 0));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 5 }), fc.nat(3), (changes, day) => {
      const sorted = [...changes].sort(([a], [b]) => a - b);
      const inForce = (minute: number): { intervalMs: number } | undefined => {
        const minutes = sorted.findLast(([at]) => at <= minute - day * 1_440)?.[1] ?? 1;
        return minutes === 0 ? undefined : { intervalMs: minutes * 60_000 };
      };
      let next = day * 1_440;
      for (const window of windowsOfDay(day, inForce)) {
        for (; next < window.first; next += 1) expect(inForce(next)).toBeUndefined();
        const length = window.under.intervalMs / 60_000;
        expect(window.last).toBe(windowOf(window.first, length).last);
        expect(inForce(window.first)).toEqual(window.under);
        next = window.last + 1;
      }
      expect(next).toBeLessThanOrEqual((day + 1) * 1_440);
    }),
  );
});

test('the common cause does not depend on the order', () => {
  const cause = fc.constantFrom('no-data' as const, 'split' as const, 'probe' as const, 'clock' as const);
  fc.assert(
    fc.property(fc.array(cause, { minLength: 1 }), (causes) => {
      expect(commonCause([...causes].reverse())).toBe(commonCause(causes));
      expect(causes).toContain(commonCause(causes));
    }),
  );
});
