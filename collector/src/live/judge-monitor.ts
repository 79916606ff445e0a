import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { settle } from '../decide/flip.ts';
import { advance } from '../decide/streak.ts';
import type { Answer, MonitorPolicy, ProbeTrouble } from '../decide/types.ts';
import { judgeMonitor } from '../decide/verdict.ts';
import { regionVotes, staleAt } from '../decide/votes.ts';
import type { Watched } from '../watched.ts';
import { type MonitorRow, type Shard, streakKey } from './shard.ts';

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
  return Object.entries(byProbe).flatMap(([probe, each]) => (watched.regionOf.has(probe) ? [each] : []));
}

/** Takes answers into their streaks. Returns the monitors that they touch. */
export function takeAnswers(
  watched: Watched,
  shard: Shard,
  answers: readonly Answer[],
  now: Instant,
): Set<string> {
  const touched = new Set<string>();
  for (const answer of answers) {
    const policy = watched.policies.get(answer.monitor);
    if (policy === undefined) continue;
    const row = shard.monitors.get(answer.monitor) ?? blank(answer.monitor, now);
    const before = row.streaks[answer.probe];
    const streak = advance(policy, before, answer);
    // The same one again for what is late or repeated.
    if (streak !== before) {
      shard.streaks.set(streakKey(answer.monitor, answer.probe), streak);
      shard.monitors.set(answer.monitor, { ...row, streaks: { ...row.streaks, [answer.probe]: streak } });
    }
    touched.add(answer.monitor);
  }
  return touched;
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
    const row = shard.monitors.get(trouble.monitor) ?? blank(trouble.monitor, now);
    const own = { ...row.troubles, [trouble.probe]: trouble };
    shard.monitors.set(trouble.monitor, { ...row, troubles: own });
  }
  return new Set(troubles.map(({ monitor }) => monitor));
}

/** Judges one monitor from its streaks. Returns its flip, if it flips. */
export function judgeOne(
  watched: Watched,
  shard: Shard,
  policy: MonitorPolicy,
  now: Instant,
): Flip | undefined {
  const before = shard.monitors.get(policy.id);
  const row = before ?? blank(policy.id, now);
  const streaks = enrolled(watched, row.streaks);
  const troubles = enrolled(watched, row.troubles);
  const votes = regionVotes(policy, streaks, now, row.judgement.votes, troubles);
  const judgement = judgeMonitor(policy, votes, before?.judgement);
  const { verdict, flip } = settle(policy.id, before?.verdict, judgement, now);
  shard.monitors.set(policy.id, { ...row, judgement, verdict }, staleAt(policy, streaks, now, troubles));
  return flip;
}
