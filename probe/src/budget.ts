/**
 * What may be asked beside the schedule: rechecks, and looks that other regions ask for. Pure. The rate is that of all
 * monitors and knows nothing of how many fail, so an outage of everything costs a tenth more, and not twice as much.
 */
import type { Instant } from '@highwater/config/time.ts';

/** Changed in place by `take`. */
export interface Budget {
  /** Per millisecond. */
  readonly rate: number;
  /** What may be asked at once after a quiet time. */
  readonly burst: number;
  tokens: number;
  at: Instant;
}

/** Of the scheduled rate. */
const share = 0.1;
const leastBurst = 10;

/** A budget beside a schedule of so many checks a millisecond; what is left of an earlier one is kept. */
export function makeBudget(scheduledPerMs: number, now: Instant, before?: Budget): Budget {
  const rate = scheduledPerMs * share;
  // One second's worth: in any ten seconds that is a hundredth of what is scheduled in them.
  const burst = Math.max(leastBurst, rate * 1_000);
  return before ? { ...before, rate, burst } : { rate, burst, tokens: burst, at: now };
}

/**
 * Takes one token; false when there is none. What other regions ask for gets only the upper half of a burst, so that
 * whatever they ask this probe has some left for rechecks of its own.
 */
export function take(budget: Budget, now: Instant, forOthers = false): boolean {
  const gained = Math.max(0, now - budget.at) * budget.rate;
  budget.tokens = Math.min(budget.burst, budget.tokens + gained);
  budget.at = now;
  if (budget.tokens < (forOthers ? budget.burst / 2 : 1)) return false;
  budget.tokens -= 1;
  return true;
}
