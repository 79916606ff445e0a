import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '@highwater/config/keys.ts';
import { isDue, phaseMs } from '@highwater/config/proof/due.ts';
import {
  answered,
  makeSchedule,
  maxMissed,
  type Schedule,
  type Start,
  type Timed,
  turn,
  wakeAt,
} from './schedule.ts';

const seed = '00112233445566778899aabbccddeeff';
const timed = (id: string, more: Partial<Timed> = {}): Timed => ({
  id,
  intervalMs: 10_000,
  recheckAfterMs: 1_000,
  fall: 2,
  ...more,
});
const make = (monitors: readonly Timed[], now: number) => makeSchedule(monitors, seed, 'eu-1', now, sha256);

/** Runs the schedule in simulated time; checks end at once with what `says` gives. */
function simulate(
  first: Schedule,
  from: number,
  to: number,
  says: (start: Start, at: number) => 'ok' | 'fail' | undefined,
) {
  const starts: (Start & { at: number })[] = [];
  const missed: { id: string; dueAt: number }[] = [];
  let schedule = first;
  let now = from;
  for (;;) {
    const next = wakeAt(schedule);
    if (next === undefined || next > to) return { starts, missed, schedule };
    now = Math.max(now, next);
    const done = turn(schedule, now);
    schedule = done.schedule;
    missed.push(...done.missed);
    for (const start of done.start) {
      starts.push({ ...start, at: now });
      schedule = answered(schedule, start.id, says(start, now), start.recheck, now);
    }
  }
}

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
    const before = make([timed('s/n/a'), timed('s/n/b')], 0);
    const settled = answered(before, 's/n/a', 'ok', false, 1);
    const after = makeSchedule(
      [timed('s/n/a', { fall: 3 }), timed('s/n/c')],
      seed,
      'eu-1',
      5,
      sha256,
      settled,
    );
    expect(after.entries[0]).toMatchObject({
      settled: 'ok',
      fall: 3,
      nextDueAt: before.entries[0]?.nextDueAt,
    });
    expect(after.entries[1]).not.toHaveProperty('settled');
  });
});

describe('a late turn', () => {
  const schedule = make([timed('s/n/c')], 0);
  const dueAt = schedule.entries[0]?.nextDueAt ?? 0;
  it.each([
    [0, true],
    [5_000, true],
    [5_001, false],
    [9_999, false],
  ])('%i ms after the due time starts: %s', (lateMs, starts) => {
    const done = turn(schedule, dueAt + lateMs);
    expect(done.start.map((start) => start.dueAt)).toEqual(starts ? [dueAt] : []);
    expect(done.missed.map((missed) => missed.dueAt)).toEqual(starts ? [] : [dueAt]);
    expect(wakeAt(done.schedule)).toBe(dueAt + 10_000);
  });

  it('writes what was missed in a sleep, a bounded number of them, and goes on with the newest', () => {
    const done = turn(schedule, dueAt + 1_000_000 + 100);
    expect(done.start.map((start) => start.dueAt)).toEqual([dueAt + 1_000_000]);
    expect(done.missed).toHaveLength(maxMissed);
    expect(done.missed.at(-1)?.dueAt).toBe(dueAt + 990_000);
  });

  it('finds its way when the wall clock goes back', () => {
    const later = turn(schedule, dueAt + 3_600_000).schedule;
    const back = turn(later, dueAt + 1);
    expect(wakeAt(back.schedule)).toBe(dueAt + 10_000);
  });
});

it('a check that still runs is not started again: its due time is skipped', () => {
  const schedule = make([timed('s/n/c')], 0);
  const dueAt = schedule.entries[0]?.nextDueAt ?? 0;
  const started = turn(schedule, dueAt).schedule;
  const next = turn(started, dueAt + 10_000);
  expect(next.start).toEqual([]);
  expect(next.missed).toEqual([{ id: 's/n/c', dueAt: dueAt + 10_000 }]);
  const ended = answered(next.schedule, 's/n/c', 'ok', false, dueAt + 10_001);
  expect(turn(ended, dueAt + 20_000).start).toHaveLength(1);
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
          const plain = simulate(make(monitors, 0), 0, 100_000, () => 'ok').starts;
          const mixed = simulate(make(monitors, 0), 0, 100_000, () => answers[i++ % answers.length]).starts;
          expect(mixed.filter((start) => !start.recheck)).toEqual(plain);
        },
      ),
    );
  });

  it('cost an outage of everything a bounded amount', () => {
    const monitors = Array.from({ length: 2_000 }, (_, i) =>
      timed(`s/n/c${i}`, { intervalMs: 30_000, fall: 5 }),
    );
    let down = false;
    const says = () => (down ? ('fail' as const) : ('ok' as const));
    const up = simulate(make(monitors, 0), 0, 30_000, says);
    down = true;
    const { starts } = simulate(up.schedule, 30_000, 60_000, says);
    const rechecks = starts.filter((start) => start.recheck).length;
    expect(rechecks).toBeGreaterThan(0);
    expect(rechecks).toBeLessThanOrEqual(420);
  });
});
