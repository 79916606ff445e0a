/** What stands in the spool's journal, and the few pure functions over it. */
import { dueMinuteOf } from '@highwater/config/proof/batch.ts';
import { DAY_MS, dayOfMinute, type Instant, MINUTE_MS } from '@highwater/config/time.ts';
import type { Place } from './journal.ts';

export interface SpoolOptions {
  readonly dir: string;
  /** Until `limit` says otherwise. */
  readonly maxBytes: number;
  /** The first epoch of a probe without any record is the second in which it began. */
  readonly now: Instant;
  /** Verifier key of who signs from now on: where it is another than before, a new epoch begins. */
  readonly key?: string;
}

export interface Line {
  readonly seq: number;
  readonly text: string;
  readonly detail?: string;
}

/** A line that has no number yet. */
export interface NewLine {
  readonly text: string;
  readonly detail?: string | undefined;
}

/** A line that waits for its frame or batch, and the segment that holds it. */
export interface PendingLine extends Line {
  readonly segment: number;
}

/** A frame that has not been acknowledged. */
export interface SpooledFrame {
  readonly epoch: number;
  readonly frame: number;
  readonly place: Place;
}

export interface Gap {
  readonly first: number;
  readonly last: number;
}

/** A batch that is not proven yet. */
export interface SpooledBatch {
  readonly epoch: number;
  readonly number: number;
  /** Its lines: those of its day from this one… */
  readonly from: number;
  /** …to this one. */
  readonly to: number;
  readonly day: number;
  /** The last due minute of its lines, or the one that it closed. */
  readonly lastMinute: number;
  readonly gaps: readonly Gap[];
  readonly place: Place;
}

/** Where the numbers stand; each segment begins with it, so that older segments can go. */
export interface Marks {
  readonly epoch: number;
  readonly frame: number;
  readonly number: number;
  /** Leaf hash of the last batch. */
  readonly prev: string;
  readonly seq: number;
  /** Numbers of this epoch that were dropped and that no acknowledged batch has told of. */
  readonly gaps: readonly Gap[];
  /** Verifier key of who signs; absent in those of an older version. */
  readonly key?: string;
  /** The epoch in which that key began; absent for the first. */
  readonly since?: number;
}

export interface FrameRecord {
  readonly note: string;
  readonly details?: Readonly<Record<string, string>>;
}

/**
 * S marks, L line, R line again for the epoch of the next E, F frame, B batch, A… acknowledged, U no longer known to the
 * collector, P proven, X given up, E epoch.
 */
export type SpoolRecord =
  | ({ readonly t: 'S' } & Marks)
  | { readonly t: 'L' | 'R'; readonly s: number; readonly l: string; readonly d?: string }
  | ({ readonly t: 'F'; readonly e: number; readonly n: number; readonly to: number } & FrameRecord)
  | BatchRecord
  | { readonly t: 'AF' | 'AB' | 'U' | 'P' | 'X'; readonly e: number; readonly n: number }
  | { readonly t: 'E'; readonly e: number; readonly key?: string };

export interface BatchRecord {
  readonly t: 'B';
  readonly e: number;
  readonly n: number;
  readonly from: number;
  readonly to: number;
  readonly day: number;
  /** Last minute; absent in those of an older version. */
  readonly m?: number;
  readonly gaps: readonly Gap[];
  readonly hash: string;
  readonly note: string;
}

/** The UTC day in which a line was due. */
export function dayOfLine(line: Pick<Line, 'text'>): number {
  return dayOfMinute(dueMinuteOf(line.text));
}

/** Of a record that was journaled at this place. */
export function spooledBatchOf(record: BatchRecord, place: Place): SpooledBatch {
  const { e: epoch, n: number, from, to, day, m, gaps } = record;
  const lastMinute = m ?? (day + 1) * (DAY_MS / MINUTE_MS) - 1;
  return { epoch, number, from, to, day, lastMinute, gaps, place };
}

export function lineRecord(t: 'L' | 'R', s: number, l: string, d: string | undefined): SpoolRecord {
  return { t, s, l, ...(d === undefined ? {} : { d }) };
}

export function lineOf(record: { readonly s: number; readonly l: string; readonly d?: string }): Line {
  return { seq: record.s, text: record.l, ...(record.d === undefined ? {} : { detail: record.d }) };
}

/** Gaps ascending and apart, with one more number among them. */
export function withGap(gaps: readonly Gap[], number: number): readonly Gap[] {
  return withGaps(gaps, [{ first: number, last: number }]);
}

/** The same with those of others among them. */
export function withGaps(gaps: readonly Gap[], more: readonly Gap[]): readonly Gap[] {
  const merged: Gap[] = [];
  for (const gap of [...gaps, ...more].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && gap.first <= before.last + 1) merged.pop();
    const joined = before && gap.first <= before.last + 1;
    merged.push(joined ? { first: before.first, last: Math.max(before.last, gap.last) } : gap);
  }
  return merged;
}

/** What one batch tells of them: a leaf stays small, and the rest follows once these are acknowledged. */
export const MOST_GAPS = 200;

/** The gaps that are left to tell once a batch that told these was acknowledged. */
export function toldGaps(gaps: readonly Gap[], told: readonly Gap[]): readonly Gap[] {
  const isTold = (gap: Gap) => told.some(({ first, last }) => first <= gap.first && gap.last <= last);
  return gaps.filter((gap) => !isTold(gap));
}
