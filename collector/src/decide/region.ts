/**
 * Whether what a region sees can be believed: of each probe whether it is well, and of a region whether it alone sees
 * down what the others see up. A region is unwell when all its probes are.
 *
 * It is told from what probes sign, the faults in their lines and the clock bounds of their batches, and from silence.
 * For people alone: no verdict depends on it, as a probe's own faults are no answers anyway.
 */
import { MAX_CLOCK_BOUND_MS } from '@highwater/config/proof/rule/none.ts';
import { MINUTE_MS, type Instant } from '@highwater/config/time.ts';
import { plural } from './words.ts';

export type Unwell = 'silent' | 'clock' | 'offline' | 'late' | 'apart';

export interface Condition {
  readonly state: Unwell;
  readonly since: Instant;
  /** A sentence without its beginning: `its probe is offline; its answers do not count`. */
  readonly because: string;
  /** Of some checks alone; the others still count, on loopback or over the other address family. */
  readonly partly?: true;
}

/** How many of something, and since when there is any. */
export interface Count {
  readonly count: number;
  readonly since: Instant;
}

/** What a batch said of its probe's clock, and when it came. */
export interface ClockWord {
  readonly at: Instant;
  /** As in the batch: -1 is never compared. */
  readonly boundMs: number;
  /** When its last minute ended, by the probe's clock. */
  readonly closedAt: Instant;
}

/** What is known of one probe now. Of each monitor its newest word counts, while that is fresh. */
export interface ProbeSight {
  readonly probe: string;
  readonly silentSince?: Instant;
  readonly clock?: ClockWord;
  /** Monitors of which it said anything, troubles of its own included. */
  readonly words: number;
  readonly offline: Count;
  readonly clockFaults: Count;
  readonly late: Count;
}

/** Of one region: nodes that others see up, and how many of these it sees down. */
export interface RegionSight {
  readonly region: string;
  readonly nodes: number;
  readonly downAlone: number;
}

export interface Sights {
  readonly probes: readonly ProbeSight[];
  readonly regions: readonly RegionSight[];
}

interface Held {
  readonly told?: Condition;
  /** Another than what is told: since when it has been so without a break, and what it says. */
  readonly turning?: { readonly at: Instant; readonly to: Condition | undefined };
}

/** By `probe ID` and `region ID`. */
export type Conditions = Readonly<Record<string, Held>>;

/** So long must it be so before it is told: a lost packet or two are no news. */
export const UNWELL_AFTER_MS = 15_000;
/** So long must it be well before that is told: a few rounds, so that the page does not flicker. */
export const WELL_AFTER_MS = 60_000;
/** What a batch said of the clock is news for so long; a probe sends one each minute. */
const CLOCK_FRESH_MS = 10 * MINUTE_MS;
/** A batch that says `never compared` may have waited in a spool: then that is long over. */
const NEVER_FRESH_MS = 3 * MINUTE_MS;
/** Batches further ahead than this are refused (CONTRACTS "In force"). */
const MAX_AHEAD_MS = 2 * MINUTE_MS;

/** So many nodes it must see down alone. */
const MIN_APART = 2;

export const wellSoFar: Conditions = {};

/** The next conditions; what is no longer there is forgotten. */
export function look(before: Conditions, { probes, regions }: Sights, now: Instant): Conditions {
  const found = [
    ...probes.map((sight) => [`probe ${sight.probe}`, ofProbe(sight, now)] as const),
    ...regions.map((sight) => [`region ${sight.region}`, ofRegion(sight, now)] as const),
  ];
  return Object.fromEntries(found.map(([key, condition]) => [key, turn(before[key] ?? {}, condition, now)]));
}

export function conditionOfProbe(conditions: Conditions, probe: string): Condition | undefined {
  return conditions[`probe ${probe}`]?.told;
}

/** Undefined while it is well. `probes` are the region's. */
export function conditionOfRegion(
  conditions: Conditions,
  region: string,
  probes: readonly string[],
): Condition | undefined {
  const own = probes.map((probe) => conditionOfProbe(conditions, probe));
  const unwell = own.filter((each) => each !== undefined);
  const [worst] = unwell.toSorted((a, b) => b.since - a.since);
  if (worst === undefined || unwell.length < own.length) return conditions[`region ${region}`]?.told;
  // All of them since the last one was.
  if (worst.state === 'apart' || own.length === 1) return worst;
  const because = unwell.some(({ partly }) => partly)
    ? 'its probes are not well; some of their answers do not count'
    : becauses[worst.state](own.length);
  return { ...worst, because };
}

/** What is remembered of conditions across a restart: what was told. */
export function kept(conditions: Conditions): Conditions {
  const told = Object.entries(conditions).filter(([, held]) => held.told !== undefined);
  return Object.fromEntries(told.map(([key, { told }]) => [key, { ...(told && { told }) }]));
}

const becauses: Readonly<Record<Exclude<Unwell, 'apart'>, (probes: number) => string>> = {
  silent: (n) => `${its(n)} silent; what can be seen from there is not known`,
  clock: (n) =>
    n === 1
      ? 'the clock of its probe is wrong; its answers do not count'
      : 'the clocks of its probes are wrong; their answers do not count',
  offline: (n) => `${its(n)} offline; ${n === 1 ? 'its' : 'their'} answers do not count`,
  late: (n) => `${its(n)} late, stopped or too busy; what was missed does not count`,
};

function its(probes: number): string {
  return probes === 1 ? 'its probe is' : 'its probes are';
}

function ofProbe(sight: ProbeSight, now: Instant): Condition | undefined {
  const told = (state: Exclude<Unwell, 'apart'>, since: Instant): Condition => ({
    state,
    since,
    because: becauses[state](1),
  });
  const { silentSince, clock, words, clockFaults, offline, late } = sight;
  if (silentSince !== undefined) return told('silent', silentSince);
  if (clock !== undefined && isWrong(clock, now)) return told('clock', clock.at);
  for (const [state, { count, since }] of [
    ['clock', clockFaults],
    ['offline', offline],
    ['late', late],
  ] as const) {
    if (count > 0 && 2 * count > words) return told(state, since);
  }
  // Controls are asked only when a check has failed, and all of its family must fail too: one such answer is news.
  return offline.count > 0 ? controlsFail(offline, words) : undefined;
}

function controlsFail({ count, since }: Count, words: number): Condition {
  const lost = `${count} of ${plural(words, 'check')} ${count === 1 ? 'does' : 'do'} not count`;
  return { state: 'offline', since, because: `the controls of its probe fail; ${lost}`, partly: true };
}

function isWrong({ at, boundMs, closedAt }: ClockWord, now: Instant): boolean {
  if (now - at >= CLOCK_FRESH_MS) return false;
  if (closedAt - at > MAX_AHEAD_MS + MINUTE_MS || boundMs > MAX_CLOCK_BOUND_MS) return true;
  return boundMs < 0 && at - closedAt < NEVER_FRESH_MS;
}

/**
 * One node that is seen down from one region alone tells nothing of that region: it may be the node that is blocked from
 * there. So it takes two, and with a single node that is watched no region is ever apart.
 */
function ofRegion({ nodes, downAlone }: RegionSight, now: Instant): Condition | undefined {
  if (downAlone < MIN_APART || 2 * downAlone <= nodes) return undefined;
  const because = `it sees ${downAlone} of ${plural(nodes, 'node')} as down that the other regions see up`;
  return { state: 'apart', since: now, because };
}

function turn({ told, turning }: Held, found: Condition | undefined, now: Instant): Held {
  if (found?.state === told?.state) {
    return found && told ? { told: { ...found, since: told.since } } : {};
  }
  const isSame = turning !== undefined && turning.to?.state === found?.state;
  const at = isSame ? turning.at : now;
  const since = isSame ? turning.to?.since : found?.since;
  const to = found && since !== undefined ? { ...found, since } : found;
  if (now - at >= waitMs(told, found)) return to ? { told: to } : {};
  return { ...(told && { told }), turning: { at, to } };
}

/** Silence has waited already; one that is heard is not silent. */
function waitMs(told: Condition | undefined, found: Condition | undefined): number {
  if (found?.state === 'silent') return 0;
  if (found !== undefined) return UNWELL_AFTER_MS;
  return told?.state === 'silent' ? 0 : WELL_AFTER_MS;
}
