import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { settle } from '../decide/flip.ts';
import { advance } from '../decide/streak.ts';
import type { Answer, MonitorPolicy, Streak } from '../decide/types.ts';
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
  return { streaks: {}, judgement: nothingYet, verdict };
}

/** Streaks of probes that are still enrolled. */
function enrolled(watched: Watched, row: MonitorRow): Streak[] {
  return Object.entries(row.streaks).flatMap(([probe, streak]) =>
    watched.regionOf.has(probe) ? [streak] : [],
  );
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

/** Judges one monitor from its streaks. Returns its flip, if it flips. */
export function judgeOne(
  watched: Watched,
  shard: Shard,
  policy: MonitorPolicy,
  now: Instant,
): Flip | undefined {
  const before = shard.monitors.get(policy.id);
  const row = before ?? blank(policy.id, now);
  const streaks = enrolled(watched, row);
  const votes = regionVotes(policy, streaks, now, row.judgement.votes);
  const judgement = judgeMonitor(policy, votes, before?.judgement);
  const { verdict, flip } = settle(policy.id, before?.verdict, judgement, now);
  shard.monitors.set(policy.id, { ...row, judgement, verdict }, staleAt(policy, streaks, now));
  return flip;
}
