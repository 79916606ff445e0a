/**
 * The bytes of one plane: its symbols and their runs; or, where that is large (a service of many monitors has another
 * number of requests every minute), bytes, requests and failures each on their own. Which of the two is written depends
 * on the plane alone.
 */
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import {
  appendRun,
  eachRun,
  readRuns,
  type Runs,
  runAt,
  runsOf,
  trimmed,
  valuesOf,
  writeRuns,
} from './runs.ts';
import { byteOfSymbol, failedOfSymbol, requestsOfSymbol, symbolOf } from './symbol.ts';
import { type ByteReader, ByteWriter } from './block-bytes.ts';

/** Bytes up to which a plane is written as it is without looking for better. */
const SMALL = 300;

const scratch = new ByteWriter();

function wholeBytes(runs: Runs): Uint8Array {
  const symbols = valuesOf(runs);
  scratch.number(symbols.length);
  for (const symbol of symbols) {
    scratch.byte(byteOfSymbol(symbol));
    scratch.number(requestsOfSymbol(symbol));
    scratch.number(failedOfSymbol(symbol));
  }
  writeRuns(scratch, runs, symbols);
  return scratch.take();
}

function readWhole(from: ByteReader): Runs {
  const symbols = Array.from({ length: from.number() }, () => {
    const byte = from.byte();
    const requests = from.number();
    return symbolOf(byte, requests, from.number());
  });
  return readRuns(from, symbols);
}

function mapped(runs: Runs, part: (symbol: number) => number): Runs {
  const made: Runs = [];
  for (let i = 0; i < runs.length; i += 2) appendRun(made, part(runs[i] ?? 0), runs[i + 1]);
  return trimmed(made);
}

/** As runs, or where that is shorter as numbers. */
function partBytes(runs: Runs): Uint8Array {
  const values = valuesOf(runs);
  scratch.byte(0);
  scratch.number(values.length);
  for (const value of values) scratch.number(value);
  writeRuns(scratch, runs, values);
  const asRuns = scratch.take();
  scratch.byte(1);
  let minutes = 0;
  eachRun(runs, (_, __, to) => (minutes = to));
  scratch.number(minutes);
  eachRun(runs, (value, first, to) => {
    for (let minute = first; minute < to; minute += 1) scratch.number(value);
  });
  const asNumbers = scratch.take();
  return asNumbers.length < asRuns.length ? asNumbers : asRuns;
}

function readPart(from: ByteReader): Runs {
  const isNumbers = from.byte() === 1;
  const count = from.number();
  if (isNumbers && count > MINUTES_PER_DAY) throw new RangeError('not a day of numbers');
  const values = Array.from({ length: count }, () => from.number());
  return isNumbers ? runsOf(values) : readRuns(from, values);
}

/** Into `into`: the mode, and the plane. */
export function writePlane(into: ByteWriter, runs: Runs): void {
  const whole = wholeBytes(runs);
  if (whole.length > SMALL) {
    const parts = [byteOfSymbol, requestsOfSymbol, failedOfSymbol].map((part) =>
      partBytes(mapped(runs, part)),
    );
    if (parts.reduce((sum, part) => sum + part.length, 0) < whole.length) {
      into.byte(1);
      for (const part of parts) into.bytes(part);
      return;
    }
  }
  into.byte(0);
  into.bytes(whole);
}

/** Throws RangeError for what writePlane did not write. */
export function readPlane(from: ByteReader): Runs {
  if (from.byte() === 0) return readWhole(from);
  const [bytes, requests, failed] = [readPart(from), readPart(from), readPart(from)];
  const made: Runs = [];
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    appendRun(made, symbolOf(runAt(bytes, minute), runAt(requests, minute), runAt(failed, minute)));
  }
  return trimmed(made);
}
