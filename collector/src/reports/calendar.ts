/** Which months have a report, and when it is due. Pure. */
import { REPORT_SETTLE_MS } from '@highwater/config/schema-reports.ts';
import type { Config } from '@highwater/config/model.ts';
import { daysOfMonth, formatMonth, monthOfDay, parseMonth } from '@highwater/config/proof/rule/period.ts';
import { DAY_MS, type Instant } from '@highwater/config/time.ts';

const monthAt = (at: Instant): number => monthOfDay(Math.floor(at / DAY_MS));

/** From the month of the first start on to the one that runs, oldest first. */
export function monthsSince(startedAt: Instant, now: Instant): string[] {
  const months: string[] = [];
  for (let month = monthAt(startedAt); month <= monthAt(now); month += 1) months.push(formatMonth(month));
  return months;
}

/** The first moment at which a month is over and has settled. @param month such as 2026-10 */
export function dueAtOf(month: string, { reports }: Pick<Config, 'reports'>): Instant {
  return endOfMonth(month) + (reports?.settleMs ?? REPORT_SETTLE_MS);
}

export function endOfMonth(month: string): Instant {
  return (daysOfMonth(parseMonth(month) ?? 0).last + 1) * DAY_MS;
}

/** `2026-11-03 00:00:00 UTC` */
export function timeText(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

const FIRST_RETRY_MS = 300_000;
const LONGEST_RETRY_MS = 21_600_000;

/** How long after the n-th failure it is tried again, ms. */
export function retryAfterMs(tries: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(tries - 1, 10));
}
