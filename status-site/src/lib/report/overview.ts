/** The head of a report and its tables over all services. Pure. */
import type { ReportTotals, CountedService } from '@highwater/config/report/counted.ts';
import { withMaintenance } from '@highwater/config/proof/rule/totals.ts';
import { partlyCounted } from '@highwater/config/report/counted-span.ts';
import { totalsOf } from '@highwater/config/report/figures.ts';
import type { Report } from '@highwater/config/report/report.ts';
import { monthName, probesByOthers, probesText } from '@highwater/config/report/words.ts';
import { formatCount, plural } from '../format.ts';
import {
  causesText,
  figureCell,
  headlineCell,
  figureTexts,
  objectiveCell,
  shareText,
  verdictOf,
  type Minutes,
} from './figures.ts';
import { columnsOf, tableOf, type Table } from './table.ts';

/** A service with what the operator says of it. */
export interface NamedService {
  readonly id: string;
  readonly name: string;
  readonly objective?: number;
  readonly counted: CountedService;
  /** As the regions agreed. */
  readonly totals: ReportTotals;
}

/** In the order in which the operator names them; what nobody names comes after, by its id. */
export function servicesOf(report: Report): readonly NamedService[] {
  const counted = new Map(report.counted.services.map((one) => [one.id, one]));
  const told = new Map(report.told.services.map((one) => [one.id, one]));
  const ids = [...new Set([...told.keys(), ...counted.keys()])];
  return ids.flatMap((id) => {
    const [service, { name = id, objectiveMillionths: objective } = {}] = [counted.get(id), told.get(id)];
    const totals = service && totalsOf(service, id);
    if (service === undefined || totals === undefined) return [];
    return { id, name, counted: service, totals, ...(objective === undefined ? {} : { objective }) };
  });
}

/** One paragraph for those who read no further. */
export function summaryText(report: Report, services: readonly NamedService[]): string {
  const said: string[] = [];
  const of = (verdict: string) =>
    services.filter(({ totals, objective }) => verdictOf(totals, objective) === verdict);
  const [met, missed, open] = [of('met'), of('missed'), of('open')];
  const judged = met.length + missed.length + open.length;
  said.push(`${plural(services.length, 'service')} ${services.length === 1 ? 'was' : 'were'} watched.`);
  const partly = partlyCounted(report, undefined, formatCount);
  if (partly.length > 0) said.push(`Not all of the month was counted: ${partly.join('; ')}.`);
  if (judged > 0) said.push(`${met.length} of ${judged} with an objective met it.`);
  if (open.length > 0)
    said.push(
      `Of ${plural(open.length, 'service')} the unknown minutes leave it open: ${list(open.map(({ name, totals, objective }) => `${name} (${objectiveCell(totals, objective)})`))}.`,
    );
  for (const { name, totals } of missed.slice(0, 5))
    said.push(
      `${name} missed it with ${figureTexts(totals).figure} (${plural(totals.down, 'minute')} down).`,
    );
  const most = services.reduce<NamedService | undefined>(
    (worst, one) => (one.totals.down > (worst?.totals.down ?? 0) ? one : worst),
    undefined,
  );
  if (most === undefined) said.push('None was down for a minute.');
  else if (missed.length === 0)
    said.push(`Down longest was ${most.name}, with ${plural(most.totals.down, 'minute')} of the month.`);
  const untold = services.filter(({ totals }) => !figureTexts(totals).hasFigure).map(({ name }) => name);
  if (untold.length > 0)
    said.push(
      `Too little is known of ${list(untold)} for a figure (less than 90 % of its minutes): the bounds say what is certain.`,
    );
  const incomplete = services.filter(
    ({ totals }) => figureTexts(totals).incomplete && figureTexts(totals).hasFigure,
  );
  if (incomplete.length > 0)
    said.push(
      `${plural(incomplete.length, 'figure')} ${incomplete.length === 1 ? 'is' : 'are'} marked incomplete: less than 99.9 % of the minutes are known.`,
    );
  said.push(probesText(probesByOthers(report.counted.probes)));
  return said.join(' ');
}

function list(names: readonly string[]): string {
  if (names.length > 4) return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

const uptimeColumns = [
  'Service',
  'Objective',
  '*Uptime',
  '*Known',
  '*Bounds',
  '*Uptime with maintenance',
] as const;

export function uptimeTable(
  services: readonly NamedService[],
  minutes: Report['minutes'],
): Table | undefined {
  const all = minutes.last - minutes.first + 1;
  const isPart = services.some(({ counted }) => counted.minutes < all);
  const rows = services.map(({ name, objective, totals, counted }) => {
    const { coverage, bounds } = figureTexts(totals);
    const both = withMaintenance(totals);
    return [
      name,
      objectiveCell(totals, objective),
      figureCell(totals),
      coverage,
      bounds,
      totals.maintenance === 0 ? 'the same' : figureCell(both),
      ...(isPart ? [`${formatCount(counted.minutes)} of ${formatCount(all)}`] : []),
    ];
  });
  return open(
    tableOf(
      'uptime',
      'Uptime of each service, maintenance left out',
      columnsOf(...uptimeColumns, ...(isPart ? ['*Minutes counted'] : [])),
      rows,
    ),
  );
}

const minuteColumns = columnsOf(
  'Service',
  '*Up',
  '*Down',
  '*Unknown',
  'Why unknown',
  '*Maintenance',
  '*Chain stalled',
  '*Degraded (of up)',
  '*Requests that succeeded',
);

export function minutesTable(services: readonly NamedService[]): Table | undefined {
  const rows = services.map(({ name, totals }) => [
    name,
    formatCount(totals.up),
    formatCount(totals.down),
    formatCount(totals.unknown),
    causesText(totals),
    formatCount(totals.maintenance),
    formatCount(totals.stalled),
    formatCount(totals.degraded),
    shareText(totals),
  ]);
  return open(tableOf('minutes', 'The minutes of the month', minuteColumns, rows));
}

/** What a report is about is never folded. */
function open(table: Table | undefined): Table | undefined {
  if (table === undefined) return undefined;
  const { key, caption, columns, rows } = table;
  return { key, caption, columns, rows };
}

/** Of those that the operator tells. */
const MONTHS_BEFORE = 5;

export function beforeTable(report: Report, services: readonly NamedService[]): Table | undefined {
  const before = report.told.before.slice(0, MONTHS_BEFORE);
  if (before.length === 0) return undefined;
  const cell = (minutes: Minutes | undefined) => (minutes === undefined ? '–' : headlineCell(minutes));
  const table = open(
    tableOf(
      'before',
      'Uptime, this month and those before',
      columnsOf('Service', ...[report, ...before].map(({ month }) => `*${monthName(month)}`)),
      services.map(({ id, name, totals }) => [
        name,
        cell(totals),
        ...before.map((month) => cell(month.services.find((one) => one.id === id))),
      ]),
    ),
  );
  return table && { ...table, isWide: true };
}
