import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '@highwater/config/keys.ts';
import { isDue, phaseMs } from '@highwater/config/proof/due.ts';
import {
  dueOf,
  finish,
  make,
  many,
  type Run,
  seed,
  simulate,
  timed,
  type World,
} from '../testing/simulate.ts';
import { maxAtOnce } from './places.ts';
import { asked, makeSchedule, maxMissed, type Start, type Timed, turn, wakeAt } from './schedule.ts';

describe('due times', () => {
  it('are those of the rule, each once, for any monitors and any start', () => {
    const interval = fc.constantFrom(1_000, 2_000, 30_000, 60_000, 7_777);
    fc.assert(
      fc.property(fc.array(interval, { minLength: 1, maxLength: 8 }), fc.nat(1e9), (intervals, now) => {
        const monitors = intervals.map((intervalMs, i) => timed(`s/n/c${i}`, { intervalMs }));
        const { starts, missed } = simulate(make(monitors, now), now, now + 120_000, () => 'ok');
        expect(missed).toEqual([]);
        for (const { id, intervalMs } of monitors) {
          const phase = phaseMs(seed, id, 'eu-1', intervalMs, sha256);
          const own = starts.filter((start) => start.id === id);
          expect(
            own.every((start) => isDue(start.dueAt, phase, intervalMs) && start.at === start.dueAt),
          ).toBe(true);
          expect(new Set(own.map((start) => start.dueAt)).size).toBe(own.length);
          expect(own.length).toBeGreaterThanOrEqual(Math.floor(120_000 / intervalMs));
        }
      }),
      { numRuns: 50 },
    );
  });

  it('go on undisturbed for monitors that an assignment keeps', () => {
    const schedule = make([timed('s/n/a'), timed('s/n/b')], 0);
    const dueAt = schedule.entries.get('s/n/a')?.nextDueAt;
    finish(schedule, 's/n/a', 'ok', 1);
    const monitors = [timed('s/n/a', { fall: 3 }), timed('s/n/c')];
    const after = makeSchedule(monitors, seed, 'eu-1', 5, sha256, schedule);
    expect(after.entries.get('s/n/a')).toMatchObject({
      settled: 'ok',
      nextDueAt: dueAt,
      timed: { fall: 3 },
    });
    expect(after.entries.get('s/n/c')?.settled).toBeUndefined();
    expect(after.entries.size).toBe(2);
  });

  it('are spread: ten thousand are all asked within one interval, at no more than 1.5 of the mean rate', () => {
    const monitors = Array.from({ length: 10_000 }, (_, i) => timed(`service-${i % 100}/node-${i}/http`));
    fc.assert(
      fc.property(fc.nat(1e9), fc.nat(1e9), (salt, now) => {
        const own = salt.toString(16).padStart(32, '0');
        const { starts, missed } = simulate(
          makeSchedule(monitors, own, 'eu-1', now, sha256),
          now,
          now + 10_000,
          () => 'ok',
        );
        expect(missed).toEqual([]);
        expect(new Set(starts.map(({ id }) => id)).size).toBe(10_000);
        const perSecond = new Map<number, number>();
        for (const { at } of starts) {
          const second = Math.floor((at - now - 1) / 1_000);
          perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
        }
        expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(1_500);
      }),
      { numRuns: 5 },
    );
  });
});

describe('a late turn', () => {
  const due = () => {
    const schedule = make([timed('s/n/c')], 0);
    return { schedule, dueAt: dueOf(schedule) };
  };
  it.each([
    [0, true],
    [5_000, true],
    [5_001, false],
    [9_999, false],
  ])('%i ms after the due time starts: %s', (lateMs, starts) => {
    const { schedule, dueAt } = due();
    const done = turn(schedule, dueAt + lateMs);
    expect(done.start.map((start) => start.dueAt)).toEqual(starts ? [dueAt] : []);
    expect(done.missed.map((missed) => missed.dueAt)).toEqual(starts ? [] : [dueAt]);
    expect(wakeAt(schedule)).toBe(dueAt + 10_000);
  });

  it('writes what was missed in a sleep, a bounded number of them, and goes on with the newest', () => {
    const { schedule, dueAt } = due();
    const done = turn(schedule, dueAt + 1_000_000 + 100);
    expect(done.start.map((start) => start.dueAt)).toEqual([dueAt + 1_000_000]);
    expect(done.missed).toHaveLength(maxMissed);
    expect(done.missed.at(-1)?.dueAt).toBe(dueAt + 990_000);
  });

  it('finds its way when the wall clock goes back by more than an interval', () => {
    const { schedule, dueAt } = due();
    turn(schedule, dueAt + 3_600_000);
    turn(schedule, dueAt + 1);
    expect(wakeAt(schedule)).toBe(dueAt + 10_000);
  });
});

it('a check that still runs is not started again: its due time is skipped', () => {
  const schedule = make([timed('s/n/c')], 0);
  const dueAt = dueOf(schedule);
  turn(schedule, dueAt);
  const next = turn(schedule, dueAt + 10_000);
  expect(next.start).toEqual([]);
  expect(next.missed).toEqual([{ id: 's/n/c', dueAt: dueAt + 10_000, busy: true }]);
  finish(schedule, 's/n/c', 'ok', dueAt + 10_001);
  expect(turn(schedule, dueAt + 20_000).start).toHaveLength(1);
});

describe('rechecks', () => {
  const run = (
    fall: number,
    says: (start: Start, at: number) => 'ok' | 'fail' | undefined,
    more: Partial<Timed> = {},
  ) => simulate(make([timed('s/n/c', { fall, ...more })], 0), 0, 100_000, says).starts;

  it('come after a contradiction, at most fall - 1 in a turn', () => {
    for (const fall of [1, 2, 3, 5]) {
      let answers = 0;
      const starts = run(fall, () => (answers++ < 3 ? 'ok' : 'fail'));
      expect(starts.filter((start) => start.recheck)).toHaveLength(fall - 1);
    }
  });

  it('have their own time, after the answer', () => {
    let answers = 0;
    const starts = run(2, () => (answers++ === 0 ? 'ok' : 'fail'));
    const [, failing, recheck] = starts;
    expect(recheck).toMatchObject({ recheck: true, dueAt: (failing?.at ?? 0) + 1_000 });
  });

  it('are not made when the scheduled check comes first', () => {
    let answers = 0;
    const starts = run(3, () => (answers++ === 0 ? 'ok' : 'fail'), { recheckAfterMs: 10_000 });
    expect(starts.some((start) => start.recheck)).toBe(false);
  });

  it('are not made for an answer that says nothing of the target', () => {
    let answers = 0;
    expect(run(2, () => (answers++ === 0 ? 'ok' : undefined)).some((start) => start.recheck)).toBe(false);
  });

  it('never change what is scheduled, whatever is answered', () => {
    const said = fc.constantFrom<'ok' | 'fail' | undefined>('ok', 'fail', undefined);
    fc.assert(
      fc.property(
        fc.array(said, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 4 }),
        (answers, fall) => {
          let i = 0;
          const monitors = ['a', 'b', 'c'].map((check) => timed(`s/n/${check}`, { fall, intervalMs: 5_000 }));
          const run = (says: World['says']) =>
            simulate(make(monitors, 0), 0, 100_000, says).starts.filter((start) => !start.recheck);
          expect(run(() => answers[i++ % answers.length])).toEqual(run(() => 'ok'));
        },
      ),
    );
  });

  it('are given up when the scheduled check comes', () => {
    let answers = 0;
    const world: World = {
      says: () => (answers++ === 0 ? 'ok' : 'fail'),
      takesMs: ({ recheck }) => (recheck ? 60_000 : 10),
    };
    const { starts, missed } = simulate(make([timed('s/n/c')], 0), 0, 40_000, world);
    const recheck = starts.find((start) => start.recheck);
    expect(recheck).toMatchObject({ givenUp: true });
    expect(starts.filter((start) => !start.recheck).map((start) => start.at)).toContain(recheck?.endedAt);
    expect(missed).toEqual([]);
  });
});

/** Of what was started within any ten seconds. */
function mostInTenSeconds(starts: readonly Run[]): number {
  const times = starts.map((start) => start.at).sort((a, b) => a - b);
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while ((times[to] ?? 0) - (times[from] ?? 0) >= 10_000) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

describe('the budget for what is not scheduled', () => {
  it('keeps an outage of everything within 1.2 of before in any ten seconds, also when other regions ask', () => {
    for (const [intervalMs, recheckAfterMs] of [
      [10_000, 1_000],
      [30_000, 5_000],
    ] as const) {
      const schedule = make(many(5_000, { intervalMs, fall: 5, recheckAfterMs }), 0);
      const before = simulate(schedule, 0, intervalMs * 2, () => 'ok').starts;
      let second = 0;
      const says = (_: Start, at: number) => {
        if (at < second + 1_000) return 'fail' as const;
        second = at;
        asked(schedule, many(100).map(({ id }) => id), at); // prettier-ignore
        return 'fail' as const;
      };
      const { starts, missed } = simulate(schedule, intervalMs * 2, intervalMs * 8, says);
      expect(missed).toEqual([]);
      expect(starts.some((start) => start.recheck)).toBe(true);
      expect(mostInTenSeconds(starts)).toBeLessThanOrEqual(1.2 * mostInTenSeconds(before));
    }
  });

  it('has room for every single failure, at any time', () => {
    const monitors = many(1_000);
    let failing = 0;
    // One in a hundred of all answers: what public endpoints do on a bad day.
    const says = ({ id, recheck }: Start, at: number) => {
      const fails = !recheck && at > 10_000 && (at + Number(id.slice(5)) * 7) % 100 === 0;
      failing += Number(fails);
      return fails ? ('fail' as const) : ('ok' as const);
    };
    const { starts } = simulate(make(monitors, 0), 0, 120_000, says);
    expect(failing).toBeGreaterThan(100);
    const rechecks = starts.filter((start) => start.recheck).length;
    // Those that failed last have their recheck after the end.
    expect(failing - rechecks).toBeLessThanOrEqual(5);
  });
});

describe('asked to look now', () => {
  it('looks at what is known, does not run, and is not due anyway', () => {
    const schedule = make([timed('s/n/a'), timed('s/n/b', { intervalMs: 3_600_000 })], 0);
    const dueAt = schedule.entries.get('s/n/a')?.nextDueAt ?? 0;
    asked(schedule, ['s/n/a', 's/n/b', 's/n/b', 'x/y/z'], dueAt - 500);
    expect(turn(schedule, dueAt - 500).start).toEqual([{ id: 's/n/b', dueAt: dueAt - 500, recheck: true }]);
    asked(schedule, ['s/n/b'], dueAt - 400);
    expect(turn(schedule, dueAt - 400).start).toEqual([]);
    finish(schedule, 's/n/b', 'fail', dueAt - 300);
    asked(schedule, ['s/n/b'], dueAt - 200);
    expect(turn(schedule, dueAt - 200).start).toHaveLength(1);
  });

  it('costs no more than the budget, however often', () => {
    const schedule = make(many(100, { intervalMs: 60_000 }), 0);
    const ids = many(100).map(({ id }) => id);
    let looked = 0;
    for (let now = 1; now <= 30_001; now += 10) {
      asked(schedule, ids, now);
      for (const { id, recheck } of turn(schedule, now).start) {
        looked += Number(recheck);
        finish(schedule, id, 'ok', now);
      }
    }
    expect(looked).toBeGreaterThan(0);
    expect(looked).toBeLessThanOrEqual(10 + 5);
  });
});

describe('places', () => {
  const runsAt = (starts: readonly Run[], at: number, place: (run: Run) => string) => {
    const counts = new Map<string, number>();
    for (const run of starts) {
      if (run.at <= at && at < run.endedAt) counts.set(place(run), (counts.get(place(run)) ?? 0) + 1);
    }
    return counts;
  };
  const world = fc.record({
    hosts: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 12 }),
    salt: fc.nat(1e6),
    slowest: fc.constantFrom(10, 3_000, 9_000, 25_000),
  });
  // Deterministic and different for each run of each monitor.
  const roll = (salt: number, { id, dueAt }: Start) =>
    (dueAt * 31 + Number(id.slice(5)) * 7_919 + salt) % 997;

  it('are asked by at most two at once, no monitor overlaps with itself, and each due time is told once', () => {
    fc.assert(
      fc.property(world, ({ hosts, count, salt, slowest }) => {
        const monitors = Array.from({ length: count }, (_, i) =>
          timed(`s/n/c${i}`, { host: `h${i % hosts}` }),
        );
        const { starts, missed } = simulate(make(monitors, 0), 0, 200_000, {
          says: (run) => (roll(salt, run) % 3 === 0 ? 'fail' : 'ok'),
          takesMs: (run) => Math.ceil((1 + roll(salt + 1, run)) * (slowest / 997)),
        });
        const hostOf = ({ id }: Start) => `h${Number(id.slice(5)) % hosts}`;
        for (const { at } of starts) {
          expect(Math.max(...runsAt(starts, at, hostOf).values())).toBeLessThanOrEqual(maxAtOnce);
          expect(Math.max(...runsAt(starts, at, ({ id }) => id).values())).toBe(1);
        }
        for (const { id } of monitors) {
          const told = [...starts.filter((run) => !run.recheck), ...missed].filter((each) => each.id === id);
          const times = told.map((each) => each.dueAt).sort((a, b) => a - b);
          expect(new Set(times).size).toBe(times.length);
          // The last ones may still wait.
          expect(times.length).toBeGreaterThanOrEqual(19);
          for (const [i, at] of times.entries()) expect(at - (times[0] ?? 0)).toBe(i * 10_000);
        }
        for (const run of starts.filter(({ recheck }) => !recheck))
          expect(run.at - run.dueAt).toBeLessThanOrEqual(5_000);
      }),
      { numRuns: 60 },
    );
  });

  it('that hang delay nobody elsewhere', () => {
    const monitors = [...many(6, { host: 'dead' }), timed('s/n/other', { host: 'alive' })];
    const { starts } = simulate(make(monitors, 0), 0, 100_000, {
      says: () => 'ok',
      takesMs: ({ id }) => (id === 's/n/other' ? 5 : 9_999),
    });
    const own = starts.filter(({ id }) => id === 's/n/other');
    expect(own).toHaveLength(10);
    expect(own.every((run) => run.at === run.dueAt)).toBe(true);
  });

  it('that have too little time for all give each its turn', () => {
    const monitors = many(9, { host: 'slow' });
    const { starts } = simulate(make(monitors, 0), 0, 600_000, { says: () => 'ok', takesMs: () => 5_000 });
    const turns = monitors.map(({ id }) => starts.filter((run) => run.id === id).length);
    expect(Math.min(...turns)).toBeGreaterThan(5);
  });

  it('are one place for two names of one address, once that is known', () => {
    const monitors = Array.from({ length: 6 }, (_, i) => timed(`s/n/c${i}`, { host: `name-${i}` }));
    const { starts } = simulate(make(monitors, 0), 0, 60_000, {
      says: () => 'ok',
      takesMs: () => 9_000,
      address: () => '192.0.2.1',
    });
    const late = starts.filter(({ at }) => at >= 20_000);
    expect(late.length).toBeGreaterThan(5);
    for (const { at } of late) expect(runsAt(starts, at, () => '').get('')).toBeLessThanOrEqual(maxAtOnce);
  });

  it('keep those that a new assignment takes away until they end', () => {
    const before = make(many(2, { host: 'h' }), 0);
    const started = turn(before, 10_000).start.map(({ id }) => id);
    expect(started).not.toHaveLength(0);
    const hold = makeSchedule(many(2, { host: 'h' }), seed, 'eu-1', 10_000, sha256, before);
    turn(hold, 15_000);
    const monitors = [timed('s/n/new', { host: 'h' })];
    const schedule = makeSchedule(monitors, seed, 'eu-1', 10_000, sha256, hold);
    const dueAt = dueOf(schedule);
    const asking = schedule.places.asking.size;
    const first = turn(schedule, dueAt).start;
    expect(first).toHaveLength(asking < maxAtOnce ? 1 : 0);
    for (const id of schedule.places.asking.keys()) finish(schedule, id, 'ok', dueAt + 1);
    expect(first.length + turn(schedule, dueAt + 1).start.length).toBe(1);
  });
});
