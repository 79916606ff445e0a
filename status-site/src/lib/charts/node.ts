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
import { begunAt, sinceText, withoutNew, type ChartView, type TableView } from './chart.ts';
import { beginOf, draw, type Span } from './draw.ts';
import { highestQuantile, quantileChart } from './quantiles.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DAYS = 30;
/** However young the installation is, so much is drawn at least. */
const LEAST_DAYS = 7;
const LEAST_HEADS_MS = 3 * HOUR_MS;

type Heads = Omit<PublicNodeHeads, 'heights' | 'lagBlocks'> & {
  readonly heights: readonly (number | null)[];
  readonly lagBlocks: readonly (number | null)[];
};

/** Those that there is something to draw of. `startedAt`: when the installation was begun. */
export function nodeCharts(charts: PublicNodeCharts, now: number, startedAt: number): readonly ChartView[] {
  const heads = charts.heads && {
    ...charts.heads,
    heights: withoutNew(charts.heads.heights, charts.heads, now),
    lagBlocks: withoutNew(charts.heads.lagBlocks, charts.heads, now),
  };
  return [
    ...(charts.days.length > 0 ? [daysChart(charts, now)] : []),
    ...(heads === undefined
      ? []
      : [lagChart(heads, charts.node, startedAt), heightChart(heads, charts.node, startedAt)]),
  ];
}

/** The 30 UTC days that end with that of `now`; those that are absent are gaps. */
function daysChart({ node, days }: PublicNodeCharts, now: number): ChartView {
  const byDate = new Map<string, PublicQuantiles>(days.map((day) => [day.date, day]));
  const from = Math.floor(now / DAY_MS) * DAY_MS - (DAYS - 1) * DAY_MS;
  const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10);
  const all = Array.from({ length: DAYS }, (_, index) => byDate.get(dateOf(from + index * DAY_MS)) ?? null);
  const steps = withoutNew(all, { from, everyMs: DAY_MS }, now);
  return quantileChart(
    steps,
    { from, everyMs: DAY_MS, steps: steps.length },
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

function lagChart(heads: Heads, node: string, startedAt: number): ChartView {
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
        `${headGaps(lagBlocks, heads, startedAt)}.`;
  return {
    key: `${node} lag`,
    title: 'Lag in blocks',
    summary,
    drawing: drawHeads('Blocks behind', lagBlocks, heads, { low, high: Math.max(high, 4) }),
    table: headTable(`Lag of ${node} in blocks by hour`, 'Greatest lag', lagBlocks, heads),
  };
}

function heightChart(heads: Heads, node: string, startedAt: number): ChartView {
  const { heights } = heads;
  const known = heights.filter((height) => height !== null);
  const [first = 0, last = 0] = [known.at(0), known.at(-1)];
  return {
    key: `${node} height`,
    title: 'Height',
    summary:
      known.length === 0
        ? 'Nothing was seen.'
        : `From ${formatCount(first)} to ${formatCount(last)}, ${plural(last - first, 'block')}${headGaps(heights, heads, startedAt)}.`,
    drawing: drawHeads('Height', heights, heads, {
      low: Math.min(...known, first),
      high: Math.max(first, ...known),
    }),
    table: headTable(`Height of ${node} by hour`, 'Highest', heights, heads),
  };
}

function drawHeads(
  name: string,
  all: readonly (number | null)[],
  { from, everyMs, heights }: Heads,
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
function behindText(stretches: number, { everyMs }: Heads): string {
  return `in ${plural(Math.round((stretches * everyMs) / 60_000), 'minute')}`;
}

/** Since when it was seen, and for how long not since then. */
function headGaps(values: readonly (number | null)[], { from, everyMs }: Heads, startedAt: number): string {
  const since = values.slice(
    Math.max(
      0,
      values.findIndex((value) => value !== null),
    ),
  );
  const gaps = since.filter((value) => value === null).length;
  return (
    sinceText(values, (index) => formatShortInstant(begunAt(from + index * everyMs, everyMs, startedAt))) +
    (gaps === 0 ? '' : `; nothing seen in ${plural(Math.round((gaps * everyMs) / 60_000), 'minute')}`)
  );
}

/** By the hour, since 288 rows would be read by nobody: the greatest of each. Newest first. */
function headTable(
  caption: string,
  name: string,
  values: readonly (number | null)[],
  { from, everyMs, heights }: Heads,
): TableView {
  const begin = beginOf([heights], Math.ceil(LEAST_HEADS_MS / everyMs));
  const hours = new Map<number, (number | null)[]>();
  values.slice(begin).forEach((value, index) => {
    const hour = Math.floor((from + (begin + index) * everyMs) / HOUR_MS) * HOUR_MS;
    hours.set(hour, [...(hours.get(hour) ?? []), value]);
  });
  return {
    caption,
    head: ['Hour', name, 'Seen in'],
    rows: [...hours]
      .map(([hour, all]) => {
        const seen = all.filter((value) => value !== null);
        return [
          formatShortInstant(hour),
          seen.length === 0 ? '–' : formatCount(Math.max(...seen)),
          `${seen.length} of ${all.length}`,
        ];
      })
      .toReversed(),
  };
}
