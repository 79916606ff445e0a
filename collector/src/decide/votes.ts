/** From what probes say to what regions say. */
import type { Fault } from '@highwater/config/faults.ts';
import { faultFromId } from '@highwater/config/faults.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { MonitorPolicy, ProbeTrouble, Streak, Vote } from './types.ts';

/**
 * One vote for each assigned region, in the policy's order. CONTRACTS "Live": an answer is fresh while younger, by
 * receipt, than `freshMs`; of several probes the majority counts, a tie keeps what the region said before.
 * @param streaks one per probe, of enrolled probes only; those of regions that are not assigned are left out
 * @param previous the votes of the last judgement of this monitor
 * @param troubles the newest of each enrolled probe's own: the fault of a region without a fresh answer
 */
export function regionVotes(
  policy: MonitorPolicy,
  streaks: Iterable<Streak>,
  now: Instant,
  previous: readonly Vote[] = [],
  troubles: readonly ProbeTrouble[] = [],
): Vote[] {
  const fresh: Streak[] = [];
  for (const streak of streaks) if (isFresh(policy, streak, now)) fresh.push(streak);
  return policy.regions.map((region) => {
    const here = fresh.filter((streak) => streak.newest.region === region);
    const [only] = here;
    if (only === undefined) return { ...silent(region), ...ownFault(policy, region, troubles, now) };
    // Of nearly every region at nearly every look: the same as below, without its orders and counts.
    if (here.length === 1 && only.state === 'ok' && !only.degraded) return plainlyUp(only);
    return vote(
      region,
      here.sort(newestFirst),
      previous.find((v) => v.region === region),
    );
  });
}

/** Whether two lists of votes differ in nothing but when and how fast they were last confirmed. */
export function sameVotes(before: readonly Vote[], after: readonly Vote[]): boolean {
  return before.length === after.length && after.every((vote, i) => isSameVote(before[i], vote));
}

function isSameVote(a: Vote | undefined, b: Vote): boolean {
  return (
    a?.region === b.region &&
    a.status === b.status &&
    a.sinceDueAt === b.sinceDueAt &&
    a.ok === b.ok &&
    a.degraded === b.degraded &&
    isSameFault(a.fault, b.fault)
  );
}

function isSameFault(a: Fault | undefined, b: Fault | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.source === b.source && a.operation === b.operation && a.code === b.code && a.detail === b.detail;
}

/** When the next vote goes stale if nothing more is heard; null when none is fresh. For the driver's wakeAt. */
export function staleAt(
  policy: MonitorPolicy,
  streaks: Iterable<Streak>,
  now: Instant,
  troubles: readonly ProbeTrouble[] = [],
): Instant | null {
  let first = Infinity;
  const note = (receivedAt: Instant): void => {
    if (isYoung(policy, receivedAt, now)) first = Math.min(first, receivedAt);
  };
  for (const { newest } of streaks) note(newest.receivedAt);
  for (const { receivedAt } of troubles) note(receivedAt);
  return first === Infinity ? null : first + policy.freshMs;
}

function isYoung(policy: MonitorPolicy, receivedAt: Instant, now: Instant): boolean {
  return now - receivedAt < policy.freshMs;
}

function isFresh(policy: MonitorPolicy, streak: Streak, now: Instant): boolean {
  return isYoung(policy, streak.newest.receivedAt, now);
}

function silent(region: string): Pick<Vote, 'region' | 'ok' | 'degraded'> & { readonly status: 'unknown' } {
  return { region, status: 'unknown', ok: 0, degraded: 0 };
}

/** The vote of a region with one probe that is plainly ok. */
function plainlyUp({ newest, sinceDueAt }: Streak): Vote {
  const { region, receivedAt: at, latencyTenths } = newest;
  return { region, status: 'up', ok: 1, degraded: 0, at, latencyTenths, sinceDueAt };
}

/** Why nothing that counts comes from a region; of several probes what the newest says. */
function ownFault(
  policy: MonitorPolicy,
  region: string,
  troubles: readonly ProbeTrouble[],
  now: Instant,
): Pick<Vote, 'fault' | 'at'> {
  const [newest] = troubles
    .filter((each) => each.region === region && isYoung(policy, each.receivedAt, now))
    .sort((a, b) => b.receivedAt - a.receivedAt || (a.probe < b.probe ? -1 : 1));
  const fault = newest === undefined ? undefined : faultFromId(newest.fault);
  return fault === undefined || newest === undefined ? {} : { fault, at: newest.receivedAt };
}

/** By receipt; then by the probe's name, so that the order of arrival never decides. */
function newestFirst(a: Streak, b: Streak): number {
  return b.newest.receivedAt - a.newest.receivedAt || (a.newest.probe < b.newest.probe ? -1 : 1);
}

function vote(region: string, here: readonly Streak[], before: Vote | undefined): Vote {
  const newest = here[0]?.newest;
  const unknown = silent(region);
  if (newest === undefined) return unknown;
  const heard = { at: newest.receivedAt, latencyTenths: newest.latencyTenths };
  const failing = here.filter((streak) => streak.state === 'fail');
  const passing = here.filter((streak) => streak.state === 'ok');
  const judged = failing.length + passing.length;
  const state = majority(failing.length, passing.length, before);
  if (state === 'unknown') return { ...unknown, ...heard };
  if (state === 'down') {
    return { ...unknown, ...heard, ...faultOf(failing), ...since(failing, judged, before), status: 'down' };
  }
  const slow = passing.filter((streak) => streak.degraded);
  const ok = passing.length - slow.length;
  const status = isDegraded(ok, slow.length) ? 'degraded' : 'up';
  const fault = status === 'degraded' ? faultOf(slow) : {};
  return { region, status, ok, degraded: slow.length, ...heard, ...fault, ...since(passing, judged, before) };
}

function majority(failing: number, passing: number, before: Vote | undefined): 'up' | 'down' | 'unknown' {
  if (failing !== passing) return failing > passing ? 'down' : 'up';
  if (failing === 0 || before === undefined || before.status === 'unknown') return 'unknown';
  return before.status === 'down' ? 'down' : 'up';
}

/** CONTRACTS "Totals": 2 x degraded >= ok + degraded. */
export function isDegraded(ok: number, degraded: number): boolean {
  return degraded > 0 && 2 * degraded >= ok + degraded;
}

/** The newest reason that is known. */
function faultOf(streaks: readonly Streak[]): Pick<Vote, 'fault'> {
  const trouble = streaks.find((streak) => streak.trouble?.fault !== undefined)?.trouble;
  const fault =
    trouble?.fault === undefined ? undefined : withDetail(faultFromId(trouble.fault), trouble.detail);
  return fault ? { fault } : {};
}

function withDetail(fault: Fault | undefined, detail: string | undefined): Fault | undefined {
  return fault && detail !== undefined ? { ...fault, detail } : fault;
}

/** When the majority of those that are heard was complete; a tie that was kept goes on as before. */
function since(
  streaks: readonly Streak[],
  heard: number,
  before: Vote | undefined,
): Pick<Vote, 'sinceDueAt'> {
  const starts = streaks.map((streak) => streak.sinceDueAt).sort((a, b) => a - b);
  const sinceDueAt = starts[Math.floor(heard / 2)] ?? before?.sinceDueAt;
  return sinceDueAt === undefined ? {} : { sinceDueAt };
}
