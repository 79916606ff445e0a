/** The charts of one node: latency by day, and its head over the last 24 hours. Pure. */
import type { PublicNodeCharts, PublicNodeHeads, PublicQuantiles } from '@highwater/config/public-detail.ts';
import {
  formatCount,
  formatDay,
  formatHour,
  formatShortInstant,
  formatShortDate,
  plural,
} from '../format.ts';
import { sinceText, type ChartView } from './chart.ts';
import { beginOf, draw, type Span } from './draw.ts';
import { highestQuantile, quantileChart } from './quantiles.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 30;
/** However young the installation is, so much is drawn at least. */
const LEAST_DAYS = 7;
const LEAST_HEADS_MS = 3 * HOUR_MS;

/** Those that there is something to draw of. */
export function nodeCharts(charts: PublicNodeCharts, now: number): readonly ChartView[] {
  return [
    ...(charts.days.length > 0 ? [daysChart(charts, now)] : []),
    ...(charts.heads === undefined
      ? []
      : [lagChart(charts.heads, charts.node), heightChart(charts.heads, charts.node)]),
  ];
}

/** The 30 UTC days that end with that of `now`; those that are absent are gaps. */
function daysChart({ node, days }: PublicNodeCharts, now: number): ChartView {
  const byDate = new Map<string, PublicQuantiles>(days.map((day) => [day.date, day]));
  const from = Math.floor(now / DAY_MS) * DAY_MS - (DAYS - 1) * DAY_MS;
  const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const steps = Array.from({ length: DAYS }, (_, index) => byDate.get(dateOf(from + index * DAY_MS)) ?? null);
  return quantileChart(
    steps,
    { from, everyMs: DAY_MS, steps: DAYS },
    highestQuantile([steps]),
    {
      key: `${node} days`,
      title: 'Latency by day',
      caption: `Latency of ${node} by UTC day`,
      noun: 'day',
      nameOf: (at) => formatDay(dateOf(at)),
      timeOf: formatShortDate,
    },
    beginOf([steps], LEAST_DAYS),
  );
}

function lagChart(heads: PublicNodeHeads, node: string): ChartView {
  const { lagBlocks } = heads;
  const known = lagBlocks.filter((lag) => lag !== null);
  const [low, high] = [Math.min(0, ...known), Math.max(0, ...known)];
  const behind = lagBlocks.filter((lag) => lag !== null && lag > 0).length;
  const summary =
    known.length === 0
      ? 'Nothing was seen.'
      : (high > 0
          ? `At most ${plural(high, 'block')} behind; behind ${behindText(behind, heads)}`
          : 'Never behind') +
        (low < 0 ? `, at most ${plural(-low, 'block')} ahead` : '') +
        `${headGaps(lagBlocks, heads)}.`;
  return {
    key: `${node} lag`,
    title: 'Lag in blocks',
    summary,
    drawing: drawHeads('Blocks behind', lagBlocks, heads, { low, high: Math.max(high, 4) }),
    table: headTable(heads, node),
  };
}

function heightChart(heads: PublicNodeHeads, node: string): ChartView {
  const { heights } = heads;
  const known = heights.filter((height) => height !== null);
  const [first = 0, last = 0] = [known.at(0), known.at(-1)];
  return {
    key: `${node} height`,
    title: 'Height',
    summary:
      known.length === 0
        ? 'Nothing was seen.'
        : `From ${formatCount(first)} to ${formatCount(last)}, ${plural(last - first, 'block')}${headGaps(heights, heads)}.`,
    drawing: drawHeads('Height', heights, heads, {
      low: Math.min(...known, first),
      high: Math.max(first, ...known),
    }),
    table: headTable(heads, node),
  };
}

function drawHeads(
  name: string,
  all: readonly (number | null)[],
  { from, everyMs, heights }: PublicNodeHeads,
  bounds: { low: number; high: number },
) {
  const begin = beginOf([heights], Math.ceil(LEAST_HEADS_MS / everyMs));
  const values = all.slice(begin);
  const span: Span = { from: from + begin * everyMs, everyMs, steps: values.length };
  return draw([{ name, values }], span, {
    ...bounds,
    textOf: formatCount,
    timeOf: formatHour,
    isStepped: true,
    isWhole: true,
  });
}

/** `in 25 minutes` */
function behindText(stretches: number, { everyMs }: PublicNodeHeads): string {
  return `in ${plural(Math.round((stretches * everyMs) / 60_000), 'minute')}`;
}

/** Since when it was seen, and for how long not since then. */
function headGaps(values: readonly (number | null)[], { from, everyMs }: PublicNodeHeads): string {
  const since = values.slice(
    Math.max(
      0,
      values.findIndex((value) => value !== null),
    ),
  );
  const gaps = since.filter((value) => value === null).length;
  return (
    sinceText(values, (index) => formatShortInstant(from + index * everyMs)) +
    (gaps === 0 ? '' : `; nothing seen in ${plural(Math.round((gaps * everyMs) / 60_000), 'minute')}`)
  );
}

/** By the hour, since 288 rows would be read by nobody: the highest height, and the greatest lag. Newest first. */
function headTable({ from, everyMs, heights, lagBlocks }: PublicNodeHeads, node: string) {
  const begin = beginOf([heights], Math.ceil(LEAST_HEADS_MS / everyMs));
  const hours = new Map<number, { height: number | null; lag: number | null; seen: number; steps: number }>();
  heights.forEach((height, index) => {
    if (index < begin) return;
    const hour = Math.floor((from + index * everyMs) / HOUR_MS) * HOUR_MS;
    const lag = lagBlocks[index] ?? null;
    const row = hours.get(hour) ?? { height: null, lag: null, seen: 0, steps: 0 };
    hours.set(hour, {
      height: greater(row.height, height),
      lag: greater(row.lag, lag),
      seen: row.seen + (height === null ? 0 : 1),
      steps: row.steps + 1,
    });
  });
  return {
    caption: `Head of ${node} by hour`,
    head: ['Hour', 'Highest', 'Greatest lag', 'Seen in'],
    rows: [...hours]
      .map(([hour, { height, lag, seen, steps }]) => [
        formatShortInstant(hour),
        height === null ? '–' : formatCount(height),
        lag === null ? '–' : formatCount(lag),
        `${seen} of ${steps}`,
      ])
      .toReversed(),
  };
}

function greater(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
