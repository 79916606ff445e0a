/**
 * Latencies of one method as a DDSketch (relative error 1 %): how many fell into each bin of a logarithmic scale.
 * Bins and quantiles are the library's. What is kept is ours: its own form writes at least 128 bins as doubles, over
 * 1 KB an hour of a method, and other bytes for another order; the bins that are not empty take a tenth of that, and
 * two such forms add up in any order to the same.
 */
import { DDSketch } from '@datadog/sketches-js';

const accuracy = { relativeAccuracy: 0.01 };
const { mapping } = new DDSketch(accuracy);

/** Latencies in lines are at most this. */
const MAX_TENTHS = 4_294_967_295;
/** Bin 0 holds a tenth; below it is that of 0, for which the scale has no place. */
const ZERO = -1;
const LENGTH = mapping.key(MAX_TENTHS) - ZERO + 1;

/** Counts by bin, from ZERO on: some 9 KB, to work with. */
export type Bins = Float64Array;

/** Two numbers for each bin that is not empty, in order: how far it is from the one before, and its count. */
export type KeptBins = ArrayLike<number>;

export function emptyBins(): Bins {
  return new Float64Array(LENGTH);
}

function addCount(bins: Bins, bin: number, count: number): void {
  const index = bin - ZERO;
  bins[index] = (bins[index] ?? 0) + count;
}

/** Adds a latency, tenths of a millisecond. */
export function addTenths(bins: Bins, tenths: number): void {
  addCount(bins, tenths <= 0 ? ZERO : mapping.key(tenths), 1);
}

/** Adds what is kept to `bins`. */
export function addKept(bins: Bins, kept: KeptBins): void {
  let bin = 0;
  for (let i = 0; i + 1 < kept.length; i += 2) {
    bin += kept[i] ?? 0;
    addCount(bins, bin, kept[i + 1] ?? 0);
  }
}

/** The same bins give the same numbers, in whichever order they were filled. */
export function keptBins(bins: Bins): number[] {
  const kept: number[] = [];
  let before = 0;
  for (let index = 0; index < LENGTH; index += 1) {
    const count = bins[index] ?? 0;
    if (count === 0) continue;
    const bin = index + ZERO;
    kept.push(bin - before, count);
    before = bin;
  }
  return kept;
}

/** How many latencies are in them. */
export function countOf(bins: Bins): number {
  return bins.reduce((sum, count) => sum + count, 0);
}

/** The latencies, whole tenths, below which these ratios of them lie; undefined without any. */
export function quantiles(bins: Bins, ratios: readonly number[]): readonly (number | undefined)[] {
  const sketch = new DDSketch(accuracy);
  for (let index = 0; index < LENGTH; index += 1) {
    const count = bins[index] ?? 0;
    const bin = index + ZERO;
    if (count > 0) sketch.accept(bin === ZERO ? 0 : mapping.value(bin), count);
  }
  if (sketch.count === 0) return ratios.map(() => undefined);
  return ratios.map((ratio) => Math.round(sketch.getValueAtQuantile(ratio)));
}
