/** A report's counts as CSV (RFC 4180): a row for each subject, as the regions agreed and as each of them saw it. Pure. */
import { printedObjective } from '../proof/rule/budget.ts';
import { printedShare, printedUptime } from '../proof/rule/printed.ts';
import { emptyCounts, withMaintenance } from '../proof/rule/totals.ts';
import type { Counts } from '../proof/rule/totals.ts';
import type { CountedService, ReportTotals } from './counted.ts';
import { objectiveOf, resultText } from './figures.ts';
import type { RenderOptions } from './markdown.ts';
import { csvField } from './outside.ts';
import type { Report } from './report.ts';

const counts = Object.keys(emptyCounts) as readonly (keyof Counts)[];

const columns: readonly string[] = [
  'month',
  'revision',
  'service',
  'name',
  'subject',
  'region',
  ...counts,
  'maintenance',
  ...counts.map((key) => `inMaintenance.${key}`),
  'uptime',
  'known',
  'atLeast',
  'atMost',
  'incomplete',
  'uptimeWithMaintenance',
  'knownWithMaintenance',
  'requestsSucceeded',
  'objective',
  'objectiveResult',
];

/** Names are the operator's word; an empty region is what the regions agreed on. */
export function renderCsv(report: Report, { isDraft = false }: RenderOptions = {}): string {
  const rows = report.counted.services.flatMap((service) =>
    service.subjects.map((subject) => [
      report.month,
      isDraft ? 'DRAFT' : report.revision,
      ...rowOf(report, service, subject),
    ]),
  );
  return [columns, ...rows].map((row) => `${row.map(csvField).join(',')}\r\n`).join('');
}

function rowOf(
  { told }: Report,
  { id }: CountedService,
  { subject, region, totals }: { subject: string; region?: string | undefined; totals: ReportTotals },
): (string | number | undefined)[] {
  const words = told.services.find((one) => one.id === id);
  const printed = printedUptime(totals);
  const all = printedUptime(withMaintenance(totals));
  const millionths = subject === id && region === undefined ? words?.objectiveMillionths : undefined;
  return [
    id,
    words?.name,
    subject,
    region,
    ...counts.map((key) => totals[key]),
    totals.maintenance,
    ...counts.map((key) => totals.inMaintenance[key]),
    printed.figure,
    printed.coverage,
    printed.atLeast,
    printed.atMost,
    printed.incomplete ? 'yes' : 'no',
    all.figure,
    all.coverage,
    printedShare(totals),
    ...(millionths === undefined
      ? [undefined, undefined]
      : [printedObjective(millionths), resultText(objectiveOf(totals, millionths))]),
  ];
}
