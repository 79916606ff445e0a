/** From a judgement to a verdict with memory: what has changed, since when. */
import type { Flip, Verdict } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Judgement } from './types.ts';

/**
 * The verdict of a subject (monitor `a/b/c`, node `a/b`, service `a` or chain `chain:a`) and, when its status changed, the flip.
 * Judgements are damped already, so every change is one. A flip to down is dated back to the first failing due time,
 * one to up to the due time that completed it, never later than `now`; one to degraded or unknown is dated `now`,
 * because nothing before was wrong about the status that stood until then.
 * The first verdict of all comes from `unknown` and is no flip while it stays unknown. A cause that changes while the
 * status stays is a flip too, dated `now`: what the trouble is part of has changed.
 */
export function settle(
  subject: string,
  previous: Verdict | undefined,
  judgement: Judgement,
  now: Instant,
): { readonly verdict: Verdict; readonly flip?: Flip } {
  const { status, because, votes } = judgement;
  const cause = judgement.cause === undefined ? {} : { cause: judgement.cause };
  const from = previous?.status ?? 'unknown';
  if (status === from) {
    const verdict = { subject, status, since: previous?.since ?? now, because, ...cause, votes };
    if (previous === undefined || previous.cause === judgement.cause) return { verdict };
    const flip = { id: flipId(subject, status, now), subject, at: now, from, to: status, because, ...cause };
    return { verdict, flip };
  }
  const at = dated(from, judgement, now);
  const flip = { id: flipId(subject, status, now), subject, at, from, to: status, because, ...cause };
  return { verdict: { subject, status, since: at, because, ...cause, votes }, flip };
}

function dated(from: Verdict['status'], judgement: Judgement, now: Instant): Instant {
  const { status, sinceDueAt } = judgement;
  const since = Math.min(sinceDueAt ?? now, now);
  if (status === 'down') return since;
  return status === 'up' && from === 'down' ? since : now;
}

/** Deterministic and safe in a URL: subjects are `[a-z0-9._/-]`, a chain's has a colon. */
function flipId(subject: string, to: string, now: Instant): string {
  return `${now.toString(36)}~${subject.replace(/[/:]/g, '~')}~${to}`;
}
