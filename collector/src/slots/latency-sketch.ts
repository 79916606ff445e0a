/**
 * Latencies as a DDSketch (relative error 1 %): how many fell into each bin of a logarithmic scale. The scale is the
 * library's. What is kept is ours: its own form writes at least 128 bins as doubles, over 1 KB an hour of a method, and
 * other bytes for another order. Here the same latencies give the same bytes in any order, one for most bins that are not
 * empty, and one can be taken out again.
 */
import { DDSketch } from '@datadog/sketches-js';
import { ByteReader, ByteWriter } from './block-bytes.ts';

const { mapping } = new DDSketch({ relativeAccuracy: 0.01 });

/** Latencies in lines are at most this. */
const MAX_TENTHS = 4_294_967_295;
/** Bin 0 holds a tenth; below it is that of 0, for which the scale has no place. */
const ZERO = -1;
const LENGTH = mapping.key(MAX_TENTHS) - ZERO + 1;

/** Counts by bin, from ZERO on: some 9 KB, to work with. */
type Bins = Float64Array;

/** As it is kept: for each bin that is not empty, in order, how far it is from the one before, and its count. */
export type Sketch = Uint8Array;

export const emptySketch: Sketch = new Uint8Array(0);

function emptyBins(): Bins {
  return new Float64Array(LENGTH);
}

/** Of a latency, tenths of a millisecond. */
export function binOf(tenths: number): number {
  return tenths <= 0 ? ZERO : mapping.key(Math.min(tenths, MAX_TENTHS));
}

/** Counts from 1 to 7 stand beside the distance; of a larger one what is more follows. */
const COUNTS = 8;

/** Tells of each bin that is not empty, in order, by its index from ZERO on. */
function eachBin(sketch: Sketch, tell: (index: number, count: number) => void): void {
  const reader = new ByteReader(sketch);
  for (let index = -1; !reader.isDone;) {
    const token = reader.number();
    const few = token % COUNTS;
    index += Math.floor(token / COUNTS) + 1;
    if (index >= LENGTH) throw new RangeError('a sketch has a bin beyond the scale');
    tell(index, few < COUNTS - 1 ? few + 1 : reader.number() + COUNTS);
  }
}

/** Adds what is kept to `bins`. Returns the first and the last index that it has; first > last without any. */
function addSketch(bins: Bins, sketch: Sketch): readonly [first: number, last: number] {
  let [first, last] = [LENGTH, -1];
  eachBin(sketch, (index, count) => {
    bins[index] = (bins[index] ?? 0) + count;
    if (last === -1) first = index;
    last = index;
  });
  return [first, last];
}

const writer = new ByteWriter();

function sketchOf(bins: Bins, first: number, last: number): Sketch {
  let before = -1;
  for (let index = first; index <= last; index += 1) {
    const count = bins[index] ?? 0;
    if (count <= 0) continue;
    const distance = (index - before - 1) * COUNTS;
    before = index;
    if (count < COUNTS) writer.number(distance + count - 1);
    else {
      writer.number(distance + COUNTS - 1);
      writer.number(count - COUNTS);
    }
  }
  return writer.take();
}

/** To merge in; empty between two calls. */
const scratch = emptyBins();
/**
 * Latencies that wait until they are merged, at least: a compromise of room and time. Of a sketch with more bins as many as
 * it has bytes, so that each latency costs the same, however many there are.
 */
const PENDING = 32;

/** A sketch that grows: what is kept, and a few latencies more. */
export class OpenSketch {
  #kept: Sketch;
  /** 2 x index of the bin; odd ones are to be taken out. */
  #pending: number[] = [];

  constructor(kept: Sketch = emptySketch) {
    this.#kept = kept;
  }

  /** @param times 1, or -1 to take one out that is in it */
  count(bin: number, times: 1 | -1): void {
    this.#pending.push((bin - ZERO) * 2 + (times === 1 ? 0 : 1));
    if (this.#pending.length >= PENDING && this.#pending.length >= this.#kept.length) this.#merge();
  }

  /** What is kept of it: not to be changed. */
  kept(): Sketch {
    if (this.#pending.length > 0) this.#merge();
    return this.#kept;
  }

  #merge(): void {
    let [first, last] = [0, LENGTH - 1];
    try {
      [first, last] = addSketch(scratch, this.#kept);
      for (const each of this.#pending) {
        const index = each >> 1;
        scratch[index] = (scratch[index] ?? 0) + 1 - 2 * (each & 1);
        first = Math.min(first, index);
        last = Math.max(last, index);
      }
      this.#kept = sketchOf(scratch, first, last);
      this.#pending = [];
    } finally {
      scratch.fill(0, first, last + 1);
    }
  }
}

/** Several together, as one. */
export function addedUp(sketches: Iterable<Sketch>): Sketch {
  try {
    for (const sketch of sketches) addSketch(scratch, sketch);
    return sketchOf(scratch, 0, LENGTH - 1);
  } finally {
    scratch.fill(0);
  }
}

/** How many latencies are in it. */
export function countOf(sketch: Sketch): number {
  let sum = 0;
  eachBin(sketch, (_, count) => (sum += count));
  return sum;
}

/**
 * The latencies, whole tenths, below which these ratios of them lie; undefined without any. As the library has it: the
 * value of the bin that holds the one of rank ratio x (count - 1).
 * @param ratios ascending
 */
export function quantiles(sketch: Sketch, ratios: readonly number[]): readonly (number | undefined)[] {
  const last = countOf(sketch) - 1;
  const found: number[] = [];
  let below = 0;
  eachBin(sketch, (index, count) => {
    below += count;
    while (below > (ratios[found.length] ?? Infinity) * last) {
      found.push(index + ZERO === ZERO ? 0 : Math.round(mapping.value(index + ZERO)));
    }
  });
  return ratios.map((_, i) => found[i]);
}
