/** The list of reports with its trend. Pure. */
import { daysOfMonth, formatMonth, monthOfDay, parseMonth } from '@highwater/config/proof/rule/period.ts';
import { monthName } from '@highwater/config/report/words.ts';
import type { PublishedReport, ReportList } from '@highwater/config/wire-reports.ts';
import type { ChartView } from '../charts/chart.ts';
import { BOX_WIDTH, draw } from '../charts/draw.ts';
import { formatCount, formatDate, formatIso, plural } from '../format.ts';
import type { Frame } from '../frame.ts';
import { headlineCell, figureTexts, objectiveCell, timeText } from './figures.ts';
import { columnsOf, tableOf, type Table } from './table.ts';

const DAY_MS = 86_400_000;
/** As the default of `reports.settle`, where no collector says when. */
const SETTLE_DAYS = 2;
/** Months in a trend. */
const TREND_MONTHS = 24;
/** Charts of trends; the months below have all figures. */
const MAX_TRENDS = 60;

export interface Download {
  readonly name: string;
  readonly href: string;
  readonly size: string;
  readonly says: string;
}

export function downloadsOf(month: string, published: PublishedReport | undefined): readonly Download[] {
  const at = (form: string) => `/reports/${month}.${form}`;
  return [
    {
      name: 'Bundle (.tar.gz)',
      href: at('tar.gz'),
      size: published === undefined ? '' : bytesText(published.bytes),
      says: 'the report with all that it takes to check it',
    },
    { name: 'JSON', href: at('json'), size: '', says: 'every integer, the text that is signed' },
    { name: 'CSV', href: at('csv'), size: '', says: 'the counts, for a spreadsheet' },
    { name: 'Markdown', href: at('md'), size: '', says: 'for a post in a forum' },
  ];
}

/** `84.2 MB`; powers of ten. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < units.length - 1) [value, unit] = [value / 1_000, unit + 1];
  const text = unit === 0 || value >= 100 ? formatCount(Math.round(value)) : value.toFixed(1);
  return `${text}\u00a0${units[unit] ?? ''}`;
}

export interface ListedMonth {
  readonly month: string;
  readonly title: string;
  readonly revision: string;
  readonly madeAt: string;
  readonly table: Table | undefined;
  readonly summary: string;
  readonly downloads: readonly Download[];
  /** Whether the page of the report can be read here. */
  readonly isHere: boolean;
}

export interface ReportsView {
  readonly months: readonly ListedMonth[];
  readonly trends: readonly ChartView[];
  readonly moreTrends: string;
  readonly next: string;
  readonly making: string;
}

export function reportsView(frame: Frame): ReportsView {
  const newest = newestReports(frame.reports?.list);
  const trends = trendsOf(newest);
  const more = trends.length - MAX_TRENDS;
  return {
    months: newest.map((one) => listedMonth(one, frame)),
    trends: trends.slice(0, MAX_TRENDS),
    moreTrends: more > 0 ? `${plural(more, 'more service')}: see the months below.` : '',
    next: nextText(frame),
    making: makingText(frame.reports?.list),
  };
}

/** Of each month the newest revision, newest month first. */
export function newestReports(list: ReportList | undefined): readonly PublishedReport[] {
  const newest = new Map<string, PublishedReport>();
  for (const one of list?.reports ?? [])
    if (parseMonth(one.month) !== undefined && (newest.get(one.month)?.revision ?? 0) < one.revision)
      newest.set(one.month, one);
  return [...newest.values()].sort((a, b) => (a.month < b.month ? 1 : -1));
}

function listedMonth(one: PublishedReport, frame: Frame): ListedMonth {
  const { month, revision, differences, services } = one;
  const changed = differences === undefined ? '' : `, ${plural(differences, 'difference')} to the one before`;
  const without = services.filter((service) => service.down === 0).length;
  const { first, last } = daysOfMonth(parseMonth(month) ?? 0);
  const all = (last - first + 1) * 1_440;
  const isPart = services.some((service) => countedOf(service) < all);
  return {
    month,
    title: monthName(month),
    revision: `Revision ${revision}${revision > 1 ? changed : ''}`,
    madeAt: timeText(one.madeAt),
    table: tableOf(
      `list-${month}`,
      `Headline figures of ${monthName(month)}`,
      columnsOf(
        ...['Service', 'Objective', '*Uptime', '*Known', '*Down', '*Unknown'],
        ...(isPart ? ['*Minutes counted'] : []),
      ),
      services.map((service) => [
        service.name,
        objectiveCell(service, service.objectiveMillionths),
        headlineCell(service),
        figureTexts(service).coverage,
        plural(service.down, 'min', 'min'),
        plural(service.unknown, 'min', 'min'),
        ...(isPart ? [`${formatCount(countedOf(service))} of ${formatCount(all)}`] : []),
      ]),
    ),
    summary: `${without} of ${plural(services.length, 'service')} without a minute down`,
    downloads: downloadsOf(month, one),
    isHere: frame.reports?.revisionOf(month) !== undefined,
  };
}

/** Minutes of the month for which it was counted. */
function countedOf({ up, down, unknown, maintenance, stalled }: PublishedReport['services'][number]): number {
  return up + down + unknown + maintenance + stalled;
}

/** When the next comes, as the collector says; else as its default is. */
function nextText(frame: Frame): string {
  const { list } = frame.reports ?? {};
  if (list?.next)
    return `The report of ${monthName(list.next.month)} is due on ${timeText(list.next.dueAt)}.`;
  const month = monthOfDay(Math.floor(frame.now / DAY_MS));
  const due = (daysOfMonth(month).last + 1 + SETTLE_DAYS) * DAY_MS;
  return `The report of ${monthName(formatMonth(month))} is due on ${formatDate(due)}, once its last observations have had time to arrive.`;
}

function makingText(list: ReportList | undefined): string {
  const { making } = list ?? {};
  if (making === undefined || making.isDraft) return '';
  const percent = making.allBytes === 0 ? 0 : Math.floor((100 * making.doneBytes) / making.allBytes);
  return `The report of ${monthName(making.month)} is being made: ${Math.min(99, percent)} % of its evidence is read.`;
}

/** Uptime of each service by month, oldest first; none before there are two months. */
function trendsOf(newest: readonly PublishedReport[]): readonly ChartView[] {
  const [latest] = newest;
  const last = parseMonth(latest?.month ?? '');
  if (last === undefined || latest === undefined) return [];
  const byMonth = new Map(newest.map((one) => [one.month, one]));
  const oldest = Math.min(...newest.map(({ month }) => parseMonth(month) ?? last));
  const first = Math.max(oldest, last - TREND_MONTHS + 1);
  if (first === last) return [];
  const months = Array.from({ length: last - first + 1 }, (_, index) => formatMonth(first + index));
  return latest.services.map(({ id, name }) =>
    trend(
      id,
      name,
      months.map((month) => ({ month, told: byMonth.get(month)?.services.find((one) => one.id === id) })),
    ),
  );
}

type Told = PublishedReport['services'][number];

function trend(
  id: string,
  name: string,
  months: readonly { readonly month: string; readonly told: Told | undefined }[],
): ChartView {
  const values = months.map(({ told }) =>
    told && figureTexts(told).hasFigure ? Math.floor((1_000_000 * told.up) / (told.up + told.down)) : null,
  );
  const known = values.filter((value) => value !== null);
  // A month that was up from end to end is drawn below the edge.
  const low = Math.min(999_000, ...known);
  const everyMs = BOX_WIDTH;
  const drawing = draw(
    [{ name, values }],
    { from: 0, everyMs, steps: months.length },
    {
      low,
      high: 1_000_000,
      textOf: (value) => String(Number((value / 10_000).toFixed(3))),
      timeOf: () => '',
    },
  );
  const wide = 100 / months.length;
  const every = Math.ceil(months.length / 4);
  return {
    key: `trend-${id}`,
    title: name,
    summary: trendText(months),
    drawing: {
      ...drawing,
      x: months.flatMap(({ month }, index) => {
        const x = Math.round((index + 0.5) * wide * 10) / 10;
        return index % every === 0 && x >= 6 && x <= 94 ? [{ x, text: shortMonth(month) }] : [];
      }),
    },
    table: {
      caption: `Uptime of ${name} by month`,
      head: ['Month', 'Uptime', 'Known', 'Down'],
      rows: months
        .map(({ month, told }) =>
          told === undefined
            ? [monthName(month), '–', '–', '–']
            : [
                monthName(month),
                headlineCell(told),
                figureTexts(told).coverage,
                plural(told.down, 'min', 'min'),
              ],
        )
        .toReversed(),
    },
  };
}

/** `Oct 26` */
function shortMonth(month: string): string {
  return monthName(month).replace(/^(...)[a-z]* [0-9]{2}/, '$1\u00a0');
}

function trendText(months: readonly { readonly month: string; readonly told: Told | undefined }[]): string {
  const told = months.flatMap((one) => (one.told === undefined ? [] : [{ ...one, told: one.told }]));
  const down = told.filter((one) => one.told.down > 0).length;
  const latest = told.at(-1);
  const now = latest === undefined ? '' : `${monthName(latest.month)}: ${headlineCell(latest.told)}. `;
  return `${now}${down === 0 ? `No minute down in ${plural(told.length, 'month')}.` : `Down minutes in ${down} of ${plural(told.length, 'month')}.`}`;
}

/** Months that the page of a service names. */
const MONTHS_OF_SERVICE = 3;

/** The newest reports that are kept here and have a service, with its headline. */
export function reportsOfService(id: string, { reports }: Frame) {
  return newestReports(reports?.list)
    .filter(({ month }) => reports?.revisionOf(month) !== undefined)
    .flatMap(({ month, services }) => {
      const one = services.find((service) => service.id === id);
      return one === undefined
        ? []
        : {
            month,
            title: monthName(month),
            figure: headlineCell(one),
            known: `${figureTexts(one).coverage} known`,
          };
    })
    .slice(0, MONTHS_OF_SERVICE);
}

/** What other programs read: the published reports, without what only the operator needs. */
export function reportsAnswer(frame: Frame): object {
  const list = frame.reports?.list;
  return {
    generatedAt: list === undefined ? null : isoText(list.at),
    next: list?.next === undefined ? null : { month: list.next.month, dueAt: isoText(list.next.dueAt) },
    reports: (list?.reports ?? []).map((one) => ({
      ...one,
      madeAt: isoText(one.madeAt),
      page: `/reports/${one.month}`,
      files: Object.fromEntries(
        ['json', 'md', 'csv', 'tar.gz'].map((form) => [
          form,
          `/reports/${one.month}.${form}?revision=${one.revision}`,
        ]),
      ),
      bundle: { address: `/reports/${one.month}/bundle/`, files: one.files },
    })),
  };
}

function isoText(at: number): string | null {
  return Math.abs(at) <= 8_640_000_000_000_000 ? formatIso(at) : null;
}
