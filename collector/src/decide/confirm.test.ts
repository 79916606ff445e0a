import { maxLookNow } from '@highwater/config/wire.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BURST,
  confirm,
  type Confirming,
  type Doubt,
  doubtOf,
  isTurn,
  type Known,
  LATE_AFTER_MS,
  nothingToConfirm,
} from './confirm.ts';
import type { Answer, MonitorPolicy } from './types.ts';

const policy: MonitorPolicy = {
  id: 'rpc/a/head',
  fall: 2,
  rise: 2,
  regions: ['eu', 'us', 'sg'],
  quorum: 2,
  freshMs: 75_000,
};
const regionOf = new Map([
  ['eu-1', 'eu'],
  ['eu-2', 'eu'],
  ['us-1', 'us'],
  ['sg-1', 'sg'],
  // Of a region that the monitor is not asked from.
  ['af-1', 'af'],
]);

function answer(probe: string, outcome: Answer['outcome'], at = 100_000): Answer {
  const region = regionOf.get(probe) ?? '';
  const said = { monitor: policy.id, probe, region, outcome, recheck: false, latencyTenths: 1 };
  return { ...said, dueAt: at, receivedAt: at + 50 };
}

describe('a turn', () => {
  it.each<[string, Answer | undefined, Answer, boolean]>([
    ['a first answer', undefined, answer('eu-1', 'fail'), true],
    ['the first failing one', answer('eu-1', 'ok'), answer('eu-1', 'fail', 130_000), true],
    ['another failing one', answer('eu-1', 'fail'), answer('eu-1', 'fail', 130_000), false],
    ['the first good one', answer('eu-1', 'fail'), answer('eu-1', 'degraded', 130_000), true],
    ['a degraded one after a good one', answer('eu-1', 'ok'), answer('eu-1', 'degraded', 130_000), false],
    ['a failing one after long silence', answer('eu-1', 'fail'), answer('eu-1', 'fail', 175_000), true],
    ['one that comes late', answer('eu-1', 'ok'), answer('eu-1', 'fail', 99_999), false],
  ])('%s', (_, before, now, expected) => {
    expect(isTurn(policy, before, now)).toBe(expected);
  });
});

describe('a doubt', () => {
  const known: Known = {
    policy,
    intervalMs: 30_000,
    recheckAfterMs: 1_000,
    status: 'up',
    newest: {},
    regionOf,
  };
  const failing = answer('eu-1', 'fail');
  const good = answer('eu-1', 'ok');
  const usSaid = (outcome: Answer['outcome'], at?: number): Pick<Known, 'newest'> => ({
    newest: { 'us-1': answer('us-1', outcome, at) },
  });
  const both = ['us-1', 'sg-1'];

  it.each<[string, Partial<Known>, Answer, readonly string[] | undefined]>([
    ['asks the regions that it is watched from, but not its own', {}, failing, both],
    ['asks who says otherwise', usSaid('ok'), failing, both],
    ['asks while nothing is known too', { status: 'unknown' }, failing, both],
    ['asks nobody who says so already', usSaid('fail', 90_000), failing, ['sg-1']],
    ['asks who said so long ago', usSaid('fail', 20_000), failing, both],
    ['is none when it is down', { status: 'down' }, failing, undefined],
    ['is none when a good answer says what is known', {}, good, undefined],
    ['is none when nothing says that it is down', { status: 'unknown' }, good, undefined],
    ['asks whether it is back', { status: 'down', ...usSaid('fail') }, good, both],
    ['asks nobody who says that it is back', { status: 'down', ...usSaid('degraded') }, good, ['sg-1']],
    ['is none where checks come as soon as rechecks', { intervalMs: 2_000 }, failing, undefined],
    ['is there where they come later', { intervalMs: 2_001 }, failing, both],
    ['is none with one region', { policy: { ...policy, regions: ['eu'] } }, failing, undefined],
    ['is none of a region that has no say', {}, answer('af-1', 'fail'), undefined],
  ])('%s', (_, change, said, probes) => {
    const all = { ...known, ...change };
    const expected = { monitor: policy.id, region: 'eu', said: said === good ? 'ok' : 'fail', at: 7, probes };
    expect(doubtOf(all, said, 7)).toEqual(probes && { ...expected, intervalMs: all.intervalMs });
  });
});

const later = (): number => Infinity;

function doubt(monitor: string, at: number, change: Partial<Doubt> = {}): Doubt {
  return { monitor, region: 'eu', said: 'fail', at, intervalMs: 30_000, probes: ['us-1', 'sg-1'], ...change };
}

const many = (count: number, at: number): Doubt[] =>
  Array.from({ length: count }, (_, place) => doubt(`m${place}`, at));

/** What is let through by each of these calls. */
function play(
  steps: readonly (readonly [at: number, doubts: readonly Doubt[]])[],
  dueAt: (monitor: string, probe: string) => number = later,
): string[] {
  let state: Confirming = nothingToConfirm;
  return steps.map(([at, doubts]) => {
    const made = confirm(state, doubts, dueAt, at);
    state = made.state;
    return made.looks.map(({ monitor, probes }) => `${monitor}:${probes.join('+')}`).join(' ');
  });
}

describe('confirmation', () => {
  it('asks the others at once', () => {
    expect(play([[0, [doubt('a', 0)]]])).toEqual(['a:us-1+sg-1']);
  });

  it('does not ask a probe again within the interval, nor longer than a minute', () => {
    const again = (at: number) => [at, [doubt('a', at)]] as const;
    expect(play([again(0), again(29_999), again(30_000)])).toEqual(['a:us-1+sg-1', '', 'a:us-1+sg-1']);
    const slow = (at: number) => [at, [doubt('a', at, { intervalMs: 3_600_000 })]] as const;
    expect(play([slow(0), slow(59_999), slow(60_000)])).toEqual(['a:us-1+sg-1', '', 'a:us-1+sg-1']);
  });

  it('asks for the way back apart from the way down', () => {
    const back = doubt('a', 1_000, { said: 'ok', probes: ['sg-1'] });
    expect(
      play([
        [0, [doubt('a', 0)]],
        [1_000, [back]],
        [1_500, [back]],
      ]),
    ).toEqual(['a:us-1+sg-1', 'a:sg-1', '']);
  });

  it('leaves out a probe whose own check comes soon, at no cost', () => {
    const due = (monitor: string, probe: string): number =>
      monitor === 'a' && probe === 'us-1' ? 2_000 : 2_001;
    expect(play([[0, [doubt('a', 0), doubt('b', 0)]]], due)).toEqual(['a:sg-1 b:us-1+sg-1']);
    const made = confirm(nothingToConfirm, many(500, 0), () => 1_999, 0);
    expect([made.looks, made.state.waiting, made.dropped]).toEqual([[], [], 0]);
  });

  it('lets a burst through, then five a second, oldest first, and drops what is late', () => {
    const names = (from: number, to: number): string =>
      Array.from({ length: to - from }, (_, i) => `m${from + i}:us-1+sg-1`).join(' ');
    const steps = [0, 199, 200, 1_000, 2_999, 3_000, 3_200].map(
      (at) => [at, at === 0 ? many(60, 0) : []] as const,
    );
    expect(play(steps)).toEqual([
      names(0, 20),
      '',
      names(20, 21),
      names(21, 25),
      names(25, 34),
      // What was left is worth nothing now.
      '',
      '',
    ]);
  });

  it('tells what it drops: what does not fit at once, and what became late', () => {
    const first = confirm(nothingToConfirm, many(100, 0), later, 0);
    expect([first.looks.length, first.state.waiting.length, first.dropped]).toEqual([BURST, 15, 65]);
    const second = confirm(first.state, [], later, LATE_AFTER_MS);
    expect([second.looks.length, second.state.waiting.length, second.dropped]).toEqual([0, 0, 15]);
  });

  it('keeps one doubt of a monitor in its place, as the newest of them tells it', () => {
    const first = confirm(nothingToConfirm, [...many(BURST, 0), doubt('a', 0), doubt('b', 1)], later, 0);
    const second = confirm(first.state, [doubt('a', 100, { probes: ['sg-1'] })], later, 100);
    expect(second.state.waiting).toEqual([doubt('a', 0, { probes: ['sg-1'] }), doubt('b', 1)]);
    const third = confirm(second.state, [doubt('a', 150, { said: 'ok' })], later, 150);
    expect(third.state.waiting).toEqual([doubt('b', 1), doubt('a', 150, { said: 'ok' })]);
  });

  it('lets a region through within two places, whatever the others raise', () => {
    const sick = (now: number) => many(10_000, now);
    // The burst is spent, and as many wait as may.
    let { state } = confirm(nothingToConfirm, sick(0), later, 0);
    const asked: string[] = [];
    for (let now = 250; now <= 2_000; now += 250) {
      const own = now === 500 ? [doubt('own', now, { region: 'us', probes: ['sg-1'] })] : [];
      const made = confirm(state, [...sick(now), ...own], later, now);
      state = made.state;
      asked.push(...made.looks.map(({ monitor }) => monitor));
    }
    expect(asked.indexOf('own')).toBe(1);
  });

  it('two regions share what there is evenly, of each its oldest first', () => {
    const of = (region: string, at: number) =>
      Array.from({ length: 60 }, (_, n) => doubt(`${region}${n}`, at, { region }));
    let { state, looks } = confirm(nothingToConfirm, [...of('eu', 0), ...of('us', 0)], later, 0);
    for (let now = 200; now < LATE_AFTER_MS; now += 200) {
      const made = confirm(state, [], later, now);
      expect(made.looks).toHaveLength(1);
      state = made.state;
      looks = [...looks, ...made.looks];
    }
    const asked = looks.map(({ monitor }) => monitor);
    const evenly = asked.map((_, n) => `${n % 2 === 0 ? 'eu' : 'us'}${Math.floor(n / 2)}`);
    expect(asked).toEqual(evenly);
    expect(asked).toHaveLength(BURST + 14);
  });

  it('what another region doubts of the same monitor does not take the place of its own', () => {
    const sick = many(BURST + 15, 0);
    const { state } = confirm(nothingToConfirm, sick, later, 0);
    const own = doubt('m30', 100, { region: 'us', probes: ['sg-1'] });
    const next = confirm(state, [own, ...sick], later, 200);
    expect(next.looks).toEqual([{ monitor: 'm30', probes: ['sg-1'] }]);
  });

  it('what is let through at once fits into one answer', () => {
    expect(BURST).toBeLessThanOrEqual(maxLookNow);
  });

  it('costs no more than its budget in any window, and asks nobody who was not named, whatever fails', () => {
    const event = fc.record({
      afterMs: fc.nat({ max: 4_000 }),
      monitors: fc.array(fc.nat({ max: 10_000 }), { maxLength: 120 }),
      said: fc.constantFrom('ok' as const, 'fail' as const),
      reporter: fc.constantFrom('eu-1', 'us-1', 'sg-1'),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        let [state, now] = [nothingToConfirm, 0];
        const grants: number[] = [];
        const lastAsked = new Map<string, number>();
        for (const { afterMs, monitors, said, reporter } of events) {
          now += afterMs;
          const probes = ['eu-1', 'us-1', 'sg-1'].filter((probe) => probe !== reporter);
          const doubts = monitors.map((place) =>
            doubt(`m${place % 300}`, now, { said, probes, region: reporter.slice(0, 2) }),
          );
          const causes = Map.groupBy([...state.waiting, ...doubts], (each) => each.monitor);
          const made = confirm(state, doubts, later, now);
          state = made.state;
          expect(state.waiting.length).toBeLessThanOrEqual(15);
          for (const look of made.looks) {
            grants.push(now);
            const raised = causes.get(look.monitor) ?? [];
            const last = raised.at(-1)?.said ?? '';
            const named = raised.flatMap((each) =>
              each.said === last && now - each.at < LATE_AFTER_MS ? each.probes : [],
            );
            for (const probe of look.probes) {
              expect(named).toContain(probe);
              const key = `${look.monitor} ${probe} ${last}`;
              expect(now - (lastAsked.get(key) ?? -Infinity)).toBeGreaterThanOrEqual(30_000);
              lastAsked.set(key, now);
            }
          }
        }
        for (const [i, from] of grants.entries()) {
          for (const [j, to] of grants.slice(i).entries()) {
            expect(j + 1).toBeLessThanOrEqual(BURST + (to - from) / 200);
          }
        }
      }),
    );
  });

  it('asks no more in a second when 10,000 monitors fail at once, in every region, again and again', () => {
    let state = nothingToConfirm;
    const perSecond = Array.from({ length: 60 }, (_, second) => {
      let asked = 0;
      for (const tick of [0, 250, 500, 750]) {
        const now = second * 1_000 + tick;
        const doubts = many(10_000, now);
        // Others come first each time.
        const made = confirm(state, [...doubts.slice(second), ...doubts.slice(0, second)], later, now);
        state = made.state;
        asked += made.looks.reduce((sum, { probes }) => sum + probes.length, 0);
        expect(state.quietUntil.size).toBeLessThanOrEqual((BURST + 5 * 60) * 2);
      }
      return asked;
    });
    const [first, ...rest] = perSecond;
    expect(first).toBeLessThanOrEqual((BURST + 5) * 2);
    expect(Math.max(...rest)).toBeLessThanOrEqual((5 + 1) * 2);
    expect(perSecond.reduce((a, b) => a + b)).toBeLessThanOrEqual((BURST + 5 * 60) * 2);
  }, 60_000);
});
