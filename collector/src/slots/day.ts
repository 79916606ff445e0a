/**
 * A day of one subject: its agreed plane and one for each region, in bytes that the same day always gives. The requests
 * of the agreed plane are those of its regions together, and are written only where they are not.
 */
import type { RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { readPlane, writePlane } from './plane-bytes.ts';
import { appendRun, eachRun, type Runs, trimmed } from './runs.ts';
import { byteOfSymbol, failedOfSymbol, requestsOfSymbol, symbolOf } from './symbol.ts';
import { openSum } from './totals-sum.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';

/** One minute each of 1,440. */
export interface DayPlane {
  /** Bytes of byte.ts; 0 where there is no slot. */
  readonly slots: Uint8Array;
  /** Single requests that counted, and those of them that succeeded. */
  readonly requests: Uint32Array;
  readonly succeeded: Uint32Array;
}

/** By plane: '' is what was agreed, else the region. */
export type DayRuns = ReadonlyMap<string, Runs>;

const VERSION = 1;
const HAS_AGREED = 1;
/** The agreed plane's requests are written: they are not its regions' together. */
const OWN_REQUESTS = 2;

/** Each minute of both, put together by `join`. */
function joined(a: Runs, b: Runs, join: (a: number, b: number) => number): Runs {
  const made: Runs = [];
  let [i, j, leftA, leftB] = [0, 0, a[1] ?? MINUTES_PER_DAY, b[1] ?? MINUTES_PER_DAY];
  for (let done = 0; done < MINUTES_PER_DAY;) {
    const step = Math.min(leftA, leftB, MINUTES_PER_DAY - done);
    appendRun(made, join(a[i] ?? 0, b[j] ?? 0), step);
    done += step;
    leftA -= step;
    leftB -= step;
    if (leftA === 0) leftA = a[(i += 2) + 1] ?? MINUTES_PER_DAY;
    if (leftB === 0) leftB = b[(j += 2) + 1] ?? MINUTES_PER_DAY;
  }
  return trimmed(made);
}

const added = (a: number, b: number): number =>
  symbolOf(0, requestsOfSymbol(a) + requestsOfSymbol(b), failedOfSymbol(a) + failedOfSymbol(b));

/** Requests and failures of all regions by minute, as symbols without a byte. */
function sumOfRegions(planes: DayRuns): Runs {
  let sum: Runs = [];
  for (const [region, runs] of planes) if (region !== '') sum = joined(sum, runs, added);
  return sum;
}

/** The agreed plane with its regions' requests, of one that has none. */
export function withRequests(agreed: Runs, planes: DayRuns): Runs {
  return joined(agreed, sumOfRegions(planes), byteWith);
}

const withoutByte = (symbol: number): number => symbol - byteOfSymbol(symbol);
const byteWith = (byte: number, requests: number): number => byteOfSymbol(byte) + requests;
const sameRuns = (a: Runs, b: Runs): boolean => a.length === b.length && a.every((each, i) => each === b[i]);

function mappedRuns(runs: Runs, each: (symbol: number) => number): Runs {
  const made: Runs = [];
  eachRun(runs, (symbol, from, to) => appendRun(made, each(symbol), to - from));
  return trimmed(made);
}

const writer = new ByteWriter();

/** @param isSum that the agreed plane has its regions' requests, and needs not be looked at (nor have any) */
export function encodeRuns(planes: DayRuns, isSum = false): Uint8Array {
  const agreed = planes.get('');
  const own =
    agreed !== undefined && !isSum && !sameRuns(mappedRuns(agreed, withoutByte), sumOfRegions(planes));
  const regions = [...planes.keys()].filter((name) => name !== '').sort();
  writer.byte(VERSION);
  writer.byte((agreed === undefined ? 0 : HAS_AGREED) | (own ? OWN_REQUESTS : 0));
  writer.number(regions.length);
  for (const region of regions) writer.text(region);
  if (agreed !== undefined) writePlane(writer, own ? agreed : mappedRuns(agreed, byteOfSymbol));
  for (const region of regions) writePlane(writer, planes.get(region) ?? []);
  return writer.take();
}

/** Throws RangeError for a block that is damaged, or of a version that is not known. */
export function decodeRuns(block: Uint8Array): Map<string, Runs> {
  const reader = new ByteReader(block);
  const version = reader.byte();
  if (version !== VERSION) throw new RangeError(`a day of version ${version}`);
  const flags = reader.byte();
  const regions = Array.from({ length: reader.number() }, () => reader.text());
  const planes = new Map<string, Runs>();
  const agreed = (flags & HAS_AGREED) === 0 ? undefined : readPlane(reader);
  if (agreed !== undefined) planes.set('', agreed);
  for (const region of regions) planes.set(region, readPlane(reader));
  if (agreed !== undefined && (flags & OWN_REQUESTS) === 0) {
    planes.set('', withRequests(agreed, planes));
  }
  return planes;
}

export function planeOfRuns(runs: Runs): DayPlane {
  const slots = new Uint8Array(MINUTES_PER_DAY);
  const requests = new Uint32Array(MINUTES_PER_DAY);
  const succeeded = new Uint32Array(MINUTES_PER_DAY);
  eachRun(runs, (symbol, from, to) => {
    const asked = requestsOfSymbol(symbol);
    slots.fill(byteOfSymbol(symbol), from, to);
    requests.fill(asked, from, to);
    succeeded.fill(asked - failedOfSymbol(symbol), from, to);
  });
  return { slots, requests, succeeded };
}

export function runsOfPlane({ slots, requests, succeeded }: DayPlane): Runs {
  const runs: Runs = [];
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    const asked = requests[minute] ?? 0;
    appendRun(runs, symbolOf(slots[minute] ?? 0, asked, asked - (succeeded[minute] ?? 0)));
  }
  return trimmed(runs);
}

export function encodeDay(planes: ReadonlyMap<string, DayPlane>): Uint8Array {
  return encodeRuns(new Map([...planes].map(([name, plane]) => [name, runsOfPlane(plane)])));
}

/** By plane: '' is what was agreed, else the region. Throws RangeError for a damaged block. */
export function decodeDay(block: Uint8Array): Map<string, DayPlane> {
  return new Map([...decodeRuns(block)].map(([name, runs]) => [name, planeOfRuns(runs)]));
}

/** What the rule counts in a plane's minutes of the day, both inclusive. */
export function totalsOfRuns(runs: Runs, first = 0, last = MINUTES_PER_DAY - 1): RuleTotals {
  const sum = openSum();
  eachRun(runs, (symbol, from, to) => {
    const minutes = Math.min(to, last + 1) - Math.max(from, first);
    if (minutes > 0) {
      const requests = requestsOfSymbol(symbol);
      sum.add(
        byteOfSymbol(symbol),
        minutes,
        requests * minutes,
        (requests - failedOfSymbol(symbol)) * minutes,
      );
    }
  });
  return sum.totals();
}

/** What the rule counts in a plane's minutes of the day, both inclusive. */
export function totalsOfPlane(
  { slots, requests, succeeded }: DayPlane,
  fromMinuteOfDay = 0,
  toMinuteOfDay = MINUTES_PER_DAY - 1,
): RuleTotals {
  const sum = openSum();
  for (let minute = fromMinuteOfDay; minute <= toMinuteOfDay; minute += 1) {
    sum.add(slots[minute] ?? 0, 1, requests[minute] ?? 0, succeeded[minute] ?? 0);
  }
  return sum.totals();
}
