/** What was counted, in words. Every figure is a text of the collector's: nothing of uptime is computed here. Pure. */
import type {
  PublicCounted,
  PublicNumbers,
  PublicPeriod,
  PublicServiceDetail,
} from '@highwater/config/public-detail.ts';
import { formatCount, formatMonth, plural } from './format.ts';
import { uptimeView, type UptimeView } from './view.ts';

export interface CountedRow {
  /** `Last 24 hours`, `November 2026`, `Frankfurt`. */
  readonly name: string;
  readonly uptime: UptimeView;
  /** `12 min down`, `3 min unknown: 2 no data, 1 split vote`. */
  readonly minutes: readonly string[];
  /** `99.9950 % of 12 345 requests`; empty without any. */
  readonly share: string;
}

/** The periods of a subject as the regions agreed; empty when the collector counts no such subject. */
export function periodRows(numbers: PublicNumbers, subject: string): readonly CountedRow[] {
  return periodsOf(numbers, subject)
    .filter((one) => !isBefore(one))
    .map((one) => countedRow(periodName(one.period), one));
}

/** A month that was over before anything was counted. */
function isBefore({ period, totals }: PublicPeriod): boolean {
  const { up, down, unknown, maintenance, stalled } = totals;
  return /^[0-9]{4}-/.test(period) && up + down + unknown + maintenance + stalled === 0;
}

/** One period of a subject by region, in the collector's order; empty where no region counts alone. */
export function regionRows(
  numbers: PublicNumbers,
  subject: string,
  period: string,
  regionName: (id: string) => string,
): readonly CountedRow[] {
  return numbers.subjects.flatMap((one) => {
    const counted = one.periods.find((each) => each.period === period);
    if (one.subject !== subject || one.region === undefined || counted === undefined) return [];
    return countedRow(regionName(one.region), counted);
  });
}

/** One period of each of a node's checks. */
export function checkRows(numbers: PublicNumbers, node: string, period: string): readonly CountedRow[] {
  return numbers.subjects.flatMap((one) => {
    const counted = one.periods.find((each) => each.period === period);
    if (!one.subject.startsWith(`${node}/`) || one.region !== undefined || counted === undefined) return [];
    return countedRow(one.subject.slice(node.length + 1), counted);
  });
}

/** The figures of a subject's period; undefined when there is none such. */
export function periodOf(
  detail: PublicServiceDetail | undefined,
  subject: string,
  period: string,
): PublicPeriod | undefined {
  if (detail === undefined) return undefined;
  return periodsOf(detail.numbers, subject).find((one) => one.period === period);
}

function periodsOf({ subjects }: PublicNumbers, subject: string): readonly PublicPeriod[] {
  return subjects.find((one) => one.subject === subject && one.region === undefined)?.periods ?? [];
}

function countedRow(name: string, counted: PublicCounted): CountedRow {
  return {
    name,
    uptime: uptimeView(counted.uptime),
    minutes: minuteTexts(counted),
    share: counted.share === undefined ? '' : `${counted.share} of ${plural(counted.requests, 'request')}`,
  };
}

/** What was not simply up; of minutes that were all up, how many they are. */
function minuteTexts({ totals, unknown, uptime, withMaintenance }: PublicCounted): readonly string[] {
  const causes = [
    [unknown.noData, 'no data'],
    [unknown.split, 'split vote'],
    [unknown.probe, 'probe at fault'],
    [unknown.clock, 'clock'],
  ] as const;
  const why = causes
    .flatMap(([count, word]) => (count === 0 ? [] : `${formatCount(count)} ${word}`))
    .join(', ');
  const counted = withMaintenance.figure !== uptime.figure ? withMaintenance.figure : undefined;
  const said = [
    minutesText(totals.down, 'down'),
    minutesText(totals.unknown, why === '' ? 'unknown' : `unknown: ${why}`),
    minutesText(
      totals.maintenance,
      counted === undefined ? 'maintenance' : `maintenance (${counted} with it)`,
    ),
    minutesText(totals.stalled, 'chain stalled'),
    minutesText(totals.degraded, 'degraded, counted as up'),
  ].filter(Boolean);
  if (said.length > 0) return said;
  return [totals.up === 0 ? 'nothing counted yet' : `up all ${minutesText(totals.up, '')}`.trim()];
}

function minutesText(count: number, what: string): string {
  return count === 0 ? '' : `${formatCount(count)}\u00a0min ${what}`;
}

/** `24h` as `Last 24 hours`, `2026-11` as `November 2026`. */
export function periodName(period: string): string {
  const [, count, unit] = /^([0-9]+)([hd])$/.exec(period) ?? [];
  if (count !== undefined) return `Last ${count} ${unit === 'h' ? 'hours' : 'days'}`;
  const at = Date.parse(`${period}-01T00:00:00Z`);
  return Number.isNaN(at) ? period : formatMonth(at);
}
