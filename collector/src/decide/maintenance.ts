/** Maintenance: which minutes one covers, and what is covered now. It counts in whole UTC minutes (rule/v1). */
import { DAY_MS, type Instant, MINUTE_MS, minuteOf } from '@highwater/config/time.ts';
import type { Cover } from './types.ts';

/** The longest that one may be, ms. */
export const MAX_LENGTH_MS = 30 * DAY_MS;
/** The farthest ahead that one may begin, ms. */
export const MAX_AHEAD_MS = 365 * DAY_MS;
/** Planned and active ones at a time. */
export const MAX_COMING = 200;

/** A maintenance that is in the log. Minutes are inclusive. */
export interface Declared {
  /** First 16 hex digits of the leaf hash. */
  readonly id: string;
  /** Leaf hash of the declaration, base64. */
  readonly leaf: string;
  readonly title: string;
  readonly body?: string;
  /** `SERVICE` or `SERVICE/NODE`, sorted, each once. */
  readonly of: readonly string[];
  readonly from: number;
  readonly last: number;
  readonly declaredAt: Instant;
  /** `from` is the first minute that it no longer covers. */
  readonly cancelled?: { readonly at: Instant; readonly from: number };
}

export type State = 'planned' | 'active' | 'over' | 'cancelled';

/** [startsAt, endsAt): what it covers; of one that was cancelled before it began, what it would have covered. */
export function spanOf(one: Declared): { readonly startsAt: Instant; readonly endsAt: Instant } {
  const { from, last, cancelled } = one;
  const end = cancelled === undefined || isVoid(one) ? last : Math.min(last, cancelled.from - 1);
  return { startsAt: from * MINUTE_MS, endsAt: (end + 1) * MINUTE_MS };
}

/** Cancelled before it covered a minute. */
function isVoid({ from, cancelled }: Declared): boolean {
  return cancelled !== undefined && cancelled.from <= from;
}

export function stateOf(one: Declared, now: Instant): State {
  if (isVoid(one)) return 'cancelled';
  const { startsAt, endsAt } = spanOf(one);
  if (now < startsAt) return 'planned';
  return now < endsAt ? 'active' : 'over';
}

export interface Refusal {
  readonly error: string;
  readonly remedy: string;
}

/** The minutes of one, and whether a start was asked for that is before the first of them. */
export interface Planned {
  readonly from: number;
  readonly last: number;
  readonly late: boolean;
}

/** The first whole minute at or after an instant. */
const minuteFrom = (at: Instant): number => Math.ceil(at / MINUTE_MS);

/**
 * The minutes that are asked for, whole ones, but none before the first after now: what has been measured is not
 * taken back.
 */
export function plan(
  { startsAt, forMs }: { readonly startsAt?: Instant | undefined; readonly forMs: number },
  now: Instant,
): Planned | Refusal {
  const begins = startsAt ?? now;
  const next = minuteOf(now) + 1;
  const [from, last] = [Math.max(next, minuteFrom(begins)), minuteFrom(begins + forMs) - 1];
  if (forMs > MAX_LENGTH_MS)
    return { error: 'it would last more than 30 days', remedy: 'declare it in parts' };
  if (begins > now + MAX_AHEAD_MS)
    return { error: 'it begins more than a year ahead', remedy: 'declare it when it is nearer' };
  if (begins + forMs <= now)
    return { error: 'it is over already', remedy: 'what was measured stays; declare what is to come' };
  if (last < next) {
    const remedy = 'it counts only from the first minute after it was logged; let it last longer';
    return { error: 'it would be over before it counts', remedy };
  }
  if (last < from) return { error: 'it covers no whole minute', remedy: 'let it last a minute at least' };
  return { from, last, late: startsAt !== undefined && minuteFrom(startsAt) < next };
}

/** The first minute that is no longer covered when one is ended at `endsAt`, or as soon as can be. */
export function planEnd(one: Declared, endsAt: Instant | undefined, now: Instant): number | Refusal {
  const state = stateOf(one, now);
  const is = state === 'cancelled' ? 'cancelled already' : 'over already';
  if (state === 'cancelled' || state === 'over')
    return { error: `it is ${is}`, remedy: 'there is nothing to cancel' };
  const from = Math.max(minuteOf(now) + 1, minuteFrom(endsAt ?? now));
  const { endsAt: end } = spanOf(one);
  if (from * MINUTE_MS < end) return from;
  const ends = `it covers nothing from ${new Date(end).toISOString().slice(11, 16)} UTC on`;
  if (one.cancelled !== undefined) return { error: 'it is cancelled already', remedy: ends };
  return { error: `${ends} anyway`, remedy: 'what is to last longer is declared as another one' };
}

export const noCover: Cover = new Map();

/** What is covered at one instant, and until when that holds if nothing is declared or cancelled. */
export function coverAt(
  all: Iterable<Declared>,
  now: Instant,
): { readonly cover: Cover; readonly until: Instant } {
  const cover = new Map<string, Instant>();
  let until = Infinity;
  for (const one of all) {
    const state = stateOf(one, now);
    const { startsAt, endsAt } = spanOf(one);
    if (state === 'planned') until = Math.min(until, startsAt);
    if (state !== 'active') continue;
    until = Math.min(until, endsAt);
    for (const subject of one.of) cover.set(subject, Math.max(endsAt, cover.get(subject) ?? 0));
  }
  return { cover: cover.size === 0 ? noCover : cover, until };
}

/** Until when a service or node is covered, by itself or (a node) with its service; undefined when it is not. */
export function coveredUntil(cover: Cover, subject: string): Instant | undefined {
  const own = cover.get(subject);
  const service = subject.includes('/') ? cover.get(subject.slice(0, subject.indexOf('/'))) : undefined;
  return own === undefined || service === undefined ? (own ?? service) : Math.max(own, service);
}
