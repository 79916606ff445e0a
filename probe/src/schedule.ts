/**
 * When what is asked. Pure: state and time in, starts out; the driver keeps one timer for `wakeAt`. The state is changed
 * in place by the functions of this file, because ten thousand monitors are too many to copy for each event.
 * Due times are those of CONTRACTS "Due"; a time that was missed by over half the interval is skipped, never made up.
 */
import TinyQueue from 'tinyqueue';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import type { Hash } from '@highwater/config/proof/bytes.ts';
import type { Instant } from '@highwater/config/time.ts';
import { type Budget, makeBudget, take } from './budget.ts';
import { fill, leave, lineUp, makePlaces, type Places, type Waiting } from './places.ts';

/** What the schedule needs to know of a monitor. */
export interface Timed {
  readonly id: string;
  readonly intervalMs: number;
  readonly recheckAfterMs: number;
  /** Answers in a row that turn it; a turn has at most one fewer rechecks. */
  readonly fall: number;
  /** Whom it asks, as far as the configuration says: a name or an address. */
  readonly host: string;
  readonly port: number;
}

interface Entry {
  timed: Timed;
  readonly phase: number;
  nextDueAt: Instant;
  /** Of what it asks: by name at first, by address once one is known. */
  place: string;
  waiting: Waiting | undefined;
  /** Since when it has had no turn at its place, after it lost one by waiting too long. */
  passedOverSince: Instant | undefined;
  /** What this probe's answers say; undefined before the first. */
  settled: 'ok' | 'fail' | undefined;
  /** Answers in a row against `settled`. */
  against: number;
  rechecks: number;
  recheckAt: Instant | undefined;
  /** Another region asked for the recheck to come. */
  forOthers: boolean;
}

/** A recheck to come; void when its monitor's `recheckAt` is another. */
interface Recheck {
  readonly at: Instant;
  readonly entry: Entry;
}

export interface Schedule {
  readonly seed: string;
  readonly entries: ReadonlyMap<string, Entry>;
  /** Every entry, once. */
  due: TinyQueue<Entry>;
  readonly rechecks: TinyQueue<Recheck>;
  readonly places: Places;
  readonly budget: Budget;
  turnedAt: Instant;
  /** Of who lined up last. */
  serial: number;
}

export interface Start {
  readonly id: string;
  readonly dueAt: Instant;
  readonly recheck: boolean;
}

/** What one turn of the schedule asks the driver to do, in this order. */
export interface Turn {
  /** Rechecks to be ended: a scheduled check needs their place. Their answers are not to be told. */
  readonly giveUp: readonly string[];
  readonly start: readonly Start[];
  /** Due times to be written as skipped. */
  readonly missed: readonly Missed[];
}

export interface Missed {
  readonly id: string;
  readonly dueAt: Instant;
  /** Because its place was taken all the time, and not because the probe was late. */
  readonly busy: boolean;
}

/** After a long sleep only so many missed times of a monitor are written; the others are silence, which counts the same. */
export const maxMissed = 10;

/** A schedule for these monitors; what is known of those that stay the same is taken over from `before`, which ends. */
export function makeSchedule(
  monitors: readonly Timed[],
  seed: string,
  probe: string,
  now: Instant,
  hash: Hash,
  before?: Schedule,
): Schedule {
  const entries = new Map<string, Entry>();
  for (const timed of monitors) {
    const known = before?.seed === seed ? before.entries.get(timed.id) : undefined;
    entries.set(timed.id, (known && kept(known, timed)) ?? newEntry(timed, seed, probe, now, hash));
  }
  for (const old of before?.entries.values() ?? []) {
    if (entries.get(old.timed.id) !== old) drop(old);
  }
  const all = [...entries.values()];
  const perMs = all.reduce((sum, { timed }) => sum + 1 / timed.intervalMs, 0);
  return {
    seed,
    entries,
    due: byDue(all),
    rechecks: new TinyQueue(all.flatMap(recheckOf), (a, b) => a.at - b.at),
    places: before?.places ?? makePlaces(),
    budget: makeBudget(perMs, now, before?.budget),
    turnedAt: before?.turnedAt ?? now,
    serial: before?.serial ?? 0,
  };
}

function byDue(entries: Entry[]): TinyQueue<Entry> {
  return new TinyQueue(entries, (a, b) => a.nextDueAt - b.nextDueAt);
}

function newEntry(timed: Timed, seed: string, probe: string, now: Instant, hash: Hash): Entry {
  const phase = phaseMs(seed, timed.id, probe, timed.intervalMs, hash);
  return {
    timed,
    phase,
    nextDueAt: nextDueAt(now, phase, timed.intervalMs),
    place: placeOf(timed.host, timed.port),
    waiting: undefined,
    passedOverSince: undefined,
    settled: undefined,
    against: 0,
    rechecks: 0,
    recheckAt: undefined,
    forOthers: false,
  };
}

function kept(known: Entry, timed: Timed): Entry | undefined {
  if (known.timed.intervalMs !== timed.intervalMs) return undefined;
  const { host, port } = known.timed;
  if (host !== timed.host || port !== timed.port) known.place = placeOf(timed.host, timed.port);
  known.timed = timed;
  return known;
}

function placeOf(host: string, port: number): string {
  return `${host} ${port}`;
}

function recheckOf(entry: Entry): Recheck[] {
  return entry.recheckAt === undefined ? [] : [{ at: entry.recheckAt, entry }];
}

function drop(entry: Entry): void {
  if (entry.waiting) entry.waiting.dropped = true;
  entry.waiting = undefined;
}

/** The next instant at which a turn has something to do, perhaps past; undefined without monitors. */
export function wakeAt({ due, rechecks, places, turnedAt }: Schedule): Instant | undefined {
  const next = due.peek();
  if (!next) return undefined;
  if (places.changed.size > 0) return turnedAt;
  return Math.min(next.nextDueAt, rechecks.peek()?.at ?? Infinity);
}

/** What is due now, as far as there is room for it. */
export function turn(schedule: Schedule, now: Instant): Turn {
  const giveUp: string[] = [];
  const start: Start[] = [];
  const missed: Missed[] = [];
  if (now < schedule.turnedAt) wentBack(schedule, now);
  schedule.turnedAt = now;
  const { due, rechecks, places, entries } = schedule;
  for (let next = due.peek(); next && next.nextDueAt <= now; next = due.peek()) {
    due.pop();
    const { id } = next.timed;
    if (places.asking.get(id)?.recheck) {
      leave(places, id);
      giveUp.push(id);
    }
    missed.push(...fallDue(schedule, next, now));
    due.push(next);
  }
  for (let next = rechecks.peek(); next && next.at <= now; next = rechecks.peek()) {
    rechecks.pop();
    const { entry, at } = next;
    if (entry.recheckAt !== at) continue;
    entry.recheckAt = undefined;
    if (!isBusy(schedule, entry)) queue(schedule, entry, at, true, entry.forOthers);
  }
  fill(places, {
    wanted: (waiting) => {
      const entry = entries.get(waiting.id);
      if (!entry) return false;
      entry.waiting = undefined;
      if (waiting.recheck)
        return !places.asking.has(waiting.id) && take(schedule.budget, now, waiting.forOthers);
      const isTooLate = now - waiting.dueAt > entry.timed.intervalMs / 2;
      if (isTooLate) missed.push({ id: waiting.id, dueAt: waiting.dueAt, busy: true });
      entry.passedOverSince = isTooLate ? waiting.since : undefined;
      return !isTooLate;
    },
    start: ({ id, dueAt, recheck }) => start.push({ id, dueAt, recheck }),
    giveUp: (id) => giveUp.push(id),
  });
  return { giveUp, start, missed };
}

/**
 * The wall clock went back. A due time that was taken is not taken again, so by up to an interval, in sum, the entry waits
 * until the clock is where it was: two lines of one due time would both not count. Longer waits would be silence: then it
 * starts anew at the next due time by the clock as it is now.
 */
function wentBack(schedule: Schedule, now: Instant): void {
  for (const entry of schedule.entries.values()) {
    const { intervalMs } = entry.timed;
    const takenAt = entry.nextDueAt - intervalMs;
    if (takenAt - now <= intervalMs) continue;
    entry.nextDueAt = nextDueAt(now, entry.phase, intervalMs);
    entry.recheckAt = undefined;
    drop(entry);
    entry.passedOverSince = undefined;
  }
  schedule.due = byDue([...schedule.entries.values()]);
}

/** Lines the entry up for its newest due time and gives those that it has missed. */
function fallDue(schedule: Schedule, entry: Entry, now: Instant): Missed[] {
  const { id, intervalMs } = entry.timed;
  const after = nextDueAt(now, entry.phase, intervalMs);
  const latest = after - intervalMs;
  const isInTime = now - latest <= intervalMs / 2;
  const startable = isInTime && !schedule.places.asking.has(id);
  const lastMissed = startable ? latest - intervalMs : latest;
  const waits = entry.waiting?.recheck === false ? entry.waiting : undefined;
  const oldest = waits?.dueAt ?? entry.nextDueAt;
  const missed: Missed[] = [];
  let at = Math.max(oldest, lastMissed - (maxMissed - 1) * intervalMs);
  for (; at <= lastMissed; at += intervalMs) {
    // It stood in line for this one, or its own last check still runs.
    missed.push({ id, dueAt: at, busy: waits?.dueAt === at || (at === latest && isInTime) });
  }
  entry.nextDueAt = after;
  // A scheduled check answers the same question.
  entry.recheckAt = undefined;
  if (startable && waits) {
    waits.dueAt = latest;
  } else {
    if (waits) entry.passedOverSince = waits.since;
    drop(entry);
    if (startable) queue(schedule, entry, latest, false);
  }
  return missed;
}

function queue(schedule: Schedule, entry: Entry, dueAt: Instant, recheck: boolean, forOthers = false): void {
  const since = recheck ? dueAt : (entry.passedOverSince ?? dueAt);
  schedule.serial += 1;
  const { id } = entry.timed;
  entry.waiting = { id, dueAt, recheck, forOthers, since, serial: schedule.serial, dropped: false };
  lineUp(schedule.places, entry.place, entry.waiting);
}

function isBusy({ places }: Schedule, { timed, waiting }: Entry): boolean {
  return waiting !== undefined || places.asking.has(timed.id);
}

function wantRecheck(schedule: Schedule, entry: Entry, at: Instant, forOthers: boolean): void {
  entry.forOthers = forOthers;
  entry.recheckAt = at;
  schedule.rechecks.push({ at, entry });
}

/**
 * A check has ended: what it says may be known later. `address` is what was connected to: two names of one address are one
 * place.
 */
export function ended(schedule: Schedule, id: string, address?: string): void {
  leave(schedule.places, id);
  const entry = schedule.entries.get(id);
  if (entry && address !== undefined) entry.place = placeOf(address, entry.timed.port);
}

/**
 * Takes an answer in: one that contradicts what was known asks for a recheck, unless the scheduled check comes first or
 * the turn has had its rechecks. The budget for all monitors is asked when it starts. `said` is undefined for an answer
 * that says nothing of the target.
 */
export function answered(
  schedule: Schedule,
  id: string,
  said: 'ok' | 'fail' | undefined,
  now: Instant,
): void {
  const entry = schedule.entries.get(id);
  if (!entry || said === undefined) return;
  judge(entry, said);
  const at = now + entry.timed.recheckAfterMs;
  if (entry.against === 0 || entry.rechecks >= entry.timed.fall - 1 || at >= entry.nextDueAt) return;
  entry.rechecks += 1;
  wantRecheck(schedule, entry, at, false);
}

function judge(entry: Entry, said: 'ok' | 'fail'): void {
  entry.recheckAt = undefined;
  const isNews = entry.settled !== undefined && entry.settled !== said;
  if (isNews) entry.against += 1;
  if (isNews && entry.against < entry.timed.fall) return;
  entry.settled = said;
  entry.against = 0;
  entry.rechecks = 0;
}

/**
 * Somebody else asks to look at these now: from the same budget, and only where nothing runs and the scheduled check is
 * not about to come anyway. Ids that are not known are passed over.
 */
export function asked(schedule: Schedule, ids: readonly string[], now: Instant): void {
  for (const id of ids) {
    const entry = schedule.entries.get(id);
    // A recheck of its own is about to come, and does not hang on what is left for others.
    if (!entry || isBusy(schedule, entry) || entry.recheckAt !== undefined) continue;
    if (entry.nextDueAt - now > entry.timed.recheckAfterMs) wantRecheck(schedule, entry, now, true);
  }
}
