/** A report in a few lines, as it is sent to channels. Pure. */
import { anchorLine } from './anchor.ts';
import { partlyCounted } from './counted-span.ts';
import { figureText, objectiveText, serviceFigures } from './figures.ts';
import { oneLine } from './outside.ts';
import type { Report } from './report.ts';
import { grouped, probesByOthers, probesText, reportPlaces } from './words.ts';

/** Services that are told one by one; the page has all of them. */
export const MAX_SUMMARY_SERVICES = 20;
/** Between the parts of a service's line: name, uptime, known, objective, down. */
const between = ' · ';
export const SUMMARY_HEAD = ['Service', 'Uptime', 'Known', 'Objective', 'Down'] as const;
/** A name leaves room for what follows it on a line. */
const MAX_RUNES = 80;
/** Text from outside separates nothing: what is between the parts of a service's line is nowhere else. */
const unparted = (text: string): string => text.replaceAll('·', '-');

/** A line a service, then sentences as `Label: what is to be known`. */
export function summaryLines(report: Report): string[] {
  const figures = serviceFigures(report);
  const more = figures.length - MAX_SUMMARY_SERVICES;
  const partly = partlyCounted(report, (name) => oneLine(name, MAX_RUNES) || '-');
  const { page } = reportPlaces(report.told.site.url, report.month);
  return [
    ...figures
      .slice(0, MAX_SUMMARY_SERVICES)
      .map(({ name, printed, objective, totals }) =>
        [
          unparted(oneLine(name, MAX_RUNES)) || '-',
          figureText(printed),
          printed.coverage ?? 'none',
          objectiveText(objective),
          `${grouped(totals.down)} min`,
        ].join(between),
      ),
    ...(more > 0 ? [`More: ${more} services are on the page.`] : []),
    ...(report.supersedes === undefined
      ? []
      : [`Replaces: revision ${report.supersedes.revision}; what differs is on the page.`]),
    ...(partly.length === 0 ? [] : [unparted(`In part: ${partly.join('; ')}`)]),
    ...[
      `Probes: ${probesText(probesByOthers(report.counted.probes))}`,
      `Verify: highwater verify ${page}`,
      `Anchor: ${anchorLine(report)}`,
    ].map(unparted),
  ];
}

/** The parts of a service's line; undefined for another one. */
export function summaryParts(line: string): readonly string[] | undefined {
  const parts = line.split(between);
  return parts.length === SUMMARY_HEAD.length ? parts : undefined;
}
