/**
 * When what is asked. Pure: state and time in, state and starts out; the driver keeps one timer for `wakeAt`.
 * Due times are those of CONTRACTS "Due"; a time that was missed by over half the interval is skipped, never made up.
 */
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import type { Hash } from '@highwater/config/proof/bytes.ts';
import type { Instant } from '@highwater/config/time.ts';

/** What the schedule needs to know of a monitor. */
export interface Timed {
  readonly id: string;
  readonly intervalMs: number;
  readonly recheckAfterMs: number;
  /** Answers in a row that turn it; a turn has at most one fewer rechecks. */
  readonly fall: number;
}

export interface Entry extends Timed {
  readonly phase: number;
  readonly nextDueAt: Instant;
  /** A scheduled check is under way. */
  readonly running: boolean;
  /** What this probe's answers say; undefined before the first. */
  readonly settled?: 'ok' | 'fail';
  /** Answers in a row against `settled`. */
  readonly against: number;
  readonly rechecks: number;
  readonly recheckAt?: Instant;
}

/** Tokens for rechecks: what an outage may cost on top of the scheduled checks. */
interface Budget {
  readonly tokens: number;
  readonly at: Instant;
}

export interface Schedule {
  readonly seed: string;
  readonly entries: readonly Entry[];
  readonly places: ReadonlyMap<string, number>;
  readonly budget: Budget;
}

export interface Start {
  readonly id: string;
  readonly dueAt: Instant;
  readonly recheck: boolean;
}

/** What one turn of the schedule asks the driver to do. */
export interface Turn {
  readonly schedule: Schedule;
  readonly start: readonly Start[];
  /** Due times to be written as skipped. */
  readonly missed: readonly { readonly id: string; readonly dueAt: Instant }[];
}

/** After a long sleep only so many missed times of a monitor are written; the others are silence, which counts the same. */
export const maxMissed = 10;
const burst = 10;
const recheckShare = 0.1;

/** A schedule for these monitors; what is known of those that stay the same is kept. */
export function makeSchedule(
  monitors: readonly Timed[],
  seed: string,
  probe: string,
  now: Instant,
  hash: Hash,
  before?: Schedule,
): Schedule {
  const entries = monitors.map((monitor): Entry => {
    const place = before?.seed === seed ? before.places.get(monitor.id) : undefined;
    const known = place === undefined ? undefined : before?.entries[place];
    if (known?.intervalMs === monitor.intervalMs) return { ...known, ...monitor };
    const phase = phaseMs(seed, monitor.id, probe, monitor.intervalMs, hash);
    const next = nextDueAt(now, phase, monitor.intervalMs);
    return { ...monitor, phase, nextDueAt: next, running: false, against: 0, rechecks: 0 };
  });
  const places = new Map(entries.map((entry, place) => [entry.id, place]));
  const budget = before?.budget ?? { tokens: burst, at: now };
  return { seed, entries, places, budget };
}

/** The next instant at which a turn has something to do; undefined without monitors. */
export function wakeAt(schedule: Schedule): Instant | undefined {
  let next: Instant | undefined;
  for (const entry of schedule.entries) {
    const at = Math.min(entry.nextDueAt, entry.recheckAt ?? Infinity);
    if (next === undefined || at < next) next = at;
  }
  return next;
}

/** What is due now. */
export function turn(schedule: Schedule, now: Instant): Turn {
  const entries = schedule.entries.slice();
  const start: Start[] = [];
  const missed: { id: string; dueAt: Instant }[] = [];
  for (const [place, entry] of schedule.entries.entries()) {
    let next = entry;
    // The wall clock went back: waiting for the old due time would be silence.
    if (entry.nextDueAt - now > entry.intervalMs) {
      next = { ...next, nextDueAt: nextDueAt(now, entry.phase, entry.intervalMs) };
    }
    if (next.recheckAt !== undefined && next.recheckAt <= now) {
      // A scheduled check that is due as well answers the same question.
      if (next.nextDueAt > now) start.push({ id: next.id, dueAt: next.recheckAt, recheck: true });
      next = withoutRecheck(next);
    }
    if (next.nextDueAt <= now) next = due(next, now, start, missed);
    if (next !== entry) entries[place] = next;
  }
  return { schedule: { ...schedule, entries }, start, missed };
}

function due(entry: Entry, now: Instant, start: Start[], missed: { id: string; dueAt: Instant }[]): Entry {
  const { id, intervalMs } = entry;
  const after = nextDueAt(now, entry.phase, intervalMs);
  const latest = after - intervalMs;
  const startable = now - latest <= intervalMs / 2 && !entry.running;
  const lastMissed = startable ? latest - intervalMs : latest;
  const firstMissed = Math.max(entry.nextDueAt, lastMissed - (maxMissed - 1) * intervalMs);
  for (let at = firstMissed; at <= lastMissed; at += intervalMs) missed.push({ id, dueAt: at });
  if (startable) start.push({ id, dueAt: latest, recheck: false });
  return { ...withoutRecheck(entry), nextDueAt: after, running: entry.running || startable };
}

/**
 * Takes an answer in: one that contradicts what was known asks for a recheck, unless the scheduled check comes
 * first, the turn has had its rechecks, or the budget for all monitors is spent. `said` is undefined for an
 * answer that says nothing of the target.
 */
export function answered(
  schedule: Schedule,
  id: string,
  said: 'ok' | 'fail' | undefined,
  recheck: boolean,
  now: Instant,
): Schedule {
  const place = schedule.places.get(id);
  const entry = place === undefined ? undefined : schedule.entries[place];
  if (place === undefined || !entry) return schedule;
  const ended = recheck ? entry : { ...entry, running: false };
  const judged = judge(ended, said);
  const budget = refilled(schedule, now);
  const at = now + entry.recheckAfterMs;
  const wanted =
    judged.against > 0 && said !== undefined && judged.rechecks < entry.fall - 1 && at < judged.nextDueAt;
  const granted = wanted && budget.tokens >= 1;
  const next = granted ? { ...judged, recheckAt: at, rechecks: judged.rechecks + 1 } : judged;
  const entries = schedule.entries.slice();
  entries[place] = next;
  return { ...schedule, entries, budget: granted ? { ...budget, tokens: budget.tokens - 1 } : budget };
}

function judge(entry: Entry, said: 'ok' | 'fail' | undefined): Entry {
  if (said === undefined) return entry;
  const calm = { ...withoutRecheck(entry), against: 0, rechecks: 0 };
  if (entry.settled === undefined || entry.settled === said) return { ...calm, settled: said };
  const against = entry.against + 1;
  return against >= entry.fall ? { ...calm, settled: said } : { ...withoutRecheck(entry), against };
}

/** A tenth of the scheduled rate, so that an outage of everything costs a tenth more and not twice as much. */
function refilled({ entries, budget }: Schedule, now: Instant): Budget {
  const perMs = entries.reduce((sum, entry) => sum + 1 / entry.intervalMs, 0) * recheckShare;
  const cap = Math.max(burst, entries.length * recheckShare);
  return { tokens: Math.min(cap, budget.tokens + Math.max(0, now - budget.at) * perMs), at: now };
}

function withoutRecheck(entry: Entry): Entry {
  if (entry.recheckAt === undefined) return entry;
  const { recheckAt: _, ...rest } = entry;
  return rest;
}
