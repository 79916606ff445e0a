/**
 * A block of the view `heads`: one hour of a node or a reference. For each probe key and minute the highest height that it
 * reported: what a key says of a minute is replaced as a whole, so that what is taken back leaves no trace. A highest of
 * all of them would not tell what is next below it.
 */
import { compareBytewise } from '@highwater/config/proof/bytes.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';

export const MINUTES_AN_HOUR = 60;
/** In place of a height, where none was reported. */
export const NO_HEIGHT = -1;
/** No chain is so high; what a probe says beyond counts as nothing, so that differences are exact. */
export const MAX_HEIGHT = 2 ** 52;

/** Heights by minute of the hour. */
export type HourOfHeads = Float64Array;

/** By probe key, `NAME+KEYID`. */
export type Heads = ReadonlyMap<string, HourOfHeads>;

export function emptyHour(): HourOfHeads {
  return new Float64Array(MINUTES_AN_HOUR).fill(NO_HEIGHT);
}

const writer = new ByteWriter();
// What stands in place of how much higher a height is than the one before, and before a number.
const NONE = 0;
const LOWER = 1;
const HIGHER = 2;

function writeHour(hour: HourOfHeads): void {
  let before = 0;
  for (let minute = 0; minute < MINUTES_AN_HOUR; minute += 1) {
    const height = hour[minute] ?? NO_HEIGHT;
    if (height === NO_HEIGHT) writer.number(NONE);
    else if (height >= before) writer.number(height - before + HIGHER);
    else {
      writer.number(LOWER);
      writer.number(before - height);
    }
    if (height !== NO_HEIGHT) before = height;
  }
}

/** Keys that reported nothing are left out; a block without any has no bytes. */
export function encodeHeads(heads: Heads): Uint8Array {
  for (const [key, hour] of [...heads].sort(([a], [b]) => compareBytewise(a, b))) {
    if (hour.every((height) => height === NO_HEIGHT)) continue;
    writer.text(key);
    writeHour(hour);
  }
  return writer.take();
}

function readHour(reader: ByteReader): HourOfHeads {
  const hour = emptyHour();
  let before = 0;
  for (let minute = 0; minute < MINUTES_AN_HOUR; minute += 1) {
    const token = reader.number();
    if (token === NONE) continue;
    before += token === LOWER ? -reader.number() : token - HIGHER;
    hour[minute] = before;
  }
  return hour;
}

/** Throws RangeError for a block that ends too early. */
export function decodeHeads(block: Uint8Array): Map<string, HourOfHeads> {
  const reader = new ByteReader(block);
  const heads = new Map<string, HourOfHeads>();
  while (!reader.isDone) heads.set(reader.text(), readHour(reader));
  return heads;
}
