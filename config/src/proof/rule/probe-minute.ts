/** What one probe saw of one monitor in a minute or window, and what it therefore says (CONTRACTS "Probe, minute"). */
import type { LineClass } from './none.ts';
import type { Say, UnknownCause } from './slot.ts';

/** Counts of lines; sums of tallies are tallies, in any order. */
export interface Tally {
  readonly ok: number;
  readonly degraded: number;
  readonly fail: number;
  /** Of the failing ones, those with `target.head.old`. */
  readonly old: number;
  /** Lines that say nothing, by what they tell of the hole that they leave. */
  readonly probe: number;
  readonly clock: number;
}

export const emptyTally: Tally = { ok: 0, degraded: 0, fail: 0, old: 0, probe: 0, clock: 0 };

export function addTallies(a: Tally, b: Tally): Tally {
  return {
    ok: a.ok + b.ok,
    degraded: a.degraded + b.degraded,
    fail: a.fail + b.fail,
    old: a.old + b.old,
    probe: a.probe + b.probe,
    clock: a.clock + b.clock,
  };
}

const one = (part: Partial<Tally>): Tally => Object.freeze({ ...emptyTally, ...part });
/** Of one line: the same objects for all, since there are very many lines. */
const tallies = {
  ok: one({ ok: 1 }),
  degraded: one({ degraded: 1 }),
  fail: one({ fail: 1 }),
  probe: one({ probe: 1 }),
  clock: one({ clock: 1 }),
};

/** The tally of one line. */
export function tallyOf(line: LineClass): Tally {
  if (line.as === null) {
    return line.cause === 'probe' || line.cause === 'clock' ? tallies[line.cause] : emptyTally;
  }
  return line.old ? { ...tallies[line.as], old: 1 } : tallies[line.as];
}

/** Down if f > 0 and f >= o, up if o > f, else none; f failing, o ok or degraded lines. */
export function probeMinute({ f, o }: { readonly f: number; readonly o: number }): Say {
  if (f > 0 && f >= o) return 'down';
  return o > f ? 'up' : 'none';
}

/** probeMinute of a tally. */
export function sayOf(tally: Tally): Say {
  return probeMinute({ f: tally.fail, o: tally.ok + tally.degraded });
}

/** Why a tally that says nothing is empty. */
export function silenceOf(tally: Tally): UnknownCause {
  if (tally.probe > 0 && tally.probe >= tally.clock) return 'probe';
  return tally.clock > 0 ? 'clock' : 'no-data';
}
