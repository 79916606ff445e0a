/** Latency by method and region: what can be chosen, and the charts of what is. Pure. */
import type { PublicMethodLatency, PublicServiceDetail } from '@highwater/config/public-detail.ts';
import { formatHour, formatShortInstant } from '../format.ts';
import { addressOf, type Choice, type Selection } from '../selection.ts';
import { begunAt, withoutNew, type ChartView } from './chart.ts';
import { beginOf } from './draw.ts';
import { highestQuantile, quantileChart } from './quantiles.ts';

export const HOUR_MS = 3_600_000;
/** Charts at once; those of others are a link away. */
export const MAX_CHARTS = 6;
/** Of the hours that are told, so many are drawn at least, however young the installation is. */
const LEAST_HOURS = 12;
const ALL = '*';

export interface LatencyCharts {
  readonly methods: readonly Choice[];
  readonly regions: readonly Choice[];
  readonly charts: readonly ChartView[];
  /** `12 more regions: choose one above.`; empty when all are shown. */
  readonly more: string;
}

/** Undefined when a method or region is asked for that was not measured. */
export function latencyCharts(
  measured: readonly PublicMethodLatency[],
  selection: Selection,
  regionName: (id: string) => string,
  service: string,
  { startedAt, generatedAt }: Pick<PublicServiceDetail, 'startedAt' | 'generatedAt'>,
): LatencyCharts | undefined {
  const methods = [...new Set(measured.map(({ method }) => method))].sort(allFirst);
  const regions = [...new Set(measured.map(({ region }) => region))];
  const { method, region } = selection;
  if (method !== undefined && !methods.includes(method)) return undefined;
  if (region !== undefined && !regions.includes(region)) return undefined;
  // A region alone shows its methods side by side; else one method is compared between regions.
  const isByMethod = region !== undefined && method === undefined;
  const shown = measured
    .filter(
      (one) => (isByMethod || one.method === (method ?? methods[0])) && one.region === (region ?? one.region),
    )
    .sort((a, b) => (isByMethod ? allFirst(a.method, b.method) : 0));
  const own = { ...(selection.node === undefined ? {} : { node: selection.node }) };
  const chosen = (name: string, next: Selection, isChosen: boolean): Choice => ({
    name,
    href: addressOf(service, { ...own, ...next }, 'latency'),
    isChosen,
  });
  const kept = withoutNewHour(shown.slice(0, MAX_CHARTS), generatedAt);
  const scaleOf = (one: PublicMethodLatency) =>
    highestQuantile((isByMethod ? [one] : kept).map(({ hours }) => hours));
  const begin = beginOf(
    kept.map(({ hours }) => hours),
    LEAST_HOURS,
  );
  const more = shown.length - kept.length;
  return {
    methods: [
      ...(region === undefined ? [] : [chosen('Every method', { region }, method === undefined)]),
      ...methods.map((name) =>
        chosen(
          methodName(name),
          {
            ...(name === ALL && region === undefined ? {} : { method: name }),
            ...(region === undefined ? {} : { region }),
          },
          isByMethod ? false : name === (method ?? methods[0]),
        ),
      ),
    ],
    regions: [
      chosen('Every region', { ...(method === undefined ? {} : { method }) }, region === undefined),
      ...regions.map((id) =>
        chosen(regionName(id), { ...(method === undefined ? {} : { method }), region: id }, id === region),
      ),
    ],
    charts: kept.map((one) =>
      quantileChart(
        one.hours,
        { from: one.from, everyMs: HOUR_MS, steps: one.hours.length },
        scaleOf(one),
        {
          key: `${one.method} ${one.region}`,
          title: isByMethod ? methodName(one.method) : regionName(one.region),
          caption: `Latency of ${service}, ${one.method === ALL ? 'all answers' : one.method}, ${regionName(one.region)}, by hour`,
          noun: 'hour',
          nameOf: formatShortInstant,
          sinceOf: (at) => formatShortInstant(begunAt(at, HOUR_MS, startedAt)),
          timeOf: formatHour,
        },
        begin,
      ),
    ),
    more: more === 0 ? '' : `${more} more ${isByMethod ? 'methods' : 'regions'}: choose one above.`,
  };
}

/** All have one span: an hour in which one of them has an answer stays. */
function withoutNewHour(charts: readonly PublicMethodLatency[], now: number): readonly PublicMethodLatency[] {
  const settled = charts.map((one) => ({
    ...one,
    hours: [...withoutNew(one.hours, { from: one.from, everyMs: HOUR_MS }, now)],
  }));
  const isNew = settled.every(({ hours }, index) => hours.length < (charts[index]?.hours.length ?? 0));
  return isNew ? settled : charts;
}

export function methodName(method: string): string {
  return method === ALL ? 'All answers' : method;
}

function allFirst(a: string, b: string): number {
  return Number(b === ALL) - Number(a === ALL) || (a < b ? -1 : a > b ? 1 : 0);
}
