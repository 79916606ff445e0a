/**
 * A block of the view `heads`: one hour of a node or a reference. For each probe key and minute the heights that its lines
 * reported, so that one that is taken back leaves no trace: a highest of all would not tell what is next below it.
 */
import { compareBytewise } from '@highwater/config/proof/bytes.ts';
import { ByteReader, ByteWriter } from './block-bytes.ts';

export const MINUTES_AN_HOUR = 60;
/** No chain is so high; what a probe says beyond counts as nothing, so that tokens are exact. */
export const MAX_HEIGHT = 2 ** 50;
/**
 * Lines of a minute whose heights are kept, the highest: several checks that ask each second have fewer. In any order the
 * same are left, since one that was turned away would be turned away again.
 */
export const MAX_HEIGHTS = 256;

/** By minute of the hour, the heights in descending order, one for each line; a minute without any is a hole. */
export type HourOfHeads = (readonly number[] | undefined)[];

/** By probe key, `NAME+KEYID`. */
export type Heads = ReadonlyMap<string, HourOfHeads>;

const writer = new ByteWriter();
// How much higher the highest of a minute is than that of the one before, and what stands in its place.
const NONE = 0;
const LOWER = 1;
const HIGHER = 2;
/** Up to so many lines stand beside it; of more the rest follows. */
const FEW = 4;

function writeHour(hour: HourOfHeads): void {
  let before = 0;
  for (let minute = 0; minute < MINUTES_AN_HOUR; minute += 1) {
    const [highest, ...others] = hour[minute] ?? [];
    if (highest === undefined) {
      writer.number(NONE);
      continue;
    }
    const more = Math.min(others.length, FEW - 1);
    const step = highest >= before ? highest - before + HIGHER : LOWER;
    writer.number(step * FEW + more);
    if (step === LOWER) writer.number(before - highest);
    if (more === FEW - 1) writer.number(others.length - more);
    before = highest;
    let above = highest;
    for (const height of others) {
      writer.number(above - height);
      above = height;
    }
  }
}

/** Keys that reported nothing are left out; a block without any has no bytes. */
export function encodeHeads(heads: Heads): Uint8Array {
  for (const [key, hour] of [...heads].sort(([a], [b]) => compareBytewise(a, b))) {
    if (!hour.some((heights) => heights !== undefined && heights.length > 0)) continue;
    writer.text(key);
    writeHour(hour);
  }
  return writer.take();
}

function readHour(reader: ByteReader): HourOfHeads {
  const hour: HourOfHeads = [];
  let before = 0;
  for (let minute = 0; minute < MINUTES_AN_HOUR; minute += 1) {
    const token = reader.number();
    if (token === NONE) continue;
    const step = Math.floor(token / FEW);
    before += step === LOWER ? -reader.number() : step - HIGHER;
    const heights = [before];
    let more = token % FEW;
    if (more === FEW - 1) more += reader.number();
    if (more > MAX_HEIGHTS) throw new RangeError('a minute of heads has too many');
    for (let above = before; more > 0; more -= 1) {
      above -= reader.number();
      heights.push(above);
    }
    hour[minute] = heights;
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

/** With one more. */
export function withHeight(heights: readonly number[] | undefined, height: number): readonly number[] {
  if (heights === undefined || heights.length === 0) return [height];
  // Mostly the head moves on: nothing has to be looked for.
  if (height >= (heights[0] ?? 0) && heights.length < MAX_HEIGHTS) return [height, ...heights];
  const at = heights.findIndex((each) => each <= height);
  return heights.toSpliced(at === -1 ? heights.length : at, 0, height).slice(0, MAX_HEIGHTS);
}

/** With one less; undefined where none is left. */
export function withoutHeight(
  heights: readonly number[] | undefined,
  height: number,
): readonly number[] | undefined {
  const at = heights?.indexOf(height) ?? -1;
  const left = at === -1 ? heights : heights?.toSpliced(at, 1);
  return left?.length === 0 ? undefined : left;
}
