/** What the tests of decisions share: small makers with plain defaults. Used by tests alone. */
import type { Answer, Judgement, MonitorPolicy, Vote } from './types.ts';

export function policyOf(over: Partial<MonitorPolicy> = {}): MonitorPolicy {
  const regions = over.regions ?? ['ap', 'eu', 'us'];
  const quorum = Math.floor(regions.length / 2) + 1;
  return { id: 'rpc/a/head', fall: 2, rise: 2, regions, quorum, freshMs: 30_000, ...over };
}

/** An answer due and received at `at`. */
export function answerOf(outcome: Answer['outcome'], at: number, over: Partial<Answer> = {}): Answer {
  return {
    monitor: 'rpc/a/head',
    probe: 'eu-1',
    region: 'eu',
    dueAt: at,
    receivedAt: at,
    outcome,
    latencyTenths: 400,
    recheck: false,
    ...(outcome === 'ok' ? {} : { fault: 'target.http.timeout' }),
    ...over,
  };
}

export function voteOf(
  region: string,
  status: Vote['status'],
  sinceDueAt = 0,
  over: Partial<Vote> = {},
): Vote {
  const ok = status === 'up' ? 1 : 0;
  const degraded = status === 'degraded' ? 1 : 0;
  return { region, status, ok, degraded, ...(status !== 'unknown' && { sinceDueAt }), ...over };
}

export function judgementOf(status: Judgement['status'], over: Partial<Judgement> = {}): Judgement {
  return { status, because: `is ${status}`, votes: [], downIn: [], troubleIn: [], ...over };
}
