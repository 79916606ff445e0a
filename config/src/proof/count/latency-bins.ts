/**
 * Latencies by bins of integers alone, so that every runtime gets the same: exact up to 1,023 tenths of a millisecond, then 512
 * bins an octave, so that a bin's upper end is above any of its values by less than 0.2 %.
 */
const EXACT = 1_024;
const EXACT_BITS = 10;
const AN_OCTAVE = 512;
const OCTAVES = 22;

/** There are so many: of all tenths that a line can carry. */
export const LATENCY_BINS = EXACT + OCTAVES * AN_OCTAVE;

/** @param tenths an unsigned 32-bit number */
export function latencyBin(tenths: number): number {
  if (tenths < EXACT) return tenths;
  const octave = 31 - Math.clz32(tenths) - EXACT_BITS;
  return EXACT + octave * AN_OCTAVE + (tenths >>> (octave + 1)) - AN_OCTAVE;
}

/** The highest tenths that lie in a bin. */
export function binEndTenths(bin: number): number {
  if (bin < EXACT) return bin;
  const octave = Math.floor((bin - EXACT) / AN_OCTAVE);
  const place = (bin - EXACT) % AN_OCTAVE;
  return (AN_OCTAVE + place + 1) * 2 ** (octave + 1) - 1;
}

/** How often each bin was met; as long as the highest of them takes. */
export class LatencyCounts {
  count = 0;
  bins = new Uint32Array(EXACT);

  add(tenths: number): void {
    const bin = latencyBin(tenths);
    if (bin >= this.bins.length) this.grow(bin + 1);
    this.bins[bin] = (this.bins[bin] ?? 0) + 1;
    this.count += 1;
  }

  addAll(other: LatencyCounts): void {
    if (other.bins.length > this.bins.length) this.grow(other.bins.length);
    for (let bin = 0; bin < other.bins.length; bin += 1)
      this.bins[bin] = (this.bins[bin] ?? 0) + (other.bins[bin] ?? 0);
    this.count += other.count;
  }

  clear(): void {
    this.bins.fill(0);
    this.count = 0;
  }

  /** Upper end of the bin of the one of rank ceil(percent x count / 100); 0 of none. */
  percentileTenths(percent: number): number {
    let left = Math.floor((percent * this.count + 99) / 100);
    if (left === 0) return 0;
    let bin = 0;
    for (; ; bin += 1) {
      left -= this.bins[bin] ?? 0;
      if (left <= 0) return binEndTenths(bin);
    }
  }

  private grow(atLeast: number): void {
    const longer = new Uint32Array(Math.min(LATENCY_BINS, Math.max(atLeast, this.bins.length * 2)));
    longer.set(this.bins);
    this.bins = longer;
  }
}
