/** What `highwater report` prints: which reports there are, how one that is made comes along, and what was written. */
import type { PublishedReport, ReportList } from '@highwater/config/wire-reports.ts';
import { columns, plain, utc } from './print.ts';

export function reportListText({ reports, making, next, failed, drafts }: ReportList): string {
  const rows = reports.map(({ month, revision, madeAt, bytes, services, differences }) => [
    month,
    String(revision),
    utc(madeAt),
    String(services.length),
    megabytes(bytes),
    differences === undefined ? '' : `${differences} differences to revision ${revision - 1}`,
  ]);
  const head = ['month', 'revision', 'made', 'services', 'bundle', ''];
  return [
    rows.length === 0 ? 'no report yet\n' : columns([head, ...rows]),
    making === undefined ? '' : `being made: ${plain(makingText(making))}\n`,
    failed === undefined ? '' : `FAILED: ${failed.month}, ${failed.tries} tries: ${plain(failed.because)}\n`,
    ...drafts.map(
      ({ month, madeAt, until }) => `draft: ${month}, made ${utc(madeAt)}, kept until ${utc(until)}\n`,
    ),
    next === undefined ? '' : `next: ${next.month}, made by itself at ${utc(next.dueAt)}\n`,
  ].join('');
}

export function makingText({
  month,
  phase,
  doneBytes,
  allBytes,
  of,
}: NonNullable<ReportList['making']>): string {
  const percent = allBytes > 0 ? Math.floor((100 * Math.min(doneBytes, allBytes)) / allBytes) : 0;
  return `${month}: ${percent} %, ${phase}: ${of}`;
}

/** Headline of each service; `none` where the rule gives no figure. */
export function headlinesText(services: PublishedReport['services']): string {
  const rows = services.map(({ id, uptime, coverage, incomplete, down, unknown, maintenance, stalled }) => [
    '',
    plain(id),
    `${uptime ?? 'none'}${uptime !== undefined && incomplete ? '  incomplete' : ''}`,
    `known ${coverage ?? 'none'}`,
    `${down} min down`,
    ...(unknown > 0 ? [`${unknown} unknown`] : []),
    ...(maintenance > 0 ? [`${maintenance} in maintenance`] : []),
    ...(stalled > 0 ? [`${stalled} stalled`] : []),
  ]);
  return columns([['', 'service', 'uptime'], ...rows]);
}

export interface WrittenFile {
  readonly name: string;
  readonly bytes: number;
  /** It was there already, with the same bytes. */
  readonly wasThere: boolean;
}

export function writtenText(folder: string, files: readonly WrittenFile[]): string {
  const rows = files.map(({ name, bytes, wasThere }) => [
    '',
    name,
    megabytes(bytes),
    wasThere ? 'was there, the same' : '',
  ]);
  return `written to ${plain(folder)}\n${columns(rows)}`;
}

/** `84.2 MB`, `1.5 kB`. */
function megabytes(bytes: number): string {
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
