/** What stands in the spool's journal, and the few pure functions over it. */
import { dueMinuteOf } from '@highwater/config/proof/batch.ts';
import { dayOfMinute } from '@highwater/config/time.ts';
import type { Place } from './journal.ts';

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

/** A batch that has not been acknowledged. */
export interface SpooledBatch {
  readonly epoch: number;
  readonly number: number;
  /** Its lines: those of its day from this one… */
  readonly from: number;
  /** …to this one. */
  readonly to: number;
  readonly day: number;
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
}

export interface FrameRecord {
  readonly note: string;
  readonly details?: Readonly<Record<string, string>>;
}

/** S marks, L line, R line again for the epoch of the next E, F frame, B batch, A… acknowledged, X given up, E epoch. */
export type SpoolRecord =
  | ({ readonly t: 'S' } & Marks)
  | { readonly t: 'L' | 'R'; readonly s: number; readonly l: string; readonly d?: string }
  | ({ readonly t: 'F'; readonly e: number; readonly n: number; readonly to: number } & FrameRecord)
  | BatchRecord
  | { readonly t: 'AF' | 'AB' | 'X'; readonly e: number; readonly n: number }
  | { readonly t: 'E'; readonly e: number };

export interface BatchRecord {
  readonly t: 'B';
  readonly e: number;
  readonly n: number;
  readonly from: number;
  readonly to: number;
  readonly day: number;
  readonly gaps: readonly Gap[];
  readonly hash: string;
  readonly note: string;
}

/** The UTC day in which a line was due. */
export function dayOfLine(line: Pick<Line, 'text'>): number {
  return dayOfMinute(dueMinuteOf(line.text));
}

export function lineOf(record: { readonly s: number; readonly l: string; readonly d?: string }): Line {
  return { seq: record.s, text: record.l, ...(record.d === undefined ? {} : { detail: record.d }) };
}

/** Gaps ascending and apart, with one more number among them. */
export function withGap(gaps: readonly Gap[], number: number): readonly Gap[] {
  const merged: Gap[] = [];
  for (const gap of [...gaps, { first: number, last: number }].sort((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before && gap.first <= before.last + 1) merged.pop();
    const joined = before && gap.first <= before.last + 1;
    merged.push(joined ? { first: before.first, last: Math.max(before.last, gap.last) } : gap);
  }
  return merged;
}
