/** Minutes of a made-up month, from which totals, days and outages of the sample are added up: they agree by construction. */
import { MINUTES_PER_DAY } from '../../time.ts';
import type { CountedService, ReportTotals } from '../counted.ts';

export const FIRST_MINUTE = Date.UTC(2026, 9, 1) / 60_000;
export const DAYS = 31;

type State = 'up' | 'down' | 'stalled' | 'noData' | 'split' | 'probe' | 'clock' | 'absent';

/** Over all minutes of a subject from `at` on: what it was, or that it was degraded or in maintenance. */
export interface Stretch {
  readonly is: State | 'degraded' | 'maintenance';
  /** Day of the month and minute of the day. */
  readonly at: readonly [day: number, minute: number];
  readonly minutes: number;
}

export type SampleMinutes = ReturnType<typeof sampleMinutes>;

export function minuteAt([day, minute]: readonly [number, number]): number {
  return FIRST_MINUTE + (day - 1) * MINUTES_PER_DAY + minute;
}

/** @param perMinute requests of a minute that is known: all succeed where it is up, a third where it is down. */
export function sampleMinutes(stretches: readonly Stretch[], perMinute: number) {
  const all = DAYS * MINUTES_PER_DAY;
  const state = Array.from({ length: all }, (): State => 'up');
  const degraded = new Set<number>();
  const maintenance = new Set<number>();
  for (const { is, at, minutes } of stretches) {
    const first = minuteAt(at) - FIRST_MINUTE;
    for (let i = first; i < first + minutes; i += 1) {
      if (is === 'degraded') degraded.add(i);
      else if (is === 'maintenance') maintenance.add(i);
      else state[i] = is;
    }
  }

  function totals(): ReportTotals {
    const [outside, inside] = [emptyCounts(), emptyCounts()];
    let inMaintenance = 0;
    for (const [i, is] of state.entries()) {
      if (is === 'absent') continue;
      if (maintenance.has(i)) inMaintenance += 1;
      add(maintenance.has(i) ? inside : outside, is, degraded.has(i), perMinute);
    }
    return { ...outside, maintenance: inMaintenance, inMaintenance: inside };
  }

  function days(): CountedService['days'][number]['days'] {
    return Array.from({ length: DAYS }, (_, day) => {
      const own = { up: 0, down: 0, unknown: 0, maintenance: 0, stalled: 0, degraded: 0 };
      for (let i = day * MINUTES_PER_DAY; i < (day + 1) * MINUTES_PER_DAY; i += 1) {
        const is = state[i] ?? 'absent';
        if (is === 'absent') continue;
        if (maintenance.has(i)) own.maintenance += 1;
        else own[is === 'up' || is === 'down' || is === 'stalled' ? is : 'unknown'] += 1;
        if (is === 'up' && degraded.has(i) && !maintenance.has(i)) own.degraded += 1;
      }
      return [own.up, own.down, own.unknown, own.maintenance, own.stalled, own.degraded];
    });
  }

  function outages(subject: string): CountedService['outages'] {
    const found: { subject: string; firstMinute: number; minutes: number }[] = [];
    let open: (typeof found)[number] | undefined;
    for (const [i, is] of state.entries()) {
      if (is !== 'down' || maintenance.has(i)) {
        open = undefined;
        continue;
      }
      if (open === undefined) {
        open = { subject, firstMinute: FIRST_MINUTE + i, minutes: 0 };
        found.push(open);
      }
      open.minutes += 1;
    }
    return found;
  }

  return { totals, days, outages, minutes: state.filter((is) => is !== 'absent').length };
}

function emptyCounts() {
  return {
    up: 0,
    down: 0,
    unknown: 0,
    stalled: 0,
    degraded: 0,
    unknownNoData: 0,
    unknownSplit: 0,
    unknownProbe: 0,
    unknownClock: 0,
    requests: 0,
    succeeded: 0,
  };
}

function add(
  into: ReturnType<typeof emptyCounts>,
  is: Exclude<State, 'absent'>,
  degraded: boolean,
  perMinute: number,
): void {
  if (is === 'stalled') into.stalled += 1;
  else if (is === 'up' || is === 'down') {
    into[is] += 1;
    into.requests += perMinute;
    into.succeeded += is === 'up' ? perMinute : Math.floor(perMinute / 3);
    if (is === 'up' && degraded) into.degraded += 1;
  } else {
    into.unknown += 1;
    into[`unknown${is[0]?.toUpperCase() ?? ''}${is.slice(1)}` as 'unknownNoData'] += 1;
  }
}
