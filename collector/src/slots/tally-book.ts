/**
 * What each probe key saw of each monitor, by minute, as far as it is in memory: of minutes that are open or closed a
 * short while ago. Of others it is made again from the bodies.
 */
import { addTallies, emptyTally, type Tally } from '@highwater/config/proof/rule/probe-minute.ts';
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { classifier, type Classify } from './classify.ts';
import type { Ground } from './ground.ts';
import type { ReadLine, Torn } from './read-lines.ts';
import type { RosterOf } from './rosters.ts';
import type { Change, ReadBatch } from './standing.ts';
import type { WindowFinder } from './windows.ts';

/** By verifier key and monitor. */
type MinuteTallies = Map<string, Map<string, Tally>>;

/** What the tallies stand on. */
export interface Standpoint {
  readonly ground: Ground;
  readonly windows: WindowFinder;
  readonly rosterOf: RosterOf;
}

function subtract(a: Tally, b: Tally): Tally {
  return {
    ok: a.ok - b.ok,
    degraded: a.degraded - b.degraded,
    fail: a.fail - b.fail,
    old: a.old - b.old,
    probe: a.probe - b.probe,
    clock: a.clock - b.clock,
  };
}

/** Most tallies are some ok ones and nothing else: these are the same objects for all. */
const plain: Tally[] = Array.from({ length: 64 }, (_, ok) => Object.freeze({ ...emptyTally, ok }));
const shared = (tally: Tally): Tally =>
  tally.degraded + tally.fail + tally.probe + tally.clock === 0 ? (plain[tally.ok] ?? tally) : tally;

export class TallyBook {
  readonly #minutes = new Map<number, MinuteTallies>();
  /** Of these only monitors with long windows are left. */
  readonly #thinned = new Set<number>();
  /** Of these some bodies can't be read again: what is here tells less than was said. */
  readonly #gone = new Set<number>();

  /** Whether all of a minute is here; of monitors with long windows alone, where `isLong`. */
  has(minute: number, isLong = false): boolean {
    return this.#minutes.has(minute) && (isLong || !this.#thinned.has(minute));
  }

  /** Keeps of the minutes before one those of some monitors alone. */
  thin(before: number, isKept: (monitor: string) => boolean): void {
    for (const [minute, keys] of this.#minutes) {
      if (minute >= before || this.#thinned.has(minute)) continue;
      this.#thinned.add(minute);
      for (const monitors of keys.values()) {
        for (const monitor of monitors.keys()) if (!isKept(monitor)) monitors.delete(monitor);
      }
    }
  }

  /** From now on all of a minute is here: nothing yet. */
  start(minute: number): void {
    this.#minutes.set(minute, new Map());
    this.#thinned.delete(minute);
    this.#gone.delete(minute);
  }

  /** A batch over [first, last] can't be read again: of the minutes that are here not all is here. */
  lose({ first, last }: MinuteRange): void {
    for (const minute of this.#minutes.keys()) if (first <= minute && minute <= last) this.#gone.add(minute);
  }

  get hasGone(): boolean {
    return this.#gone.size > 0;
  }

  /** Whether of any of these minutes something can't be read again. */
  isGone({ first, last }: MinuteRange): boolean {
    if (!this.hasGone) return false;
    for (let minute = first; minute <= last; minute += 1) if (this.#gone.has(minute)) return true;
    return false;
  }

  of(minute: number, key: string, monitor: string): Tally | undefined {
    return this.#minutes.get(minute)?.get(key)?.get(monitor);
  }

  forget(isForgotten: (minute: number) => boolean): void {
    for (const minute of this.#minutes.keys()) if (isForgotten(minute)) this.#drop(minute);
  }

  #drop(minute: number): void {
    this.#minutes.delete(minute);
    this.#thinned.delete(minute);
    this.#gone.delete(minute);
  }

  /** Puts in what a batch changes of the minutes that are here, and of no others. */
  apply(point: Standpoint, change: Change): void {
    this.#sum(point, change.of, change.put.lines, addTallies);
    this.#sum(point, change.of, change.put.torn, addTallies);
    for (const { of, said } of change.taken) this.#sum(point, of, [said], subtract);
  }

  #sum(
    point: Standpoint,
    of: ReadBatch,
    all: readonly (ReadLine | Torn)[],
    join: (a: Tally, b: Tally) => Tally,
  ): void {
    let monitor = '';
    let minute = -1;
    let tallies: Map<string, Tally> | undefined;
    let classify: Classify | undefined;
    let sum = emptyTally;
    const put = (): void => {
      if (classify !== undefined)
        tallies?.set(monitor, shared(join(tallies.get(monitor) ?? emptyTally, sum)));
    };
    // Lines of one monitor and minute are neighbours.
    for (const said of all) {
      if (said.monitor !== monitor || said.minute !== minute) {
        put();
        sum = emptyTally;
        if (said.minute !== minute) tallies = this.#of(said.minute, of.key);
        ({ monitor, minute } = said);
        classify = tallies === undefined ? undefined : classifierAt(point, of, said);
      }
      if (classify !== undefined) sum = sum === emptyTally ? classify(said) : addTallies(sum, classify(said));
    }
    put();
  }

  #of(minute: number, key: string): Map<string, Tally> | undefined {
    const keys = this.#minutes.get(minute);
    if (keys === undefined) return undefined;
    const own = keys.get(key) ?? new Map<string, Tally>();
    keys.set(key, own);
    return own;
  }
}

/** Undefined for a line that counts for nothing: its monitor is not configured, or its probe does not speak for it. */
function classifierAt(point: Standpoint, of: ReadBatch, { monitor, minute }: Torn): Classify | undefined {
  const window = point.windows.at(monitor, minute);
  const probe = window === undefined ? undefined : point.rosterOf(window).byKey.get(of.key);
  if (window === undefined || probe?.id !== of.batch.probe) return undefined;
  return classifier(point.ground, of, window, probe);
}
