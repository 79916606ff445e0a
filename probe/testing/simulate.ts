/** A schedule in simulated time. */
import { sha256 } from '@highwater/config/keys.ts';
import {
  answered,
  ended,
  makeSchedule,
  type Missed,
  type Schedule,
  type Start,
  type Timed,
  turn,
  wakeAt,
} from '../src/schedule.ts';

export const seed = '00112233445566778899aabbccddeeff';
export const timed = (id: string, more: Partial<Timed> = {}): Timed => ({
  id,
  intervalMs: 10_000,
  recheckAfterMs: 1_000,
  fall: 2,
  host: `${id.replaceAll('/', '.')}.example`,
  port: 443,
  ...more,
});
export const make = (monitors: readonly Timed[], now: number) =>
  makeSchedule(monitors, seed, 'eu-1', now, sha256);

export const many = (count: number, more: Partial<Timed> = {}) =>
  Array.from({ length: count }, (_, i) => timed(`s/n/c${i}`, more));

/** What a check says, and how long it takes: 0 by default. */
export type Said = 'ok' | 'fail' | undefined;
export interface World {
  readonly says: (start: Start, at: number) => Said;
  readonly takesMs?: (start: Start, at: number) => number;
  /** What the host stands for. */
  readonly address?: (start: Start) => string | undefined;
}
export interface Run extends Start {
  readonly at: number;
  /** Infinity while it runs. */
  endedAt: number;
  givenUp: boolean;
}

/** Runs the schedule in simulated time. */
export function simulate(schedule: Schedule, from: number, to: number, world: World | World['says']) {
  const { says, takesMs, address }: World = typeof world === 'function' ? { says: world } : world;
  const starts: Run[] = [];
  const missed: Missed[] = [];
  const running = new Map<Run, number>();
  let now = from;
  const end = (run: Run) => {
    running.delete(run);
    run.endedAt = now;
    ended(schedule, run.id, address?.(run));
    answered(schedule, run.id, says(run, run.at), now);
  };
  for (;;) {
    const next = Math.min(wakeAt(schedule) ?? Infinity, ...running.values());
    if (next > to) return { starts, missed, schedule };
    now = Math.max(now, next);
    for (const [run, until] of running) if (until <= now) end(run);
    const done = turn(schedule, now);
    missed.push(...done.missed);
    for (const id of done.giveUp) {
      const run = [...running.keys()].find((each) => each.id === id && each.recheck);
      if (!run) throw new Error(`${id} has no recheck to give up`);
      running.delete(run);
      Object.assign(run, { endedAt: now, givenUp: true });
    }
    for (const start of done.start) {
      const run: Run = { ...start, at: now, endedAt: Infinity, givenUp: false };
      starts.push(run);
      const ms = takesMs?.(run, now) ?? 0;
      if (ms > 0) running.set(run, now + ms);
      else end(run);
    }
  }
}

/** The only monitor's next due time. */
export const dueOf = (schedule: Schedule) => schedule.due.peek()?.nextDueAt ?? Number.NaN;

/** A check has ended and its answer is known at once. */
export function finish(schedule: Schedule, id: string, said: Said, now: number): void {
  ended(schedule, id);
  answered(schedule, id, said, now);
}
