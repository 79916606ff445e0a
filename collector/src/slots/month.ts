/**
 * A month of one subject: what the rule counts in each of its UTC days, by plane. Another day is put in without reading
 * the rest, as long as it has the planes that the month has.
 */
import { type Counts, emptyCounts, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { compareBytewise, concat } from '@highwater/config/proof/bytes.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';

/** By plane ('' is what was agreed, else the region) of one day. */
export type DayTotals = ReadonlyMap<string, RuleTotals>;

export { daysOfMonth, monthOfDay } from '@highwater/config/proof/rule/period.ts';

const VERSION = 1;

/** What is written of a minute's counts, the most usual first; the others are sums of these. */
const written = [
  'up',
  'requests',
  'down',
  'degraded',
  'stalled',
  'unknownNoData',
  'unknownSplit',
  'unknownProbe',
  'unknownClock',
] as const satisfies readonly (keyof Counts)[];
/** And after them, how many requests failed. */
const FIELDS = written.length + 1;

function numbersOf(counts: Counts): number[] {
  return [...written.map((key) => counts[key]), counts.requests - counts.succeeded];
}

/** Bits of the numbers that are not 0, and these. */
function writeTotals(into: ByteWriter, totals: RuleTotals): void {
  const numbers = [...numbersOf(totals), ...numbersOf(totals.inMaintenance)];
  into.number(numbers.reduce((bits, value, i) => bits + (value === 0 ? 0 : 2 ** i), 0));
  for (const value of numbers) if (value !== 0) into.number(value);
}

/** Of a minute's counts and of those in maintenance: bits of what is not 0. */
const HALF = 2 ** FIELDS;

/** In the order of `written`. Spelt out: a page reads many thousands of these. */
function readCounts(from: ByteReader, bits: number): Counts {
  if (bits === 0) return emptyCounts;
  const next = (bit: number): number => (((bits >> bit) & 1) === 0 ? 0 : from.number());
  const up = next(0);
  const requests = next(1);
  const down = next(2);
  const degraded = next(3);
  const stalled = next(4);
  const unknownNoData = next(5);
  const unknownSplit = next(6);
  const unknownProbe = next(7);
  const unknownClock = next(8);
  const succeeded = requests - next(9);
  return {
    up,
    down,
    unknown: unknownNoData + unknownSplit + unknownProbe + unknownClock,
    stalled,
    degraded,
    unknownNoData,
    unknownSplit,
    unknownProbe,
    unknownClock,
    requests,
    succeeded,
  };
}

function readTotals(from: ByteReader): RuleTotals {
  const bits = from.number();
  if (bits >= HALF * HALF) throw new RangeError('not the totals of a day');
  const outside = readCounts(from, bits % HALF);
  const inMaintenance = readCounts(from, Math.floor(bits / HALF));
  const { up, down, unknown, stalled } = inMaintenance;
  return {
    up: outside.up,
    down: outside.down,
    unknown: outside.unknown,
    stalled: outside.stalled,
    degraded: outside.degraded,
    unknownNoData: outside.unknownNoData,
    unknownSplit: outside.unknownSplit,
    unknownProbe: outside.unknownProbe,
    unknownClock: outside.unknownClock,
    requests: outside.requests,
    succeeded: outside.succeeded,
    maintenance: up + down + unknown + stalled,
    inMaintenance,
  };
}

function skipTotals(from: ByteReader): void {
  for (let bits = from.number(); bits > 0; bits = Math.floor(bits / 2)) if (bits % 2 === 1) from.number();
}

const writer = new ByteWriter();

/** The day's bytes: which of the month's planes it has, and their totals. */
function dayBytes(names: readonly string[], day: DayTotals): Uint8Array {
  for (const name of names) writer.byte(day.has(name) ? 1 : 0);
  for (const name of names) {
    const totals = day.get(name);
    if (totals !== undefined) writeTotals(writer, totals);
  }
  return writer.take();
}

function headBytes(names: readonly string[]): Uint8Array {
  writer.byte(VERSION);
  writer.number(names.length);
  for (const name of names) writer.text(name);
  return writer.take();
}

interface Place {
  readonly day: number;
  /** Of the day with its number and length, and of its bytes alone. */
  readonly from: number;
  readonly start: number;
  readonly to: number;
}

interface Opened {
  readonly names: readonly string[];
  readonly head: number;
  readonly days: readonly Place[];
}

function readNames(reader: ByteReader): string[] {
  const version = reader.byte();
  if (version !== VERSION) throw new RangeError(`a month of version ${version}`);
  return Array.from({ length: reader.number() }, () => reader.text());
}

function open(block: Uint8Array): Opened {
  const reader = new ByteReader(block);
  const names = readNames(reader);
  const head = reader.at;
  const days: Place[] = [];
  while (!reader.isDone) {
    const from = reader.at;
    const day = reader.number();
    const length = reader.number();
    const start = reader.at;
    reader.skip(length);
    if (reader.at > block.length) throw new RangeError('a month ends too early');
    days.push({ day, from, start, to: reader.at });
  }
  return { names, head, days };
}

function placed(day: number, bytes: Uint8Array): Uint8Array {
  writer.number(day);
  writer.number(bytes.length);
  writer.bytes(bytes);
  return writer.take();
}

/** By UTC day number. Empty when no day has anything. */
export function encodeMonth(days: ReadonlyMap<number, DayTotals>): Uint8Array {
  const names = [...new Set([...days.values()].flatMap((day) => [...day.keys()]))].sort(compareBytewise);
  const sorted = [...days].filter(([, day]) => day.size > 0).sort(([a], [b]) => a - b);
  if (sorted.length === 0) return new Uint8Array(0);
  return concat(headBytes(names), ...sorted.map(([day, totals]) => placed(day, dayBytes(names, totals))));
}

/** By plane, by UTC day number. Throws RangeError for a damaged block. */
export function decodeMonth(block: Uint8Array): Map<string, Map<number, RuleTotals>> {
  const { names, days } = open(block);
  const planes = new Map(names.map((name) => [name, new Map<number, RuleTotals>()]));
  for (const { day, start } of days) {
    const reader = new ByteReader(block, start);
    const own = names.filter(() => reader.byte() === 1);
    for (const name of own) planes.get(name)?.set(day, readTotals(reader));
  }
  return planes;
}

/** One plane of the month, by UTC day number, without reading the others. Throws RangeError for a damaged block. */
export function planeOfMonth(block: Uint8Array, plane: string): Map<number, RuleTotals> {
  const reader = new ByteReader(block);
  const names = readNames(reader);
  const at = names.indexOf(plane);
  const totals = new Map<number, RuleTotals>();
  if (at < 0) return totals;
  while (!reader.isDone) {
    const day = reader.number();
    const length = reader.number();
    const start = reader.at;
    if (start + length > block.length) throw new RangeError('a month ends too early');
    if (block[start + at] === 1) {
      reader.skip(names.length);
      for (let i = 0; i < at; i += 1) if (block[start + i] === 1) skipTotals(reader);
      totals.set(day, readTotals(reader));
    }
    reader.skip(start + length - reader.at);
  }
  return totals;
}

/** One day of the month, without reading the others; empty where it has none. */
export function dayOfBlock(block: Uint8Array, day: number): DayTotals {
  const { names, days } = open(block);
  const place = days.find((each) => each.day === day);
  if (place === undefined) return new Map();
  const reader = new ByteReader(block, place.start);
  const own = names.filter(() => reader.byte() === 1);
  return new Map(own.map((name) => [name, readTotals(reader)]));
}

/** The block's bytes without those of a day: they are the same as long as no other day has changed. */
export function besideDay(block: Uint8Array, day: number): readonly Uint8Array[] {
  const place = open(block).days.find((each) => each.day === day);
  return place === undefined ? [block] : [block.subarray(0, place.from), block.subarray(place.to)];
}

/** The month with a day put in or replaced. */
export function monthWith(block: Uint8Array | undefined, day: number, totals: DayTotals): Uint8Array {
  if (block === undefined) return encodeMonth(new Map([[day, totals]]));
  const { names, head, days } = open(block);
  const isFitting = totals.size === names.length && names.every((name) => totals.has(name));
  if (!isFitting) {
    const all = new Map<number, Map<string, RuleTotals>>();
    for (const [name, each] of decodeMonth(block)) {
      for (const [other, sum] of each) {
        const own = all.get(other) ?? new Map<string, RuleTotals>();
        all.set(other, own.set(name, sum));
      }
    }
    return encodeMonth(new Map([...all, [day, totals]]));
  }
  const before = days.filter((each) => each.day < day).at(-1)?.to ?? head;
  const after = days.find((each) => each.day > day)?.from ?? block.length;
  return concat(block.subarray(0, before), placed(day, dayBytes(names, totals)), block.subarray(after));
}
