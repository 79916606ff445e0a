/**
 * A day of whole numbers, one a minute, as runs of equal ones, and its bytes. Most minutes are as the one before; what
 * deviates for one minute and returns costs two bytes (how long nothing happened, and what did).
 */
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { ByteReader, ByteWriter } from './block-bytes.ts';

/** Pairs: a value, and for how many minutes. Neighbours differ; what is missing at the end is 0. */
export type Runs = number[];

/** A run from this length on is what later ones return to. */
const LONG = 16;

export function lengthOfRuns(runs: Runs): number {
  let length = 0;
  for (let i = 1; i < runs.length; i += 2) length += runs[i] ?? 0;
  return length;
}

export function appendRun(runs: Runs, value: number, minutes = 1): void {
  if (minutes <= 0) return;
  const last = runs.length - 2;
  if (runs[last] === value) runs[last + 1] = (runs[last + 1] ?? 0) + minutes;
  else runs.push(value, minutes);
}

/** The value of a minute of the day. */
export function runAt(runs: Runs, minute: number): number {
  let end = 0;
  for (let i = 0; i < runs.length; i += 2) {
    end += runs[i + 1] ?? 0;
    if (minute < end) return runs[i] ?? 0;
  }
  return 0;
}

/** The same with another value in one minute. */
export function runsWith(runs: Runs, minute: number, value: number): Runs {
  const made: Runs = [];
  let start = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [own, minutes] = [runs[i] ?? 0, runs[i + 1] ?? 0];
    if (minute >= start && minute < start + minutes) {
      appendRun(made, own, minute - start);
      appendRun(made, value);
      appendRun(made, own, start + minutes - minute - 1);
    } else appendRun(made, own, minutes);
    start += minutes;
  }
  appendRun(made, 0, minute - start);
  if (minute >= start) appendRun(made, value);
  return trimmed(made);
}

/** Without zeros at the end: the same day has one spelling. */
export function trimmed(runs: Runs): Runs {
  if (runs.length > 0 && runs.at(-2) === 0) runs.length -= 2;
  return runs;
}

export function runsOf(values: ArrayLike<number>): Runs {
  const runs: Runs = [];
  for (let i = 0; i < values.length; i += 1) appendRun(runs, values[i] ?? 0);
  return trimmed(runs);
}

/** Calls with each run's value and its first minute and the one after its last. */
export function eachRun(runs: Runs, each: (value: number, from: number, to: number) => void): void {
  let from = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const to = from + (runs[i + 1] ?? 0);
    each(runs[i] ?? 0, from, to);
    from = to;
  }
}

/** The different values, in the order in which they first occur. */
export function valuesOf(runs: Runs): number[] {
  const values = new Set<number>();
  for (let i = 0; i < runs.length; i += 2) values.add(runs[i] ?? 0);
  return [...values];
}

/** Bits beside a value's place: a length follows (else 1), a number of repetitions follows. */
const HAS_LENGTH = 1;
const HAS_REPEATS = 2;

/** The place that most tokens of one minute have, which are not repeated; the first of several, 0 of none. */
function usualOf(tokens: readonly number[]): number {
  const counts = new Map<number, number>();
  let usual = 0;
  for (let i = 0; i < tokens.length; i += 4) {
    const place = tokens[i + 1] ?? 0;
    if (tokens[i + 2] !== 1 || tokens[i + 3] !== 0) continue;
    const count = (counts.get(place) ?? 0) + 1;
    counts.set(place, count);
    if (count > (counts.get(usual) ?? 0)) usual = place;
  }
  return usual;
}

/**
 * How many tokens, the usual place, and each: minutes of what lies below (the last run of at least LONG), then the place of
 * a value and how long; for one minute of the usual place the minutes below say it all. Tokens that repeat are written once
 * with their number. At the end, minutes of what lies below.
 */
export function writeRuns(into: ByteWriter, runs: Runs, values: readonly number[]): void {
  const places = new Map(values.map((value, place) => [value, place]));
  const tokens: number[] = [];
  let below: number | undefined;
  let gap = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const [value, minutes] = [runs[i] ?? 0, runs[i + 1] ?? 0];
    if (value === below) {
      gap += minutes;
      continue;
    }
    const place = places.get(value) ?? 0;
    const last = tokens.length - 4;
    const isSame =
      minutes < LONG && tokens[last] === gap && tokens[last + 1] === place && tokens[last + 2] === minutes;
    if (isSame) tokens[last + 3] = (tokens[last + 3] ?? 0) + 1;
    else tokens.push(gap, place, minutes, 0);
    gap = 0;
    if (minutes >= LONG) below = value;
  }
  into.number(tokens.length / 4);
  const usual = usualOf(tokens);
  if (tokens.length > 0) into.number(usual);
  for (let i = 0; i < tokens.length; i += 4) {
    const [before, place, minutes, repeats] = [
      tokens[i] ?? 0,
      tokens[i + 1] ?? 0,
      tokens[i + 2] ?? 0,
      tokens[i + 3] ?? 0,
    ];
    const isUsual = place === usual && minutes === 1 && repeats === 0;
    into.number(2 * before + (isUsual ? 0 : 1));
    if (isUsual) continue;
    into.number(4 * place + (minutes === 1 ? 0 : HAS_LENGTH) + (repeats === 0 ? 0 : HAS_REPEATS));
    if (minutes !== 1) into.number(minutes);
    if (repeats !== 0) into.number(repeats);
  }
  into.number(gap);
}

/** Throws RangeError for what writeRuns did not write. */
export function readRuns(from: ByteReader, values: readonly number[]): Runs {
  const runs: Runs = [];
  let below = 0;
  const tokens = from.number();
  const usual = tokens === 0 ? 0 : from.number();
  for (let left = tokens; left > 0; left -= 1) {
    const before = from.number();
    const gap = Math.floor(before / 2);
    const flags = before % 2 === 0 ? 4 * usual : from.number();
    const value = values[Math.floor(flags / 4)];
    const minutes = (flags & HAS_LENGTH) === 0 ? 1 : from.number();
    const times = 1 + ((flags & HAS_REPEATS) === 0 ? 0 : from.number());
    if (value === undefined || times * (gap + minutes) > MINUTES_PER_DAY)
      throw new RangeError('not a day of runs');
    for (let i = 0; i < times; i += 1) {
      appendRun(runs, below, gap);
      appendRun(runs, value, minutes);
    }
    if (minutes >= LONG) below = value;
  }
  appendRun(runs, below, from.number());
  if (lengthOfRuns(runs) > MINUTES_PER_DAY) throw new RangeError('not a day of runs');
  return runs;
}
