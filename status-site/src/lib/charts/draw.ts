/**
 * Series over time as the geometry of an SVG. d3 does scales, ticks and paths; the drawing is as wide as its place, so x is
 * told in percent or in the units of a box that is stretched, and y in pixels. Pure.
 */
import { scaleLinear, scaleUtc } from 'd3-scale';
import { area, curveLinear, curveStepAfter, line } from 'd3-shape';

/** Units of the stretched box from its left to its right edge. */
export const BOX_WIDTH = 600;
/** Pixels from the top of the drawing to its ground. */
export const PLOT_HEIGHT = 128;
/** What the text of the highest tick needs above its line. */
const HEADROOM = 18;

export interface Series {
  readonly name: string;
  /** One value for each step; null where nothing was measured. */
  readonly values: readonly (number | null)[];
}

export interface Span {
  /** ms of the first value. */
  readonly from: number;
  readonly everyMs: number;
  readonly steps: number;
}

export interface Ticks {
  /** y in pixels. */
  readonly y: readonly { readonly y: number; readonly text: string }[];
  /** x in percent of the width. */
  readonly x: readonly { readonly x: number; readonly text: string }[];
}

export interface Drawing extends Ticks {
  readonly lines: readonly { readonly name: string; readonly d: string }[];
  /** Where none of the series has a value after the first one; empty without such a stretch. */
  readonly gaps: string;
}

export interface How {
  /** The bounds of y; the upper one is rounded up to a tick. */
  readonly low?: number;
  readonly high: number;
  readonly textOf: (value: number) => string;
  readonly timeOf: (at: number) => string;
  /** Holds a value until the next; else a line leads there. */
  readonly isStepped?: boolean;
  /** Whole numbers alone are ticks. */
  readonly isWhole?: boolean;
}

/** Values with none beside them, out of the path that d3 made: as thick as their line they would not be seen. */
export function dotsOf(path: string): string {
  return (path.match(/M[^MLHVZ]+Z/g) ?? []).join('');
}

/**
 * From which step on a chart is drawn: the first that any of these has a value for, so that the first hours of an
 * installation are not a stretch of nothing with a dot at its end; of all steps at least `least`.
 */
export function beginOf(all: readonly (readonly unknown[])[], least: number): number {
  const firsts = all.map((values) => {
    const first = values.findIndex((value) => value !== null);
    return Math.min(first < 0 ? 0 : first, Math.max(0, values.length - least));
  });
  return firsts.length === 0 ? 0 : Math.min(...firsts);
}

/** A value of a stretch stands at its middle; a stepped one fills its stretch. */
export function draw(series: readonly Series[], span: Span, how: How): Drawing {
  const end = span.from + span.steps * span.everyMs;
  const x = scaleUtc([span.from, end], [0, BOX_WIDTH]);
  const low = how.low ?? 0;
  const y = scaleLinear([low, Math.max(how.high, low + 1)], [PLOT_HEIGHT, HEADROOM]).nice(3);
  const shift = how.isStepped ? 0 : span.everyMs / 2;
  const at = (index: number): number => x(span.from + index * span.everyMs + shift);
  const path = line<Point>()
    .defined(({ value }) => value !== null)
    .x(({ index }) => at(index))
    .y(({ value }) => y(value ?? 0))
    .curve(how.isStepped ? curveStepAfter : curveLinear)
    .digits(1);
  return {
    lines: series.map(({ name, values }) => ({
      name,
      d: path(how.isStepped ? heldPoints(values) : points(values)) ?? '',
    })),
    gaps: gaps(series, span),
    y: y
      .ticks(3)
      .filter((tick) => !how.isWhole || Number.isInteger(tick))
      .map((tick) => ({ y: Math.round(y(tick)), text: how.textOf(tick) })),
    x: timeTicks(span, how.timeOf),
  };
}

interface Point {
  readonly index: number;
  readonly value: number | null;
}

function points(values: readonly (number | null)[]): readonly Point[] {
  return values.map((value, index) => ({ index, value }));
}

/** The last value before a gap, and the last of all, hold to the end of their stretch: else they would have no width. */
function heldPoints(values: readonly (number | null)[]): readonly Point[] {
  return points(values).flatMap((point) =>
    point.value !== null && (values[point.index + 1] ?? null) === null
      ? [point, { index: point.index + 1, value: point.value }]
      : [point],
  );
}

/** Stretches in which nothing was measured, over the whole height; what lies before the first value is none of them. */
function gaps(series: readonly Series[], { steps }: Pick<Span, 'steps'>): string {
  const known = Array.from({ length: steps }, (_, step) =>
    series.some(({ values }) => (values[step] ?? null) !== null),
  );
  const first = known.indexOf(true);
  const isGap = (step: number): boolean => step >= first && step < steps && known[step] === false;
  const wide = BOX_WIDTH / Math.max(1, steps);
  return Array.from({ length: steps }, (_, step) => step)
    .filter((step) => isGap(step) && !isGap(step - 1))
    .map((begin) => {
      let last = begin;
      while (isGap(last + 1)) last += 1;
      const box = area<number>()
        .x((edge) => edge * wide)
        .y0(PLOT_HEIGHT)
        .y1(0)
        .digits(1);
      return box([begin, last + 1]) ?? '';
    })
    .join('');
}

/** Three or four times in round distances, none so near an edge that its text would leave the drawing. */
function timeTicks({ from, everyMs, steps }: Span, timeOf: (at: number) => string): Ticks['x'] {
  const scale = scaleUtc([from, from + everyMs * steps], [0, 100]);
  return scale
    .ticks(4)
    .map((tick) => ({ x: Math.round(scale(tick) * 10) / 10, text: timeOf(tick.getTime()) }))
    .filter(({ x }) => x >= 8 && x <= 92);
}

/** The highest of all values; 0 without any. */
export function highestOf(lines: readonly (readonly (number | null)[])[]): number {
  return lines.reduce(
    (highest, line) => line.reduce<number>((max, value) => Math.max(max, value ?? 0), highest),
    0,
  );
}
