/** What a bench gives and the few things that all of them need. */
import { readFileSync } from 'node:fs';

export interface Figure {
  readonly bench: string;
  readonly case: string;
  readonly against: string;
  /** Ours over theirs, same run; for a cost smaller is better. */
  readonly ratio: number;
  readonly value: number;
  readonly unit: string;
  readonly runs: number;
}

/** Yields its figures as it goes; `only` names one case. */
export type Bench = (only: string | undefined) => AsyncIterable<Figure>;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}

/** Three significant digits: more would pretend. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

/** Runs ours and theirs in turn, `runs` times after one warm-up of each, and gives the medians. */
export async function interleaved(
  runs: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<{ value: number; ratio: number; runs: number }> {
  await ours();
  await theirs();
  const values: number[] = [];
  const ratios: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const our = await ours();
    const their = await theirs();
    values.push(our);
    ratios.push(our / their);
  }
  return { value: rounded(median(values)), ratio: rounded(median(ratios)), runs };
}

/** User and system CPU of this process in microseconds while `work` runs. */
export async function cpuMicroseconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** User and system CPU of another process so far, microseconds (Linux counts 100 ticks a second). */
export function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
