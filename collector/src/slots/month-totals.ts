/**
 * What the rule counts in one UTC day, in a few bytes: what is usual is not written. Bits tell which numbers follow; `up` is
 * what the other minutes leave of the day, and requests are so many a minute, and what they differ from that.
 */
import type { Counts, RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { ByteReader, ByteWriter } from './block-bytes.ts';
import { type MutableCounts, type MutableTotals, minutesOf } from './totals-sum.ts';

/** In this order behind the bits: the most usual first, so that the bits are one byte on most days. */
const RATE = 1;
const FAILED = 2;
/** Requests beside the rate, zigzag. */
const BESIDE = 4;
const NO_DATA = 8;
const DEGRADED = 16;
const DOWN = 32;
/** Of a day: the minutes that it has no slot for, zigzag; in maintenance: up. */
const LEFT = 64;
const SPLIT = 128;
const PROBE = 256;
const CLOCK = 512;
const STALLED = 1_024;
const NUMBERS = 11;
/** The same of the minutes in maintenance, bits and numbers, follows. */
const MAINTENANCE = 2_048;

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
const unzigzag = (value: number): number => (value % 2 === 0 ? value / 2 : -(value + 1) / 2);

/** Minutes that requests are told by: where nothing was known there was mostly nobody who asked. */
const asking = (up: number, down: number): number => Math.max(1, up + down);

const numbers: number[] = [];

function writeCounts(into: ByteWriter, counts: Counts, left: number, more: number): void {
  const minutes = asking(counts.up, counts.down);
  const rate = Math.round(counts.requests / minutes);
  numbers.length = 0;
  numbers.push(
    rate,
    counts.requests - counts.succeeded,
    zigzag(counts.requests - rate * minutes),
    counts.unknownNoData,
    counts.degraded,
    counts.down,
    left,
    counts.unknownSplit,
    counts.unknownProbe,
    counts.unknownClock,
    counts.stalled,
  );
  into.number(numbers.reduce((bits, value, i) => (value === 0 ? bits : bits | (1 << i)), more));
  for (const value of numbers) if (value !== 0) into.number(value);
}

export function writeTotals(into: ByteWriter, totals: RuleTotals): void {
  const { inMaintenance } = totals;
  const left = MINUTES_PER_DAY - minutesOf(totals) - minutesOf(inMaintenance);
  const isMaintained = minutesOf(inMaintenance) + inMaintenance.requests > 0;
  writeCounts(into, totals, zigzag(left), isMaintained ? MAINTENANCE : 0);
  if (isMaintained) writeCounts(into, inMaintenance, inMaintenance.up, 0);
}

/** @returns the bits, with LEFT in `up` and the rate in `requests`, what is beside it in `succeeded`; failed in `unknown` */
function readRaw(from: ByteReader, into: MutableCounts): number {
  const bits = from.number();
  if (bits >= 2 * MAINTENANCE) throw new RangeError('not the totals of a day');
  into.requests = (bits & RATE) === 0 ? 0 : from.number();
  into.unknown = (bits & FAILED) === 0 ? 0 : from.number();
  into.succeeded = (bits & BESIDE) === 0 ? 0 : from.number();
  into.unknownNoData = (bits & NO_DATA) === 0 ? 0 : from.number();
  into.degraded = (bits & DEGRADED) === 0 ? 0 : from.number();
  into.down = (bits & DOWN) === 0 ? 0 : from.number();
  into.up = (bits & LEFT) === 0 ? 0 : from.number();
  into.unknownSplit = (bits & SPLIT) === 0 ? 0 : from.number();
  into.unknownProbe = (bits & PROBE) === 0 ? 0 : from.number();
  into.unknownClock = (bits & CLOCK) === 0 ? 0 : from.number();
  into.stalled = (bits & STALLED) === 0 ? 0 : from.number();
  return bits;
}

/** Makes counts of what was read, once `up` is there. */
function settle(into: MutableCounts): void {
  const failed = into.unknown;
  into.requests = into.requests * asking(into.up, into.down) + unzigzag(into.succeeded);
  into.succeeded = into.requests - failed;
  into.unknown = into.unknownNoData + into.unknownSplit + into.unknownProbe + into.unknownClock;
}

function clear(into: MutableCounts): void {
  into.up = 0;
  into.down = 0;
  into.unknown = 0;
  into.stalled = 0;
  into.degraded = 0;
  into.unknownNoData = 0;
  into.unknownSplit = 0;
  into.unknownProbe = 0;
  into.unknownClock = 0;
  into.requests = 0;
  into.succeeded = 0;
}

/** Fills `into`, all of it. Throws RangeError for what is not the totals of a day. */
export function readTotals(from: ByteReader, into: MutableTotals): void {
  const bits = readRaw(from, into);
  const { inMaintenance } = into;
  if ((bits & MAINTENANCE) === 0) {
    if (into.maintenance > 0 || inMaintenance.requests > 0) clear(inMaintenance);
    into.maintenance = 0;
  } else {
    readRaw(from, inMaintenance);
    settle(inMaintenance);
    into.maintenance = minutesOf(inMaintenance);
  }
  const unknown = into.unknownNoData + into.unknownSplit + into.unknownProbe + into.unknownClock;
  const others = into.down + unknown + into.stalled + into.maintenance;
  into.up = MINUTES_PER_DAY - unzigzag(into.up) - others;
  if (into.up < 0) throw new RangeError('not the totals of a day');
  settle(into);
}

/** Past the totals of a day. */
export function skipTotals(from: ByteReader): void {
  const bits = from.number();
  for (let i = 0; i < NUMBERS; i += 1) if ((bits & (1 << i)) !== 0) from.number();
  if ((bits & MAINTENANCE) !== 0) skipTotals(from);
}
