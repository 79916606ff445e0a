/** The part of a report about one service. Pure. */
import { withMaintenance } from '@highwater/config/proof/rule/totals.ts';
import { spanOf } from '@highwater/config/report/counted-span.ts';
import type { CountedService, ReportTotals } from '@highwater/config/report/counted.ts';
import type { Report } from '@highwater/config/report/report.ts';
import type { ChartView } from '../charts/chart.ts';
import { highestQuantile, quantileChart } from '../charts/quantiles.ts';
import { barOf, barsText, type Bar } from '../days.ts';
import { formatCount, formatDate, formatDay, formatShortDate, formatTenths, plural } from '../format.ts';
import { methodName } from '../charts/latency.ts';
import type { Fact } from '../view.ts';
import {
  budgetText,
  causesText,
  figureCell,
  figureTexts,
  minuteText,
  objectiveCell,
  shareText,
  timeText,
  verdictOf,
  verdictText,
  type Verdict,
} from './figures.ts';
import type { NamedService } from './overview.ts';
import { columnsOf, tableOf, type Table } from './table.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS = 31;
const DAY_MINUTES = 1_440;
/** Of a bar, which is otherwise to scale: one minute is drawn as 72 are. */
const LEAST_SHARE = 0.05;

export interface DaysView {
  readonly name: string;
  readonly bars: readonly Bar[];
  readonly text: string;
}

export interface ServiceReport {
  readonly id: string;
  readonly name: string;
  readonly figure: string;
  readonly incomplete: boolean;
  readonly verdict?: { readonly result: Verdict; readonly text: string };
  readonly facts: readonly Fact[];
  readonly days: DaysView;
  readonly nodes: readonly DaysView[];
  readonly daysTable: Table | undefined;
  /** Of the days that the table leaves out. */
  readonly otherDays: string;
  readonly latency: ChartView | undefined;
  readonly tables: readonly Table[];
}

export function serviceReport(
  service: NamedService,
  firstAt: number,
  minutes: Report['minutes'],
): ServiceReport {
  const { id, name, counted, totals, objective } = service;
  const { figure, coverage, bounds, incomplete } = figureTexts(totals);
  const [result, said] = [verdictOf(totals, objective), verdictText(totals, objective)];
  const span = spanOf(counted, minutes, formatCount);
  const days = counted.days.map(({ subject, days: all }) => ({
    subject,
    bars: all
      .slice(0, MOST_DAYS)
      .map((day, index) => barOf(dateOf(firstAt, index), dayOf(firstAt, index, day), LEAST_SHARE)),
  }));
  const own = days.find(({ subject }) => subject === id)?.bars ?? [];
  return {
    id,
    name,
    figure,
    incomplete,
    ...(result === undefined || said === undefined ? {} : { verdict: { result, text: said } }),
    facts: [
      { name: 'Uptime', value: figureCell(totals) },
      { name: 'Known', value: coverage },
      ...(bounds === '–' ? [] : [{ name: 'Bounds', value: bounds }]),
      ...(totals.maintenance === 0
        ? []
        : [{ name: 'Uptime with maintenance', value: figureCell(withMaintenance(totals)) }]),
      { name: 'Objective', value: objectiveCell(totals, objective) },
      ...(objective === undefined ? [] : [{ name: 'Down', value: budgetText(totals, objective) }]),
      { name: 'Requests that succeeded', value: shareText(totals) },
      ...(counted.chain === undefined ? [] : [{ name: 'Chain', value: counted.chain }]),
      {
        name: 'Minutes',
        value: span ?? `counted over all ${formatCount(counted.minutes)} of the month`,
      },
    ],
    days: { name, bars: own, text: barsText(own) },
    nodes: days
      .filter(({ subject }) => subject !== id)
      .map(({ subject, bars }) => ({ name: within(id, subject), bars, text: barsText(bars) })),
    daysTable: daysTable(service, own),
    otherDays: otherDays(own),
    latency: latencyChart(id, name, counted, firstAt),
    tables: [
      subjectsTable(`${id}-nodes`, `Nodes of ${name}`, 'Node', agreed(counted, 2)),
      subjectsTable(
        `${id}-regions`,
        `${name} as each region saw it`,
        'Region',
        counted.subjects.flatMap(({ subject, region, totals: seen }) =>
          subject === id && region !== undefined ? [[region, seen] as const] : [],
        ),
      ),
      subjectsTable(`${id}-checks`, `Checks of ${name}`, 'Check', agreed(counted, 3)),
      troubleTable(id, name, days),
      outagesTable(service),
      latencyTable(service),
      headsTable(service),
      certificatesTable(service),
    ].filter((table) => table !== undefined),
  };
}

/** `eu/head` of `rpc/eu/head`. */
function within(service: string, subject: string): string {
  return subject.startsWith(`${service}/`) ? subject.slice(service.length + 1) : subject;
}

function dateOf(firstAt: number, index: number): string {
  return new Date(firstAt + index * DAY_MS).toISOString().slice(0, 10);
}

type Day = CountedService['days'][number]['days'][number];

function dayOf(firstAt: number, index: number, day: Day) {
  const [up, down, unknown, maintenance, stalled, degraded] = day;
  return { date: dateOf(firstAt, index), up, down, unknown, maintenance, stalled, degraded };
}

function agreed(counted: CountedService, parts: number): readonly (readonly [string, ReportTotals])[] {
  return counted.subjects.flatMap(({ subject, region, totals }) =>
    region === undefined && subject.split('/').length === parts
      ? [[within(counted.id, subject), totals] as const]
      : [],
  );
}

function subjectsTable(
  key: string,
  caption: string,
  of: string,
  all: readonly (readonly [string, ReportTotals])[],
): Table | undefined {
  return tableOf(
    key,
    caption,
    columnsOf(of, '*Uptime', '*Known', '*Bounds', '*Down', '*Unknown', 'Why unknown', '*Maint.', '*Stalled'),
    all.map(([name, totals]) => {
      const { coverage, bounds } = figureTexts(totals);
      return [
        name,
        figureCell(totals),
        coverage,
        bounds,
        formatCount(totals.down),
        formatCount(totals.unknown),
        causesText(totals),
        formatCount(totals.maintenance),
        formatCount(totals.stalled),
      ];
    }),
  );
}

const dayColumns = ['*Up', '*Down', '*Unknown', '*Maint.', '*Stalled', '*Degraded'] as const;

function dayCells({ day }: Bar): readonly string[] {
  if (day === undefined) return dayColumns.map(() => '–');
  return [day.up, day.down, day.unknown, day.maintenance, day.stalled, day.degraded].map(formatCount);
}

/** Days that were up from end to end say nothing, and those that were not counted have nothing to say. */
function daysTable({ id, name }: NamedService, bars: readonly Bar[]): Table | undefined {
  const rows = bars
    .filter((bar) => bar.day !== undefined && !isPlain(bar.day))
    .map((bar) => [formatDay(bar.date).replace(/ [0-9]+$/, ''), ...dayCells(bar)]);
  return tableOf(
    `${id}-days`,
    `Days of ${name} that were not up from end to end, minutes`,
    columnsOf('Day', ...dayColumns),
    rows,
    'Days with trouble as a table',
  );
}

/** Up for all of its minutes, and not degraded in one. */
function isPlain(day: NonNullable<Bar['day']>): boolean {
  return day.degraded === 0 && day.up >= DAY_MINUTES;
}

/** `29 other days were up in each of their 1 440 minutes. 1 day was not counted.` */
function otherDays(bars: readonly Bar[]): string {
  const plain = bars.filter(({ day }) => day !== undefined && isPlain(day)).length;
  const none = bars.filter(({ day }) => day === undefined).length;
  const other = bars.length > plain + none ? 'other ' : '';
  return [
    ...(plain === 0
      ? []
      : [
          `${formatCount(plain)} ${other}${plain === 1 ? 'day was' : 'days were'} up in each of ${formatCount(DAY_MINUTES)} minutes.`,
        ]),
    ...(none === 0 ? [] : [`${plural(none, 'day')} ${none === 1 ? 'was' : 'were'} not counted.`]),
  ].join(' ');
}

/** Of nodes, the days that were not up from end to end: the others say nothing. */
function troubleTable(
  id: string,
  name: string,
  days: readonly { readonly subject: string; readonly bars: readonly Bar[] }[],
): Table | undefined {
  const rows = days
    .filter(({ subject }) => subject !== id)
    .flatMap(({ subject, bars }) =>
      bars
        .filter(({ day }) => day !== undefined && !isPlain(day))
        .map((bar) => [
          `${within(id, subject)}, ${formatDay(bar.date).replace(/ [0-9]+$/, '')}`,
          ...dayCells(bar),
        ]),
    );
  return tableOf(
    `${id}-trouble`,
    `Days of nodes of ${name} that were not up from end to end, minutes`,
    columnsOf('Node and day', ...dayColumns),
    rows,
  );
}

function outagesTable({ id, name, counted }: NamedService): Table | undefined {
  const subjectOf = (subject: string): string => (subject === id ? 'the service' : within(id, subject));
  return tableOf(
    `${id}-outages`,
    `Outages of ${name} and its nodes, maintenance apart`,
    columnsOf('What', 'From', 'To', '*Minutes'),
    [...counted.outages]
      .sort((a, b) => a.firstMinute - b.firstMinute || (a.subject < b.subject ? -1 : 1))
      .map(({ subject, firstMinute, minutes }) => [
        subjectOf(subject),
        minuteText(firstMinute),
        minuteText(firstMinute + minutes),
        formatCount(minutes),
      ]),
  );
}

function latencyTable({ id, name, counted }: NamedService): Table | undefined {
  return tableOf(
    `${id}-latency`,
    `Latency of ${name} by region and method`,
    columnsOf('Of', 'Region', 'Method', '*Median', '*95 % within', '*99 % within', '*Answers'),
    counted.latency.map(({ subject, region, method, count, p50Tenths, p95Tenths, p99Tenths }) => [
      subject === id ? 'the service' : within(id, subject),
      region ?? 'all',
      methodName(method),
      ...[p50Tenths, p95Tenths, p99Tenths].map((tenths) => (count === 0 ? '–' : formatTenths(tenths))),
      formatCount(count),
    ]),
  );
}

function latencyChart(
  id: string,
  name: string,
  counted: CountedService,
  firstAt: number,
): ChartView | undefined {
  const days = counted.latencyDays.find(({ subject }) => subject === id)?.days ?? [];
  const steps = days.map(([count, p50Tenths, p95Tenths, p99Tenths]) =>
    count === 0 ? null : { count, p50Tenths, p95Tenths, p99Tenths },
  );
  if (steps.every((step) => step === null)) return undefined;
  const span = { from: firstAt, everyMs: DAY_MS, steps: steps.length };
  return quantileChart(steps, span, highestQuantile([steps]), {
    key: `${id}-latency-days`,
    title: 'Latency by day',
    caption: `Latency of ${name} by UTC day, all regions`,
    noun: 'day',
    nameOf: (at) => formatShortDate(at),
    timeOf: (at) => formatShortDate(at),
  });
}

function headsTable({ id, name, counted }: NamedService): Table | undefined {
  return tableOf(
    `${id}-heads`,
    `How far nodes of ${name} were behind their chain, in blocks, by stretches of five minutes`,
    columnsOf('Node', '*Stretches', '*Level', '*Median', '*95 % within', '*Most', '*Highest block'),
    counted.heads.map((one) => [
      within(id, one.subject),
      ...[one.stretches, one.level, one.lagP50Blocks, one.lagP95Blocks, one.lagMaxBlocks, one.highest].map(
        formatCount,
      ),
    ]),
  );
}

function certificatesTable({ id, name, counted }: NamedService): Table | undefined {
  return tableOf(
    `${id}-certificates`,
    `Certificates of ${name} as they were seen last`,
    columnsOf('Check', 'Expires', "*Days left at the month's end"),
    counted.certificates.map(({ monitor, expiresAt, daysLeft }) => [
      within(id, monitor),
      timeText(expiresAt),
      daysLeft < 0 ? `expired (${formatCount(daysLeft)})` : formatCount(daysLeft),
    ]),
  );
}

/** `1 to 31 October`: under the bars. */
export function spanText(bars: readonly Bar[]): readonly [string, string] {
  const [first, last] = [bars[0], bars.at(-1)];
  const text = (bar: Bar | undefined) => (bar ? formatDate(Date.parse(`${bar.date}T00:00:00Z`)) : '');
  return [text(first), text(last)];
}
