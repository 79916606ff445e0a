/**
 * Latencies of one method as a DDSketch (relative error 1 %): how many fell into each bin of a logarithmic scale.
 * Bins and quantiles are the library's. What is kept is ours: its own form writes at least 128 bins as doubles, over
 * 1 KB an hour of a method, and other bytes for another order; the bins that are not empty take a tenth of that, and
 * two such forms add up in any order to the same.
 */
import { DDSketch } from '@datadog/sketches-js';

const accuracy = { relativeAccuracy: 0.01 };
const { mapping } = new DDSketch(accuracy);

/** Below the bin of 1, which is 0: the scale has no place for nothing. */
const ZERO = -1;

/** Counts by bin. */
export type Bins = Map<number, number>;

/** As kept: for each bin in order, how far it is from the one before, and its count. */
export type KeptBins = readonly number[];

/** Adds a latency, tenths of a millisecond. */
export function addTenths(bins: Bins, tenths: number): void {
  addCount(bins, tenths <= 0 ? ZERO : mapping.key(tenths), 1);
}

function addCount(bins: Bins, bin: number, count: number): void {
  bins.set(bin, (bins.get(bin) ?? 0) + count);
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
  let before = 0;
  return [...bins]
    .sort(([a], [b]) => a - b)
    .flatMap(([bin, count]) => {
      const step = bin - before;
      before = bin;
      return [step, count];
    });
}

/** How many latencies are in them. */
export function countOf(bins: Bins): number {
  let sum = 0;
  for (const count of bins.values()) sum += count;
  return sum;
}

/** The latencies, whole tenths, below which these ratios of them lie; undefined without any. */
export function quantiles(bins: Bins, ratios: readonly number[]): readonly (number | undefined)[] {
  if (bins.size === 0) return ratios.map(() => undefined);
  const sketch = new DDSketch(accuracy);
  for (const [bin, count] of bins) sketch.accept(bin === ZERO ? 0 : mapping.value(bin), count);
  return ratios.map((ratio) => Math.round(sketch.getValueAtQuantile(ratio)));
}
