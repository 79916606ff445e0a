/**
 * A month of one subject: what the rule counts in each of its UTC days, by plane. Another day is put in without reading
 * the rest, as long as it has the planes that the month has. Small, so that a page of SQLite holds several months and none
 * spills into a page of its own.
 */
import type { RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { compareBytewise, concat } from '@highwater/config/proof/bytes.ts';
import { daysOfMonth, monthOfDay } from '@highwater/config/proof/rule/period.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';
import { readTotals, skipTotals, writeTotals } from './month-totals.ts';
import { keptTotals, newTotals } from './totals-sum.ts';

/** By plane ('' is what was agreed, else the region) of one day. */
export type DayTotals = ReadonlyMap<string, RuleTotals>;

export { daysOfMonth, monthOfDay };

const VERSION = 2;

/** How a day begins: it has all planes of the month, or a byte for each tells whether. */
const ALL_PLANES = 0;
const SOME_PLANES = 1;

const writer = new ByteWriter();

function dayBytes(names: readonly string[], day: DayTotals): Uint8Array {
  const hasAll = names.every((name) => day.has(name));
  writer.byte(hasAll ? ALL_PLANES : SOME_PLANES);
  if (!hasAll) for (const name of names) writer.byte(day.has(name) ? 1 : 0);
  for (const name of names) {
    const totals = day.get(name);
    if (totals !== undefined) writeTotals(writer, totals);
  }
  return writer.take();
}

/** @param base UTC day that the numbers of days are counted from: the first of the month that begins the block */
function headBytes(base: number, names: readonly string[]): Uint8Array {
  writer.byte(VERSION);
  writer.number(base);
  writer.number(names.length);
  for (const name of names) writer.text(name);
  return writer.take();
}

interface Head {
  readonly base: number;
  readonly names: readonly string[];
}

function readHead(reader: ByteReader): Head {
  const version = reader.byte();
  if (version !== VERSION) throw new RangeError(`a month of version ${version}`);
  const base = reader.number();
  return { base, names: Array.from({ length: reader.number() }, () => reader.text()) };
}

interface Place {
  readonly day: number;
  /** Of the day with its number and length, and of its bytes alone. */
  readonly from: number;
  readonly start: number;
  readonly to: number;
}

interface Opened extends Head {
  readonly head: number;
  readonly days: readonly Place[];
}

function open(block: Uint8Array): Opened {
  const reader = new ByteReader(block);
  const { base, names } = readHead(reader);
  const head = reader.at;
  const days: Place[] = [];
  while (!reader.isDone) {
    const from = reader.at;
    const day = base + reader.number();
    const length = reader.number();
    const start = reader.at;
    reader.skip(length);
    if (reader.at > block.length) throw new RangeError('a month ends too early');
    days.push({ day, from, start, to: reader.at });
  }
  return { base, names, head, days };
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
  const [first] = sorted;
  if (first === undefined) return new Uint8Array(0);
  const base = daysOfMonth(monthOfDay(first[0])).first;
  return concat(
    headBytes(base, names),
    ...sorted.map(([day, totals]) => placed(day - base, dayBytes(names, totals))),
  );
}

/** By plane, by UTC day number. Throws RangeError for a damaged block. */
export function decodeMonth(block: Uint8Array): Map<string, Map<number, RuleTotals>> {
  const { names, days } = open(block);
  const planes = new Map(names.map((name) => [name, new Map<number, RuleTotals>()]));
  for (const place of days) {
    for (const [name, totals] of dayAt(block, names, place)) planes.get(name)?.set(place.day, totals);
  }
  return planes;
}

function dayAt(block: Uint8Array, names: readonly string[], { start }: Place): DayTotals {
  const reader = new ByteReader(block, start);
  const own = reader.byte() === ALL_PLANES ? names : names.filter(() => reader.byte() === 1);
  const into = newTotals();
  return new Map(
    own.map((name) => {
      readTotals(reader, into);
      return [name, keptTotals(into)] as const;
    }),
  );
}

/**
 * Tells one plane of the month, day by day in their order, without reading the others. `totals` is filled again for the
 * next day: whoever keeps it makes a copy. Throws RangeError for a damaged block.
 */
export function eachOfPlane(
  block: Uint8Array,
  plane: string,
  visit: (day: number, totals: RuleTotals) => void,
): void {
  const reader = new ByteReader(block);
  const { base, names } = readHead(reader);
  const at = names.indexOf(plane);
  if (at < 0) return;
  const totals = newTotals();
  while (!reader.isDone) {
    const day = base + reader.number();
    const length = reader.number();
    const end = reader.at + length;
    if (end > block.length) throw new RangeError('a month ends too early');
    let before = at;
    let isThere = true;
    if (reader.byte() === SOME_PLANES) {
      before = 0;
      for (let i = 0; i < names.length; i += 1) {
        const has = reader.byte() === 1;
        if (i === at) isThere = has;
        else if (i < at && has) before += 1;
      }
    }
    if (isThere) {
      for (let i = 0; i < before; i += 1) skipTotals(reader);
      readTotals(reader, totals);
      visit(day, totals);
    }
    reader.skip(end - reader.at);
  }
}

/** '' and the regions that some day has. */
export function planesOfMonth(block: Uint8Array): readonly string[] {
  return readHead(new ByteReader(block)).names;
}

/** One plane of the month, by UTC day number. Throws RangeError for a damaged block. */
export function planeOfMonth(block: Uint8Array, plane: string): Map<number, RuleTotals> {
  const days = new Map<number, RuleTotals>();
  eachOfPlane(block, plane, (day, totals) => days.set(day, keptTotals(totals)));
  return days;
}

/** One day of the month, without reading the others; empty where it has none. */
export function dayOfBlock(block: Uint8Array, day: number): DayTotals {
  const { names, days } = open(block);
  const place = days.find((each) => each.day === day);
  return place === undefined ? new Map() : dayAt(block, names, place);
}

/** The block's bytes without those of a day: they are the same as long as no other day has changed. */
export function besideDay(block: Uint8Array, day: number): readonly Uint8Array[] {
  const place = open(block).days.find((each) => each.day === day);
  return place === undefined ? [block] : [block.subarray(0, place.from), block.subarray(place.to)];
}

/** The month with a day put in or replaced. */
export function monthWith(block: Uint8Array | undefined, day: number, totals: DayTotals): Uint8Array {
  if (block === undefined || block.length === 0) return encodeMonth(new Map([[day, totals]]));
  const { base, names, head, days } = open(block);
  const isFitting = day >= base && totals.size === names.length && names.every((name) => totals.has(name));
  if (!isFitting) {
    const all = new Map(days.map((place) => [place.day, dayAt(block, names, place)] as const));
    return encodeMonth(all.set(day, totals));
  }
  const before = days.filter((each) => each.day < day).at(-1)?.to ?? head;
  const after = days.find((each) => each.day > day)?.from ?? block.length;
  return concat(
    block.subarray(0, before),
    placed(day - base, dayBytes(names, totals)),
    block.subarray(after),
  );
}
