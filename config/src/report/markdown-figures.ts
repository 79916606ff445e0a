/** The part of a report's Markdown that has figures: uptime, nodes, regions, months, latency, lag, certificates. Pure. */
import { printedUptime } from '../proof/rule/printed.ts';
import type { CountedLatency } from './counted.ts';
import { figureText, objectiveText, type ServiceFigure, serviceFigures, tenthsText } from './figures.ts';
import { markdownTable } from './markdown-table.ts';
import { markdownCode, markdownText } from './outside.ts';
import type { Report } from './report.ts';
import { figureMeaning, grouped, unknownCauses } from './words.ts';

/** Rows of one table and items of one list; what is more is counted. */
export const MAX_TOLD = 60;

/** What is over the limit is said and left to report.json. */
export function bounded<T>(all: readonly T[], what: string): { shown: readonly T[]; more: string[] } {
  const more = all.length - MAX_TOLD;
  return {
    shown: all.slice(0, MAX_TOLD),
    more: more > 0 ? ['', `${grouped(more)} more ${what} are in \`report.json\`.`] : [],
  };
}

function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  what: string,
  textColumns = 1,
): string[] {
  const { shown, more } = bounded(rows, what);
  return [markdownTable(head, shown, textColumns), ...more, ''];
}

function boundsText({ atLeast, atMost }: ReturnType<typeof printedUptime>): string {
  return atLeast === undefined || atMost === undefined ? '' : `${atLeast} to ${atMost}`;
}

export function uptimeSection(report: Report): string[] {
  const figures = serviceFigures(report);
  const name = ({ name }: ServiceFigure) => markdownText(name);
  const unknown = figures.filter(({ totals }) => totals.unknown > 0);
  return [
    '## Uptime',
    '',
    ...table(
      ['Service', 'Uptime', 'Known', 'Bounds', 'Objective', 'Down, min', 'Unknown, min'],
      figures.map((of) => [
        name(of),
        figureText(of.printed),
        of.printed.coverage ?? 'none',
        boundsText(of.printed),
        objectiveText(of.objective),
        grouped(of.totals.down),
        grouped(of.totals.unknown),
      ]),
      'services',
    ),
    ...figureMeaning.map((line) => `- ${line}`),
    '',
    '### With maintenance, and what lies beside',
    '',
    ...table(
      [
        'Service',
        'Counted, min',
        'Maintenance, min',
        'Uptime with maintenance',
        'Chain stood still, min',
        'Degraded, min',
        'Requests that succeeded',
      ],
      figures.map((of) => [
        name(of),
        grouped(of.service.minutes),
        grouped(of.totals.maintenance),
        figureText(of.withMaintenance),
        grouped(of.totals.stalled),
        grouped(of.totals.degraded),
        of.share === undefined ? 'none' : `${of.share} of ${grouped(of.totals.requests)}`,
      ]),
      'services',
    ),
    '### Unknown minutes by cause',
    '',
    ...(unknown.length === 0
      ? ['No minute is unknown.', '']
      : [
          ...table(
            ['Service', ...unknownCauses.map((cause) => cause.name), 'all'],
            unknown.map((of) => [
              name(of),
              ...unknownCauses.map(({ key }) => grouped(of.totals[key])),
              grouped(of.totals.unknown),
            ]),
            'services',
          ),
          ...unknownCauses.map((cause) => `- ${cause.name}: ${cause.says}.`),
          '',
        ]),
    ...placesSections(figures),
    ...monthsSection(report, figures),
  ];
}

function placesSections(figures: readonly ServiceFigure[]): string[] {
  const rowOf = (label: readonly string[], totals: ServiceFigure['totals']) => {
    const printed = printedUptime(totals);
    return [
      ...label,
      figureText(printed),
      printed.coverage ?? 'none',
      grouped(totals.down),
      grouped(totals.unknown),
    ];
  };
  const nodes = figures.flatMap(({ service }) =>
    service.subjects.flatMap(({ subject, region, totals }) =>
      region === undefined && subject.split('/').length === 2 ? [rowOf([markdownCode(subject)], totals)] : [],
    ),
  );
  const regions = figures.flatMap(({ id, name, service }) =>
    service.subjects.flatMap(({ subject, region, totals }) =>
      region !== undefined && subject === id
        ? [rowOf([markdownText(name), markdownCode(region)], totals)]
        : [],
    ),
  );
  const head = ['Uptime', 'Known', 'Down, min', 'Unknown, min'];
  return [
    ...(nodes.length === 0 ? [] : ['### By node', '', ...table(['Node', ...head], nodes, 'nodes')]),
    ...(regions.length === 0
      ? []
      : [
          '### By region, as each of them alone saw it',
          '',
          ...table(['Service', 'Region', ...head], regions, 'rows', 2),
        ]),
  ];
}

function monthsSection(report: Report, figures: readonly ServiceFigure[]): string[] {
  const before = report.told.before.slice(0, 11);
  if (before.length === 0) return [];
  return [
    '### Months before',
    '',
    ...table(
      ['Service', markdownText(report.month), ...before.map(({ month }) => markdownText(month))],
      figures.map((of) => [
        markdownText(of.name),
        figureText(of.printed),
        ...before.map(({ services }) => {
          const then = services.find(({ id }) => id === of.id);
          return then === undefined ? '' : figureText(printedUptime(then));
        }),
      ]),
      'services',
    ),
    'Those of earlier months are copied from their reports: each has a bundle of its own.',
    '',
  ];
}

export function outagesSection({ counted }: Report, when: (minute: number) => string): string[] {
  const all = counted.services.flatMap(({ outages }) => outages);
  const { shown, more } = bounded(all, 'outages');
  return [
    '## Outages',
    '',
    ...(all.length === 0
      ? ['No service or node was down, maintenance apart.']
      : [
          markdownTable(
            ['Subject', 'From', 'Minutes'],
            shown.map(({ subject, firstMinute, minutes }) => [
              markdownCode(subject),
              when(firstMinute),
              grouped(minutes),
            ]),
            2,
          ),
          ...more,
        ]),
    '',
  ];
}

export function latencySection({ counted }: Report): string[] {
  const all = counted.services.flatMap(({ latency }) => latency);
  if (all.length === 0) return [];
  const row = ({ subject, region, method, count, p50Tenths, p95Tenths, p99Tenths }: CountedLatency) => [
    markdownCode(subject),
    method === '*' ? 'whole check' : markdownCode(method),
    region === undefined ? 'all' : markdownCode(region),
    tenthsText(p50Tenths),
    tenthsText(p95Tenths),
    tenthsText(p99Tenths),
    grouped(count),
  ];
  return [
    '## Latency',
    '',
    'Of answers, by rank; each is the upper end of its bin.',
    '',
    ...table(['Subject', 'Method', 'Region', 'p50', 'p95', 'p99', 'Answers'], all.map(row), 'rows', 3),
  ];
}

export function lagSection({ counted }: Report): string[] {
  const all = counted.services.flatMap(({ heads }) => heads);
  if (all.length === 0) return [];
  return [
    '## Behind the chain',
    '',
    'The highest block that a node told in five minutes, against the highest that two nodes or references of its chain had reached.',
    '',
    ...table(
      ['Node', 'Chain', 'Level', 'p50, blocks', 'p95, blocks', 'Most, blocks'],
      all.map(({ subject, chain, level, stretches, ...lag }) => [
        markdownCode(subject),
        markdownCode(chain),
        `${grouped(level)} of ${grouped(stretches)}`,
        grouped(lag.lagP50Blocks),
        grouped(lag.lagP95Blocks),
        grouped(lag.lagMaxBlocks),
      ]),
      'nodes',
      2,
    ),
  ];
}

export function certificatesSection({ counted }: Report, dayText: (at: number) => string): string[] {
  const all = counted.services.flatMap(({ certificates }) => certificates);
  if (all.length === 0) return [];
  return [
    '## Certificates',
    '',
    ...table(
      ['Monitor', 'Ends on', "Days left at the month's end"],
      all.map(({ monitor, expiresAt, daysLeft }) => [
        markdownCode(monitor),
        dayText(expiresAt),
        daysLeft < 0 ? 'expired' : String(daysLeft),
      ]),
      'certificates',
      2,
    ),
  ];
}
