/** The uptime of one subject over a range that somebody asks for. */
import { monitorParts } from '@highwater/config/domain.ts';
import {
  daysOfPeriod,
  type DayRange,
  lastMinutes,
  minutesOfDays,
  sumTotals,
} from '@highwater/config/proof/rule/period.ts';
import { emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type { UptimeAnswer } from '@highwater/config/public-detail.ts';
import { dayOfMinute, formatDay, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { allowanceOf, publicCounted } from './counted.ts';
import { AGREED, type DayTotals } from './ledger.ts';
import { type NumbersParts, subjectsOf } from './numbers.ts';

export interface UptimeQuestion {
  readonly subject: string;
  /** As this region alone saw it; else as the regions agreed. */
  readonly region?: string;
  /** `24h`, `7d`, `30d`, `90d` or a month; or the days themselves. */
  readonly range: { readonly period: string } | DayRange;
}

/** Whether a subject is configured, or anything was ever counted of it. */
async function isThere({ watched, ledger }: NumbersParts, subject: string): Promise<boolean> {
  const { service: id } = monitorParts(subject);
  const service = watched.config.services.find((each) => each.id === id);
  if (service !== undefined && subjectsOf(service, watched.config.monitors).includes(subject)) return true;
  return ledger.has(subject);
}

/** Whether a region is one of the configuration, or was when something was counted of a subject. */
export async function isRegionOf(parts: NumbersParts, subject: string, region: string): Promise<boolean> {
  if (parts.watched.config.regions.some(({ id }) => id === region)) return true;
  return region !== AGREED && (await parts.ledger.planes(subject)).has(region);
}

/** Undefined for a subject that there is not, and never was. */
export async function uptimeOf(
  parts: NumbersParts,
  { subject, region, range }: UptimeQuestion,
): Promise<UptimeAnswer | undefined> {
  const { watched, ledger, clock } = parts;
  const service = watched.config.services.find(({ id }) => id === monitorParts(subject).service);
  if (!(await isThere(parts, subject))) return undefined;
  const last = await ledger.lastMinute(monitorParts(subject).service, clock.now());
  const plane = region ?? AGREED;
  const period = 'period' in range ? range.period : undefined;
  const asked = 'period' in range ? daysOfPeriod(range.period, dayOfMinute(last)) : range;
  const span = asked === undefined ? lastMinutes(MINUTES_PER_DAY, last) : minutesOfDays(asked);
  const days: DayTotals = asked === undefined ? new Map() : await ledger.days(subject, plane, asked);
  const sum: RuleTotals =
    asked === undefined
      ? ((await ledger.minutes(subject, span)).get(plane) ?? emptyTotals)
      : sumTotals(days.values());
  const objectiveMillionths = service?.objectiveMillionths;
  const hasBudget = objectiveMillionths !== undefined && subject === service?.id && region === undefined;
  return {
    version: 1,
    subject,
    ...(region === undefined ? {} : { region }),
    ...(period === undefined ? {} : { period }),
    firstMinute: span.first,
    lastMinute: span.last,
    ...publicCounted(sum),
    days: [...days]
      .sort(([a], [b]) => a - b)
      .map(([day, totals]) => ({ date: formatDay(day), ...publicCounted(totals) })),
    ...(hasBudget ? { budget: allowanceOf(sum, objectiveMillionths) } : {}),
  };
}
