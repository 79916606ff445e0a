import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { settle } from '../decide/flip.ts';
import { advance } from '../decide/streak.ts';
import { isTurn } from '../decide/confirm.ts';
import type { Answer, Judgement, MonitorPolicy, ProbeTrouble, Streak } from '../decide/types.ts';
import { judgeMonitor } from '../decide/verdict.ts';
import { regionVotes, sameVotes, staleAt } from '../decide/votes.ts';
import type { Watched } from '../watched.ts';
import type { MonitorRow, Shard } from './shard.ts';

const nothingYet = {
  status: 'unknown',
  because: 'not judged yet',
  votes: [],
  downIn: [],
  troubleIn: [],
} as const;

function blank(monitor: string, now: Instant): MonitorRow {
  const verdict = {
    subject: monitor,
    status: 'unknown',
    since: now,
    because: nothingYet.because,
    votes: [],
  } as const;
  return { streaks: {}, troubles: {}, judgement: nothingYet, verdict };
}

/** Those of probes that are still enrolled. */
function enrolled<T>(watched: Watched, byProbe: Readonly<Record<string, T>>): T[] {
  const found: T[] = [];
  for (const [probe, each] of Object.entries(byProbe)) if (watched.regionOf.has(probe)) found.push(each);
  return found;
}

/** Monitors that answers touch; with a streak where nothing but that one was told, and it is ok as before. */
export type Touched = Map<string, Streak | undefined>;

/** Nearly every answer is so: the streak goes on as it was, without a doubt. */
function isConfirmed(before: Streak | undefined, after: Streak): boolean {
  return (
    before?.state === 'ok' &&
    after.state === 'ok' &&
    !before.degraded &&
    !after.degraded &&
    before.sinceDueAt === after.sinceDueAt
  );
}

/**
 * Takes answers into their streaks. Returns the monitors that they touch.
 * @param turned told of those that are other than what their probes said before
 */
export function takeAnswers(
  watched: Watched,
  shard: Shard,
  answers: readonly Answer[],
  now: Instant,
  turned: (answer: Answer) => void = () => undefined,
): Touched {
  const touched: Touched = new Map();
  for (const answer of answers) {
    const { monitor, probe } = answer;
    const policy = watched.policies.get(monitor);
    if (policy === undefined) continue;
    const row = rowOf(shard, monitor, now);
    const before = row.streaks[probe];
    if (isTurn(policy, before?.newest, answer)) turned(answer);
    const streak = advance(policy, before, answer);
    // The same one again for what is late or repeated.
    if (streak !== before) {
      row.streaks[probe] = streak;
      shard.said.add(monitor);
    }
    touched.set(monitor, !touched.has(monitor) && isConfirmed(before, streak) ? streak : undefined);
  }
  return touched;
}

/** One that is new is written when it is judged. */
function rowOf(shard: Shard, monitor: string, now: Instant): MonitorRow {
  const known = shard.monitors.get(monitor);
  if (known !== undefined) return known;
  const row = blank(monitor, now);
  shard.monitors.hold(monitor, row);
  return row;
}

/** Remembers what kept probes from an answer. Returns the monitors that this touches. */
export function takeTroubles(
  watched: Watched,
  shard: Shard,
  troubles: readonly ProbeTrouble[],
  now: Instant,
): Set<string> {
  for (const trouble of troubles) {
    if (!watched.policies.has(trouble.monitor)) continue;
    const row = rowOf(shard, trouble.monitor, now);
    const own = { ...row.troubles, [trouble.probe]: trouble };
    shard.monitors.hold(trouble.monitor, { ...row, troubles: own });
  }
  return new Set(troubles.map(({ monitor }) => monitor));
}

export interface Judged {
  readonly flip?: Flip | undefined;
  /** Nothing has changed but when and how fast its votes were last confirmed. */
  readonly isSame: boolean;
}

const same: Judged = { isSame: true };

const alone = new WeakMap<Watched, ReadonlySet<string>>();

/** Regions with one probe. */
function aloneIn(watched: Watched): ReadonlySet<string> {
  const known = alone.get(watched);
  if (known !== undefined) return known;
  const regions = Map.groupBy(watched.regionOf.values(), (region) => region);
  const made = new Set([...regions].flatMap(([region, probes]) => (probes.length === 1 ? [region] : [])));
  alone.set(watched, made);
  return made;
}

/**
 * For speed, the same as `judgeOne` comes to without a look at what the other probes said: the one probe of a region said
 * again that it is ok, its vote was that, and no other vote can have gone stale yet. Returns false where all must be looked at.
 */
function confirm(
  watched: Watched,
  shard: Shard,
  policy: MonitorPolicy,
  row: MonitorRow,
  streak: Streak,
  now: Instant,
) {
  const { region, receivedAt: at, latencyTenths } = streak.newest;
  if (row.judgedBy !== policy || shard.monitors.wakeOf(policy.id) <= now) return false;
  if (now - at >= policy.freshMs || !aloneIn(watched).has(region)) return false;
  const place = row.judgement.votes.findIndex((vote) => vote.region === region);
  const vote = row.judgement.votes[place];
  if (vote?.status !== 'up' || vote.ok !== 1 || vote.degraded !== 0) return false;
  if (vote.sinceDueAt !== streak.sinceDueAt || vote.at === undefined) return false;
  const votes = row.judgement.votes.slice();
  votes[place] = { ...vote, at, latencyTenths };
  const judgement = { ...row.judgement, votes };
  const wakeAt = staleAt(policy, enrolled(watched, row.streaks), now, enrolled(watched, row.troubles));
  shard.monitors.hold(policy.id, { ...row, judgement, verdict: { ...row.verdict, votes } }, wakeAt);
  return true;
}

/**
 * Judges one monitor from its streaks.
 * @param confirmed the one of them that has changed since, where it is ok as before
 */
export function judgeOne(
  watched: Watched,
  shard: Shard,
  policy: MonitorPolicy,
  now: Instant,
  confirmed?: Streak,
): Judged {
  const before = shard.monitors.get(policy.id);
  if (before && confirmed && confirm(watched, shard, policy, before, confirmed, now)) return same;
  const row = before ?? blank(policy.id, now);
  const streaks = enrolled(watched, row.streaks);
  const troubles = enrolled(watched, row.troubles);
  const votes = regionVotes(policy, streaks, now, row.judgement.votes, troubles);
  const wakeAt = staleAt(policy, streaks, now, troubles);
  // From the same votes by the same policy it comes to the same, at nearly every look.
  if (row.judgedBy === policy && sameVotes(row.judgement.votes, votes)) {
    const judgement = { ...row.judgement, votes };
    shard.monitors.hold(policy.id, { ...row, judgement, verdict: { ...row.verdict, votes } }, wakeAt);
    return same;
  }
  const judgement = judgeMonitor(policy, votes, before?.judgement);
  const { verdict, flip } = settle(policy.id, before?.verdict, judgement, now);
  if (!isRemembered(row.judgement, judgement)) shard.isUrgent = true;
  shard.monitors.set(policy.id, { ...row, judgement, verdict, judgedBy: policy }, wakeAt);
  return { isSame: false, flip };
}

/** Whether the next judgement would come to the same after either: it depends on status, cause, dates and votes. */
function isRemembered(before: Judgement, after: Judgement): boolean {
  return (
    before.status === after.status &&
    before.cause === after.cause &&
    before.sinceDueAt === after.sinceDueAt &&
    before.votes.length === after.votes.length &&
    after.votes.every(({ region, status, sinceDueAt }, i) => {
      const vote = before.votes[i];
      return vote?.region === region && vote.status === status && vote.sinceDueAt === sinceDueAt;
    })
  );
}
