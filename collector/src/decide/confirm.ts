/**
 * Whom to ask to look now: when what one region sees contradicts a verdict, the other regions' probes are asked, so that
 * a quorum forms within a second or two and not within an interval. From a budget that is constant, whatever fails:
 * ARCHITECTURE "What must always hold" 9. What it does not reach in time is dropped: the scheduled checks find it too.
 * Regions take turns at it, so that one whose network is sick, or whose key is in wrong hands, does not spend it all.
 */
import type { Status } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Answer, MonitorPolicy } from './types.ts';

/** One monitor in so long, ms: five a second for the whole collector. */
const EACH_MS = 200;
/** After a quiet time so many at once: what fits into one answer to a probe. */
export const BURST = 20;
/** A request to look that is later than this after what caused it is worthless, ms. */
export const LATE_AFTER_MS = 3_000;
/** So many can be let through before they are late. */
const MAX_WAITING = LATE_AFTER_MS / EACH_MS;
/** A probe whose own check is due within this is not asked, ms. */
const DUE_SOON_MS = 2_000;
/** A probe is not asked the same within an interval of the monitor, nor, where that is longer, within this, ms. */
const MAX_QUIET_MS = 60_000;

type Says = 'ok' | 'fail';

/** One region contradicts the verdict of a monitor. */
export interface Doubt {
  readonly monitor: string;
  /** That of the probe that contradicts. */
  readonly region: string;
  readonly said: Says;
  /** When it was noticed. */
  readonly at: Instant;
  readonly intervalMs: number;
  /** Probes of the other regions that have not said the same. */
  readonly probes: readonly string[];
}

export interface Look {
  readonly monitor: string;
  readonly probes: readonly string[];
}

/** Need not be kept: a request that is lost costs an interval at most. */
export interface Confirming {
  /** Until when the budget is spent; at most BURST times EACH_MS ahead. */
  readonly spentUntil: Instant;
  /** What the budget was too small for; one for each monitor and region, those of a region oldest first. */
  readonly waiting: readonly Doubt[];
  /** Regions whose doubts were let through, the longest ago first. */
  readonly served: readonly string[];
  /** By monitor, probe and what was to be confirmed: when it may be asked again. */
  readonly quietUntil: ReadonlyMap<string, Instant>;
}

export const nothingToConfirm: Confirming = {
  spentUntil: 0,
  waiting: [],
  served: [],
  quietUntil: new Map(),
};

const saysOf = ({ outcome }: Answer): Says => (outcome === 'fail' ? 'fail' : 'ok');

/** Whether this is what a probe says already; after a silence longer than `freshMs` it says nothing. */
function hasSaid(policy: MonitorPolicy, newest: Answer | undefined, said: Says, now: Instant): boolean {
  return newest !== undefined && now - newest.receivedAt < policy.freshMs && saysOf(newest) === said;
}

/** Whether an answer is another than its probe gave before. */
export function isTurn(policy: MonitorPolicy, before: Answer | undefined, answer: Answer): boolean {
  if (before !== undefined && answer.dueAt < before.dueAt) return false;
  return !hasSaid(policy, before, saysOf(answer), answer.receivedAt);
}

/** What is known of the monitor of an answer that turned. */
export interface Known {
  readonly policy: MonitorPolicy;
  readonly intervalMs: number;
  readonly recheckAfterMs: number;
  /** The verdict with that answer in it. */
  readonly status: Status;
  /** By probe. */
  readonly newest: Readonly<Record<string, Answer | undefined>>;
  /** The region of each enrolled probe. */
  readonly regionOf: ReadonlyMap<string, string>;
}

/** The doubt that such an answer raises; undefined when it has no say, the verdict says the same, or nobody else can tell. */
export function doubtOf(known: Known, answer: Answer, now: Instant): Doubt | undefined {
  const { policy, intervalMs, recheckAfterMs, status, newest, regionOf } = known;
  const said = saysOf(answer);
  if (!policy.regions.includes(answer.region)) return undefined;
  if (said === 'fail' ? status === 'down' : status !== 'down') return undefined;
  // Checks that often need no help: the other regions look within two rechecks anyway.
  if (intervalMs <= 2 * recheckAfterMs) return undefined;
  const probes = [...regionOf].flatMap(([probe, region]) => {
    const isOther = region !== answer.region && policy.regions.includes(region);
    return isOther && !hasSaid(policy, newest[probe], said, answer.receivedAt) ? [probe] : [];
  });
  if (probes.length === 0) return undefined;
  return { monitor: policy.id, region: answer.region, said, at: now, intervalMs, probes };
}

export interface Confirmed {
  readonly state: Confirming;
  readonly looks: readonly Look[];
  /** Doubts that nobody is asked about for want of budget. */
  readonly dropped: number;
}

/**
 * Takes new doubts in and lets through what the budget allows, of each region in turn its oldest.
 * @param dueAt when a probe's next scheduled check of a monitor is due, on the same clock as `now`
 */
export function confirm(
  state: Confirming,
  doubts: readonly Doubt[],
  dueAt: (monitor: string, probe: string) => Instant,
  now: Instant,
): Confirmed {
  if (doubts.length === 0 && state.waiting.length === 0) return { state, looks: [], dropped: 0 };
  const quietUntil = new Map([...state.quietUntil].filter(([, until]) => until > now));
  const looks: Look[] = [];
  const waiting: Doubt[] = [];
  let { spentUntil, served } = state;
  let dropped = 0;
  /** Whether it took a place: one that asks nobody leaves the turn to the next of its region. */
  const take = (doubt: Doubt): boolean => {
    const { monitor, region, said, intervalMs } = doubt;
    const spent = Math.max(spentUntil, now) + EACH_MS;
    const isLate = now - doubt.at >= LATE_AFTER_MS;
    const isSpent = spent > now + BURST * EACH_MS;
    if (isLate || (isSpent && waiting.length === MAX_WAITING)) {
      dropped += 1;
      return false;
    }
    const probes = doubt.probes.filter(
      (probe) => !quietUntil.has(keyOf(monitor, probe, said)) && dueAt(monitor, probe) - now > DUE_SOON_MS,
    );
    if (probes.length === 0) return false;
    if (isSpent) {
      waiting.push(doubt);
      return true;
    }
    for (const probe of probes) {
      quietUntil.set(keyOf(monitor, probe, said), now + Math.min(intervalMs, MAX_QUIET_MS));
    }
    looks.push({ monitor, probes });
    spentUntil = spent;
    served = [...served.filter((each) => each !== region), region];
    return true;
  };
  takeInTurn(merged(state.waiting, doubts), served, take);
  return { state: { spentUntil, waiting, served, quietUntil }, looks, dropped };
}

/** Doubts by region and monitor, in order. */
type ByRegion = ReadonlyMap<string, ReadonlyMap<string, Doubt>>;

/** Of each region in turn its doubts until one takes a place, those first that were served the longest ago or never. */
function takeInTurn(byRegion: ByRegion, served: readonly string[], take: (doubt: Doubt) => boolean): void {
  const regions = [...byRegion.keys()].toSorted((a, b) => served.indexOf(a) - served.indexOf(b));
  let queues = regions.map((region) => ({ own: [...(byRegion.get(region)?.values() ?? [])], next: 0 }));
  while (queues.length > 0) {
    for (const queue of queues) {
      let hasTaken = false;
      for (; !hasTaken && queue.next < queue.own.length; queue.next += 1) {
        const doubt = queue.own[queue.next];
        hasTaken = doubt !== undefined && take(doubt);
      }
    }
    queues = queues.filter(({ own, next }) => next < own.length);
  }
}

const keyOf = (monitor: string, probe: string, said: Says): string => `${monitor} ${probe} ${said}`;

/**
 * One doubt for each monitor and region: the newest knows best who has not said the same; the same one keeps its place.
 * What contradicts the newest of its monitor is over, for that is judged by the newest verdict.
 */
function merged(waiting: readonly Doubt[], doubts: readonly Doubt[]): ByRegion {
  const all = [...waiting, ...doubts];
  const said = new Map(all.map((doubt) => [doubt.monitor, doubt.said]));
  const merged = new Map<string, Map<string, Doubt>>();
  for (const doubt of all) {
    if (said.get(doubt.monitor) !== doubt.said) continue;
    const own = merged.get(doubt.region) ?? new Map<string, Doubt>();
    const before = own.get(doubt.monitor);
    merged.set(doubt.region, own.set(doubt.monitor, before ? { ...doubt, at: before.at } : doubt));
  }
  return merged;
}
