/** A chart as its component takes it: the drawing, a sentence for those who do not see it, and the same figures as a table. Pure. */
import { plural } from '../format.ts';
import type { Drawing, Span } from './draw.ts';

export interface ChartView {
  /** Unlike any other on its page. */
  readonly key: string;
  readonly title: string;
  readonly summary: string;
  readonly drawing: Drawing;
  readonly table: TableView;
}

export interface TableView {
  readonly caption: string;
  readonly head: readonly string[];
  /** The first cell names the row. */
  readonly rows: readonly (readonly string[])[];
}

/** `; nothing measured in 3 of 48 hours`, of those from the first that has a value on; empty without a gap. */
export function gapText(values: readonly unknown[], noun: string): string {
  const since = values.slice(
    Math.max(
      0,
      values.findIndex((value) => value !== null),
    ),
  );
  const gaps = since.filter((value) => value === null).length;
  return gaps === 0 ? '' : `; nothing measured in ${gaps} of ${plural(since.length, noun)}`;
}

/** `; measured since 21 Nov, 20:00`; empty when the first value stands at the begin. */
export function sinceText(values: readonly unknown[], nameOf: (index: number) => string): string {
  const first = values.findIndex((value) => value !== null);
  return first > 0 ? `; measured since ${nameOf(first)}` : '';
}

/** When a stretch begins, and of the one in which the installation was begun, when that was. */
export function begunAt(at: number, everyMs: number, startedAt: number): number {
  return at < startedAt && startedAt < at + everyMs ? startedAt : at;
}

/** A minute is counted so long after its begin at most, when all is well. */
const COUNTED_AFTER_MS = 2 * 60_000;

/** Without the last step where it has only just begun and nothing of it is counted yet: that is no gap. */
export function withoutNew<T>(
  values: readonly (T | null)[],
  { from, everyMs }: Pick<Span, 'from' | 'everyMs'>,
  now: number,
): readonly (T | null)[] {
  const last = values.length - 1;
  const isNew = last > 0 && values[last] === null && now - (from + last * everyMs) < COUNTED_AFTER_MS;
  return isNew ? values.slice(0, -1) : values;
}

/** What is said once nothing was measured at all. */
export function nothingText(steps: number, noun: string): string {
  return steps === 0 ? 'Nothing was measured yet.' : `Nothing was measured in ${plural(steps, noun)}.`;
}
