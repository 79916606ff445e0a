/** Quantiles of latency over time as a chart. Pure. */
import type { PublicQuantiles } from '@highwater/config/public-detail.ts';
import { formatCount, formatTenths } from '../format.ts';
import { gapText, nothingText, sinceText, type ChartView } from './chart.ts';
import { draw, type Span } from './draw.ts';

/** In the order in which they are drawn and listed. */
export const quantileNames = ['Median', '95 % within', '99 % within'] as const;

/** The same at the head of a narrow column. */
const quantileHeads = ['Median', '95 %', '99 %'] as const;

export interface QuantileTexts {
  readonly key: string;
  readonly title: string;
  readonly caption: string;
  /** `hour`, `day` */
  readonly noun: string;
  /** Of a row. */
  readonly nameOf: (at: number) => string;
  /** Of the first step that was measured, in the sentence; as a row when left out. */
  readonly sinceOf?: (at: number) => string;
  /** Of a tick. */
  readonly timeOf: (at: number) => string;
}

/** @param begin the steps before this one are left out */
export function quantileChart(
  all: readonly (PublicQuantiles | null)[],
  whole: Span,
  highest: number,
  texts: QuantileTexts,
  begin = 0,
): ChartView {
  const steps = all.slice(begin);
  const span = { ...whole, from: whole.from + begin * whole.everyMs, steps: steps.length };
  const of = (pick: (step: PublicQuantiles) => number) => steps.map((step) => step && pick(step));
  const series = [of(p50), of(p95), of(p99)].map((values, index) => ({
    name: quantileNames[index] ?? '',
    values,
  }));
  return {
    key: texts.key,
    title: texts.title,
    summary: summaryOf(all, texts.noun, (index) =>
      (texts.sinceOf ?? texts.nameOf)(whole.from + index * whole.everyMs),
    ),
    drawing: draw(series, span, { high: highest, textOf: tickText, timeOf: texts.timeOf }),
    table: {
      caption: texts.caption,
      head: [texts.noun === 'day' ? 'Day' : 'Hour', ...quantileHeads, 'Answers'],
      rows: steps
        .map((step, index) => [
          texts.nameOf(span.from + index * span.everyMs),
          ...(step === null
            ? ['–', '–', '–', '0']
            : [...[p50(step), p95(step), p99(step)].map(formatTenths), formatCount(step.count)]),
        ])
        .toReversed(),
    },
  };
}

/** `Median 38 ms to 52 ms; 99 % within 120 ms at most; nothing measured in 3 of 48 hours.` */
function summaryOf(
  steps: readonly (PublicQuantiles | null)[],
  noun: string,
  nameOf: (index: number) => string,
): string {
  const measured = steps.filter((step) => step !== null);
  if (measured.length === 0) return nothingText(steps.length, noun);
  const medians = measured.map(p50);
  const [low, high] = [Math.min(...medians), Math.max(...medians)].map(formatTenths);
  const range = low === high ? low : `${low} to ${high}`;
  return `Median ${range}; 99 % within ${formatTenths(Math.max(...measured.map(p99)))} at most${sinceText(steps, nameOf)}${gapText(steps, noun)}.`;
}

const p50 = (step: PublicQuantiles): number => step.p50Tenths;
const p95 = (step: PublicQuantiles): number => step.p95Tenths;
const p99 = (step: PublicQuantiles): number => step.p99Tenths;

/** The highest figure of several charts, so that they have one scale. */
export function highestQuantile(charts: readonly (readonly (PublicQuantiles | null)[])[]): number {
  return Math.max(0, ...charts.map((steps) => Math.max(0, ...steps.map((step) => step?.p99Tenths ?? 0))));
}

function tickText(tenths: number): string {
  return tenths === 0 ? '0' : formatTenths(tenths);
}
