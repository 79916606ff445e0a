/**
 * Days of slots as benches fill stores with them, fixed by their seed: two requests a minute from each of five regions, of
 * which 1 % fail by themselves (observations.ts); about twice a month a monitor is down for half an hour everywhere, and
 * once a day on average a region tells nothing for some minutes.
 */
import { byteOf } from '../../collector/src/slots/byte.ts';
import { withRequests, type DayRuns } from '../../collector/src/slots/day.ts';
import { appendRun, type Runs, trimmed } from '../../collector/src/slots/runs.ts';
import { symbolOf } from '../../collector/src/slots/symbol.ts';
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { randomFrom } from './observations.ts';

export const REGIONS = ['r0', 'r1', 'r2', 'r3', 'r4'] as const;
export const REQUESTS_A_MINUTE = 2;
const FAILS = 0.01;
const OUTAGES_A_DAY = 1 / 15;
const SILENCES_A_DAY = 1;

const plain = { degraded: false, maintenance: false, stalled: false } as const;
const up = byteOf({ state: 'up', ...plain });
const down = byteOf({ state: 'down', ...plain });
const silent = byteOf({ state: 'unknown', cause: 'no-data', ...plain });

const UP = symbolOf(up, REQUESTS_A_MINUTE, 0);
const ONE_FAILED = symbolOf(up, REQUESTS_A_MINUTE, 1);
const ALL_FAILED = symbolOf(down, REQUESTS_A_MINUTE, REQUESTS_A_MINUTE);
const SILENT = symbolOf(silent, 0, 0);

/** A stretch of the day, or none. */
function stretch(random: () => number, aDay: number, minutes: number): readonly [number, number] {
  if (random() >= aDay) return [0, 0];
  const from = Math.floor(random() * (MINUTES_PER_DAY - minutes));
  return [from, from + 1 + Math.floor(random() * minutes)];
}

function region(random: () => number, outage: readonly [number, number], minutes: number): Runs {
  const [from, to] = stretch(random, SILENCES_A_DAY, 20);
  const runs: Runs = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const chance = random();
    if (minute >= from && minute < to) appendRun(runs, SILENT);
    else if (minute >= outage[0] && minute < outage[1]) appendRun(runs, ALL_FAILED);
    else if (chance < FAILS ** 2) appendRun(runs, ALL_FAILED);
    else appendRun(runs, chance < 2 * FAILS ? ONE_FAILED : UP);
  }
  return trimmed(runs);
}

function agreed(outage: readonly [number, number], minutes: number): Runs {
  const runs: Runs = [];
  appendRun(runs, up, Math.min(outage[0], minutes));
  appendRun(runs, down, Math.min(outage[1], minutes) - Math.min(outage[0], minutes));
  appendRun(runs, up, minutes - Math.min(outage[1], minutes));
  return trimmed(runs);
}

/** A day of one monitor up to a minute: the agreed plane, without its regions' requests, and theirs. */
export function dayOfSlots(seed: number, minutes = MINUTES_PER_DAY): DayRuns {
  const random = randomFrom(seed);
  const outage = stretch(random, OUTAGES_A_DAY, 60);
  const planes = new Map<string, Runs>([['', agreed(outage, minutes)]]);
  for (const name of REGIONS) {
    // Each from its own, so that the first half of a day is the half of the whole one.
    planes.set(name, region(randomFrom(Math.floor(random() * 4_294_967_296)), outage, minutes));
  }
  return planes;
}

/** With the requests of the regions in the agreed plane, as they are counted. */
export function counted(planes: DayRuns): DayRuns {
  return new Map(
    [...planes].map(([name, runs]) => [name, name === '' ? withRequests(runs, planes) : runs] as const),
  );
}
