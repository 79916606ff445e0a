/** From what regions say to what is true of a monitor: a quorum of Q out of n. */
import type { Cause } from '@highwater/config/domain.ts';
import { type FaultId, faultId, isWholeProbe } from '@highwater/config/faults.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Judgement, MonitorPolicy, Vote } from './types.ts';
import { isDegraded } from './votes.ts';
import { byFrequency, listed, ownTroubles, plural } from './words.ts';

/**
 * Down or up when Q regions say so, else unknown. An up is degraded by the rule's own lines (2 x degraded >= ok +
 * degraded over the regions that say up). A region that says down counts with the degraded ones for this: otherwise a
 * verdict could get better when a vote gets worse, and a quorum that is not content could leave a plain up.
 * @param previous the judgement before: a down is never dated before the up that it ended
 */
export function judgeMonitor(policy: MonitorPolicy, votes: readonly Vote[], previous?: Judgement): Judgement {
  const down = votes.filter((vote) => vote.status === 'down');
  const up = votes.filter((vote) => vote.status === 'up' || vote.status === 'degraded');
  const downIn = down.map((vote) => vote.region).sort();
  const regions = { votes, downIn, troubleIn: downIn };
  if (down.length >= policy.quorum) {
    const since = downSince(policy, down, previous);
    return { status: 'down', because: whyDown(policy, down), ...since, ...regions, ...causeOf(policy, down) };
  }
  const notice = down.length > 0 ? { notice: whyNotice(policy, down) } : {};
  if (up.length < policy.quorum) {
    return {
      status: 'unknown',
      because: whyUnknown(policy, up, down, votes),
      ...kept(previous),
      ...regions,
      ...notice,
    };
  }
  const status = isUpDegraded(up, down) ? 'degraded' : 'up';
  const since = at(up.map(sinceOf).sort(ascending)[policy.quorum - 1]);
  const cause = status === 'degraded' ? causeOf(policy, up) : {};
  return { status, because: whyUp(policy, status, up, votes), ...cause, ...since, ...regions, ...notice };
}

const causes: Readonly<Record<FaultId, Cause>> = {
  'target.head.old': 'head-age',
  'target.tls.expiring': 'certificate',
  'target.tls.expired': 'certificate',
};

/** By the age of the head alone, or by a certificate: a quorum says so, whatever else other regions see. */
function causeOf(policy: MonitorPolicy, votes: readonly Vote[]): Pick<Judgement, 'cause'> {
  const named = votes.flatMap(({ fault }) => (fault && causes[faultId(fault)]) ?? []);
  const cause = named.find((each) => named.filter((other) => other === each).length >= policy.quorum);
  return cause === undefined ? {} : { cause };
}

function isUpDegraded(up: readonly Vote[], down: readonly Vote[]): boolean {
  const ok = up.reduce((sum, vote) => sum + vote.ok, 0);
  const degraded = up.reduce((sum, vote) => sum + vote.degraded, 0);
  const unhappy = up.filter((vote) => vote.status === 'degraded').length;
  const happy = up.length - unhappy;
  return isDegraded(ok, degraded) || (unhappy > 0 && isDegraded(happy, unhappy + down.length));
}

/**
 * The first failing due time of this outage. A region that had trouble of its own long before is not the start of
 * it: only those count that began within `freshMs` before the one that completed the quorum.
 */
function downSince(policy: MonitorPolicy, down: readonly Vote[], previous: Judgement | undefined) {
  const starts = down.map(sinceOf).sort(ascending);
  const completed = starts[policy.quorum - 1] ?? 0;
  const first = starts.find((start) => start > completed - policy.freshMs) ?? completed;
  if (previous?.status === 'down') return kept(previous);
  return at(Math.max(first, Math.min(previous?.sinceDueAt ?? first, completed)));
}

/** Unknown and a down that goes on keep the date of what was last known. */
function kept(previous: Judgement | undefined): Pick<Judgement, 'sinceDueAt'> {
  return at(previous?.sinceDueAt);
}

function at(sinceDueAt: Instant | undefined): Pick<Judgement, 'sinceDueAt'> {
  return sinceDueAt === undefined ? {} : { sinceDueAt };
}

function sinceOf(vote: Vote): Instant {
  return vote.sinceDueAt ?? 0;
}

function ascending(a: number, b: number): number {
  return a - b;
}

function ofRegions(policy: MonitorPolicy, count: number): string {
  return `${count} of ${plural(policy.regions.length, 'region')}`;
}

function faults(votes: readonly Vote[]): string {
  const ids = byFrequency(votes.flatMap((vote) => (vote.fault ? [faultId(vote.fault)] : [])));
  return ids.length === 0 ? '' : `: ${firstOf(ids)}`;
}

function names(votes: readonly Vote[]): string {
  return listed(votes.map((vote) => vote.region).sort());
}

function whyDown(policy: MonitorPolicy, down: readonly Vote[]): string {
  return `down in ${ofRegions(policy, down.length)}${faults(down)}`;
}

function whyNotice(policy: MonitorPolicy, down: readonly Vote[]): string {
  return `down in ${names(down)} alone, ${policy.quorum} needed for a verdict${faults(down)}`;
}

function whyUnknown(
  policy: MonitorPolicy,
  up: readonly Vote[],
  down: readonly Vote[],
  votes: readonly Vote[],
): string {
  const n = policy.regions.length;
  if (n === 0) return 'no region watches it';
  const silent = n - up.length - down.length;
  const own = votes.filter(({ status, fault }) => status === 'unknown' && fault !== undefined);
  if (silent === n && own.length > 0) {
    return `no answer that counts from ${ofRegions(policy, silent)}${ownReasons(own)}`;
  }
  if (silent === n) return `no fresh answer from any of ${plural(n, 'region')}`;
  const parts = [`${up.length} up`, `${down.length} down`, `${silent} without a fresh answer`];
  return `${parts.join(', ')}: ${policy.quorum} of ${plural(n, 'region')} must agree${ownReasons([...down, ...own])}`;
}

/** Troubles of the whole probe in words: a reader can do nothing at the node about them. */
function ownReasons(votes: readonly Vote[]): string {
  const reasons = votes.flatMap(({ fault }) =>
    fault === undefined
      ? []
      : ((isWholeProbe(fault) ? ownTroubles[fault.operation] : undefined) ?? faultId(fault)),
  );
  return reasons.length === 0 ? '' : `: ${firstOf(byFrequency(reasons))}`;
}

function firstOf(reasons: readonly string[]): string {
  return `${reasons.slice(0, 3).join(', ')}${reasons.length > 3 ? ' and others' : ''}`;
}

function whyUp(
  policy: MonitorPolicy,
  status: 'up' | 'degraded',
  up: readonly Vote[],
  votes: readonly Vote[],
): string {
  const unhappy = up.filter((vote) => vote.status === 'degraded');
  const down = votes.filter((vote) => vote.status === 'down');
  const unknown = votes.filter((vote) => vote.status === 'unknown');
  const own = unknown.filter(({ fault }) => fault !== undefined);
  const silent = unknown.filter(({ fault }) => fault === undefined);
  return [
    `up in ${ofRegions(policy, up.length)}`,
    ...(status === 'degraded' ? [`degraded in ${names(unhappy)}${faults(unhappy)}`] : []),
    ...(down.length > 0 ? [`down in ${names(down)}${faults(down)}`] : []),
    ...(own.length > 0 ? [`no answer that counts from ${names(own)}${ownReasons(own)}`] : []),
    ...(silent.length > 0 ? [`no fresh answer from ${names(silent)}`] : []),
  ].join('; ');
}
