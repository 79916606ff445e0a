import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueOf, finish, make, many, simulate, timed } from '../testing/simulate.ts';
import { maxAtOnce } from './places.ts';
import { type Start, turn } from './schedule.ts';

describe('a wall clock that goes back', () => {
  it('by steps within an interval takes no due time twice, whether checks have ended or not', () => {
    const steps = fc.array(
      fc.record({ afterMs: fc.integer({ min: 1, max: 30_000 }), backMs: fc.integer({ min: 1, max: 9_999 }) }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 2, 700, 9_000), fc.nat(1e6), (all, takesMs, from) => {
        const monitors = [timed('s/n/c0', { host: 'h' }), timed('s/n/c1', { host: 'h' }), timed('s/n/c2')];
        const schedule = make(monitors, 1e12 + from);
        const told: string[] = [];
        const ends: { id: string; at: number }[] = [];
        let now = 1e12 + from;
        let passed = 0;
        let newest = now;
        for (const { afterMs, backMs } of all) {
          for (let ms = 0; ms < afterMs; ms += 250, now += 250, passed += 250) {
            for (const ended of ends.splice(0)) {
              if (ended.at > passed) ends.push(ended);
              else finish(schedule, ended.id, 'ok', now);
            }
            const { start, missed } = turn(schedule, now);
            for (const { id, dueAt } of [...start, ...missed]) told.push(`${id} ${dueAt}`);
            for (const { id } of start) ends.push({ id, at: passed + takesMs });
          }
          newest = Math.max(newest, now);
          // In sum no more than an interval behind where it was.
          now = Math.max(now - backMs, newest - 9_999);
        }
        expect(told.filter((each, i) => told.indexOf(each) !== i)).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('by a millisecond leaves a recheck where it is', () => {
    const schedule = make([timed('s/n/c')], 0);
    const dueAt = dueOf(schedule);
    turn(schedule, dueAt);
    finish(schedule, 's/n/c', 'ok', dueAt + 1);
    turn(schedule, dueAt + 10_000);
    finish(schedule, 's/n/c', 'fail', dueAt + 10_001);
    turn(schedule, dueAt + 10_000);
    expect(turn(schedule, dueAt + 11_001).start).toMatchObject([{ recheck: true }]);
  });

  it.each([0, 1_000, 3_000, 5_000, 8_000])('by an hour and %i ms asks each when it is due then', (moreMs) => {
    const monitors = many(10);
    const ahead = 4_000_000;
    const schedule = make(monitors, ahead);
    const back = ahead - 3_600_000 - moreMs;
    turn(schedule, back);
    const { starts } = simulate(schedule, back, back + 10_000, () => 'ok');
    expect(starts.map(({ at, dueAt }) => at - dueAt)).toEqual(Array(10).fill(0));
  });

  it('by an hour asks in the new order, and forgets who stood in line for times that are far ahead', () => {
    const monitors = [...many(3, { host: 'h' }), timed('s/n/slow', { intervalMs: 7_200_000 })];
    const ahead = 3_600_000;
    const schedule = make(monitors, ahead);
    const started: Start[] = [];
    const waits = () => [...schedule.entries.values()].some((entry) => entry.waiting);
    for (let now = ahead; !waits(); now += 10) started.push(...turn(schedule, now).start);
    expect(started).toHaveLength(maxAtOnce);
    const back = 10_000;
    turn(schedule, back);
    expect(schedule.due.peek()?.nextDueAt).toBe(
      Math.min(...[...schedule.entries.values()].map((entry) => entry.nextDueAt)),
    );
    for (const { id } of started) finish(schedule, id, 'ok', back);
    expect(turn(schedule, back + 1).start).toEqual([]);
    const starts = simulate(schedule, back + 1, back + 10_001, () => 'ok').starts.map(({ id }) => id);
    expect(starts.toSorted()).toEqual(['s/n/c0', 's/n/c1', 's/n/c2']);
  });
});
