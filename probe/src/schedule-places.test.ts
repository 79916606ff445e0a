import { describe, expect, it } from 'vitest';
import { finish, make, many, seed, simulate, timed } from '../testing/simulate.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { maxAtOnce } from './places.ts';
import { asked, makeSchedule, type Schedule, type Start, turn } from './schedule.ts';

const hour = 3_600_000;

/** Looks that other regions ask for at these, and what starts at once. */
function looks(schedule: Schedule, ids: readonly string[], now: number): Start[] {
  return ids.flatMap((id) => {
    asked(schedule, [id], now);
    return turn(schedule, now).start;
  });
}

describe('what is missed', () => {
  it('at an address whose checks take all the time is laid to that, and nothing elsewhere', () => {
    const monitors = [...many(12, { host: 'hung' }), timed('s/n/other', { host: 'alive' })];
    const { missed } = simulate(make(monitors, 0), 0, 600_000, { says: () => 'fail', takesMs: () => 9_000 });
    expect(missed.length).toBeGreaterThan(100);
    expect(missed.every(({ id, busy }) => busy && id !== 's/n/other')).toBe(true);
  });

  it('by a late turn is laid to the probe, also where a check still runs', () => {
    const schedule = make([timed('s/n/c'), timed('s/n/d')], 0);
    const dueAt = schedule.entries.get('s/n/c')?.nextDueAt ?? 0;
    turn(schedule, dueAt);
    const { missed } = turn(schedule, dueAt + 19_000);
    expect(missed.filter(({ id }) => id === 's/n/c')).toEqual([
      { id: 's/n/c', dueAt: dueAt + 10_000, busy: false },
    ]);
  });
});

it('a scheduled check gets the place of another monitor’s recheck where all are taken', () => {
  const monitors = [...many(2, { host: 'h', intervalMs: hour }), timed('s/n/due', { host: 'h' })];
  const schedule = make(monitors, 0);
  const dueAt = schedule.entries.get('s/n/due')?.nextDueAt ?? 0;
  expect(looks(schedule, ['s/n/c0', 's/n/c1'], dueAt - 100)).toHaveLength(maxAtOnce);
  const { start, giveUp } = turn(schedule, dueAt);
  expect(start).toEqual([{ id: 's/n/due', dueAt, recheck: false }]);
  expect(giveUp).toHaveLength(1);
});

describe('a new assignment', () => {
  it('moves a monitor whose host has changed to the place of the new one', () => {
    const monitors = (host: string) => [
      ...many(2, { host: 'old', intervalMs: hour }),
      timed('s/n/moved', { host, intervalMs: hour }),
    ];
    const before = make(monitors('old'), 1);
    expect(looks(before, ['s/n/c0', 's/n/c1', 's/n/moved'], 2)).toHaveLength(maxAtOnce);
    const stays = makeSchedule(monitors('old'), seed, 'eu-1', 3, sha256, before);
    expect(turn(stays, 3).start).toEqual([]);
    const fresh = make(monitors('old'), 1);
    looks(fresh, ['s/n/c0', 's/n/c1'], 2);
    const after = makeSchedule(monitors('new'), seed, 'eu-1', 3, sha256, fresh);
    expect(looks(after, ['s/n/moved'], 4)).toHaveLength(1);
  });

  it('does not refill the budget', () => {
    const monitors = many(30, { intervalMs: hour });
    let schedule = make(monitors, 1);
    let looked = 0;
    for (const { id } of monitors) {
      for (const start of looks(schedule, [id], 1)) {
        looked += 1;
        finish(schedule, start.id, 'ok', 1);
      }
      schedule = makeSchedule(monitors, seed, 'eu-1', 1, sha256, schedule);
    }
    expect(looked).toBeLessThanOrEqual(10);
  });

  it('takes those that it takes away out of the line, also when they come back in another shape', () => {
    const shape = (intervalMs: number) => [
      ...many(2, { host: 'h', intervalMs: hour }),
      timed('s/n/gone', { host: 'h', intervalMs }),
    ];
    const before = make(shape(hour), 1);
    const holding = looks(before, ['s/n/c0', 's/n/c1', 's/n/gone'], 2);
    expect(holding).toHaveLength(maxAtOnce);
    const after = makeSchedule(shape(2 * hour), seed, 'eu-1', 3, sha256, before);
    for (const { id } of holding) finish(after, id, 'ok', 4);
    expect(turn(after, 4).start).toEqual([]);
  });
});

describe('looks of other regions', () => {
  it('leave half of the burst to rechecks of its own', () => {
    const monitors = many(30, { intervalMs: hour });
    const schedule = make(monitors, 1);
    const looked = looks(schedule, monitors.map(({ id }) => id), 1); // prettier-ignore
    expect(looked.length).toBeGreaterThan(0);
    expect(looked.length).toBeLessThanOrEqual(6);
    finish(schedule, 's/n/c29', 'ok', 2);
    finish(schedule, 's/n/c29', 'fail', 3);
    expect(turn(schedule, 1_003).start).toMatchObject([{ id: 's/n/c29', recheck: true }]);
  });

  it('do not take the place of a recheck that is planned', () => {
    const monitors = many(30, { intervalMs: hour });
    const schedule = make(monitors, 1);
    finish(schedule, 's/n/c29', 'ok', 1);
    finish(schedule, 's/n/c29', 'fail', 2);
    looks(schedule, monitors.map(({ id }) => id), 3); // prettier-ignore
    expect(turn(schedule, 1_002).start).toMatchObject([{ id: 's/n/c29', recheck: true }]);
  });
});
