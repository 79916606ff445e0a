/** A monthly report as a message: not an incident, so nobody acknowledges it and it is told once. Pure. */
import type { Message } from '@highwater/config/kinds.ts';
import { monthName } from '@highwater/config/report/words.ts';
import { SUMMARY_HEAD, summaryParts } from '@highwater/config/report/summary.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { FeedEvent } from '@highwater/config/wire.ts';
import { limits, type Place } from './render.ts';
import { plain } from './text.ts';

type Published = Extract<FeedEvent, { type: 'report.published' }>;

/** One for each revision and channel: read twice, it is the same one. */
export function renderReport(
  { month, revision, lines }: Published,
  channel: string,
  place: Place,
  at: Instant,
): Message {
  const again = revision > 1 ? `, revision ${revision}` : '';
  return {
    thread: `report-${month}-${revision}`,
    key: `report-${month}-${revision}-${channel}`,
    reason: 'report',
    impact: 'none',
    title: plain(`Uptime report of ${monthName(month)}${again}`, limits.titleRunes),
    lines: lines.map((line) => plain(line, limits.lineRunes)),
    url: `${place.siteUrl}/reports/${encodeURIComponent(month)}`,
    at,
  };
}

/** The table of a report's message, without its head, and what is said below it. */
export interface ReportParts {
  readonly services: readonly (readonly string[])[];
  readonly rest: readonly string[];
}

export function reportParts({ lines }: Pick<Message, 'lines'>): ReportParts {
  return {
    services: lines.flatMap((line) => {
      const parts = summaryParts(line);
      return parts === undefined ? [] : [parts];
    }),
    rest: lines.filter((line) => summaryParts(line) === undefined),
  };
}

/** The table in plain text, its columns under each other. */
export function reportTable(services: ReportParts['services']): string[] {
  if (services.length === 0) return [];
  const rows = [SUMMARY_HEAD, ...services];
  const widths = SUMMARY_HEAD.map((_, i) => Math.max(...rows.map((row) => Array.from(row[i] ?? '').length)));
  const padded = (row: readonly string[]) =>
    widths.map((width, i) => (row[i] ?? '') + ' '.repeat(width - Array.from(row[i] ?? '').length));
  return [...rows.map((row) => padded(row).join('  ').trimEnd()), ''];
}
