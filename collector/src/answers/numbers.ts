/**
 * The numbers of a service: the service, its nodes and their checks, as the regions agreed and as each saw it, over the
 * periods that people ask for. Sums of what was counted by day; nothing is counted here.
 */
import { monitorParts } from '@highwater/config/domain.ts';
import type { Monitor, Service } from '@highwater/config/model.ts';
import {
  daysOfPeriod,
  type DayRange,
  formatMonth,
  lastMinutes,
  minutesOfDays,
  monthOfDay,
  sumTotals,
} from '@highwater/config/proof/rule/period.ts';
import { emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type {
  PublicBudget,
  PublicNumbers,
  PublicPeriod,
  PublicSubject,
} from '@highwater/config/public-detail.ts';
import { type Clock, dayOfMinute, type Instant, minuteOf, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { CLOSE_AFTER_MS } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';
import { allowanceOf, burnWindows, publicBurn, publicCounted } from './counted.ts';
import { AGREED, type Ledger } from './ledger.ts';

/** The budget's period (proof/rule/budget.ts). */
const BUDGET_PERIOD = '30d';

export interface NumbersParts {
  readonly watched: Watched;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** The last minute that can have its slots. */
export function lastClosed(now: Instant): number {
  return minuteOf(now - CLOSE_AFTER_MS) - 1;
}

/** Every subject of a service that can have slots: the service, its nodes, their checks. */
export function subjectsOf(service: Service, monitors: readonly Monitor[]): string[] {
  const own = monitors.filter((monitor) => monitor.service === service.id);
  const nodes = new Set(service.nodes.map((node) => node.id));
  const ofNode = (node: string): string[] => own.filter((m) => m.node === node).map(({ id }) => id);
  return [
    service.id,
    ...service.nodes.flatMap(({ id }) => [`${service.id}/${id}`, ...ofNode(id)]),
    // Of its public names.
    ...own.filter(({ id }) => !nodes.has(monitorParts(id).node)).map(({ id }) => id),
  ];
}

interface Named extends DayRange {
  readonly period: string;
}

/** 7d, 30d, 90d, this month and the month before. */
function periodsAt(today: number): Named[] {
  const month = monthOfDay(today);
  return ['7d', BUDGET_PERIOD, '90d', formatMonth(month), formatMonth(month - 1)].flatMap((period) => {
    const days = daysOfPeriod(period, today);
    return days === undefined ? [] : [{ period, ...days }];
  });
}

type Days = ReadonlyMap<number, RuleTotals>;

function sumOfDays(days: Days, { first, last }: DayRange): RuleTotals {
  return sumTotals([...days].flatMap(([day, totals]) => (first <= day && day <= last ? [totals] : [])));
}

function periodsOf(days: Days, lastDay: RuleTotals, last: number): PublicPeriod[] {
  const { first: firstMinute } = lastMinutes(MINUTES_PER_DAY, last);
  return [
    { period: '24h', firstMinute, lastMinute: last, ...publicCounted(lastDay) },
    ...periodsAt(dayOfMinute(last)).map(({ period, ...range }) => {
      const { first, last: end } = minutesOfDays(range);
      const span = { firstMinute: first, lastMinute: Math.min(end, last) };
      return { period, ...span, ...publicCounted(sumOfDays(days, range)) };
    }),
  ];
}

/** The numbers of one service as of now; whoever keeps them knows when they change. */
export async function numbersOf(parts: NumbersParts, service: Service): Promise<PublicNumbers> {
  const { watched, ledger, clock } = parts;
  const shard = watched.shardOf.get(service.id);
  if (shard === undefined) return { subjects: [] };
  const last = lastClosed(clock.now());
  const range = daysOfPeriod('90d', dayOfMinute(last)) ?? { first: 0, last: 0 };
  const regions = [AGREED, ...watched.config.regions.map(({ id }) => id)];
  const subjects: PublicSubject[] = [];
  for (const subject of subjectsOf(service, watched.config.monitors)) {
    const days = await ledger.days(shard, subject, range);
    const minutes = await ledger.minutes(shard, subject, lastMinutes(MINUTES_PER_DAY, last));
    for (const region of regions) {
      const own = days.get(region);
      // What no region of that name ever saw is not a row of zeros; what is agreed always stands.
      if (own === undefined && region !== AGREED) continue;
      const periods = periodsOf(own ?? new Map(), minutes.get(region) ?? emptyTotals, last);
      subjects.push({ subject, ...(region === AGREED ? {} : { region }), periods });
    }
  }
  const budget = await budgetNow(parts, service, shard, last);
  return { subjects, ...(budget === undefined ? {} : { budget }) };
}

/** What is left of the 30 days' budget, and how fast it goes; undefined without an objective. */
async function budgetNow(
  { ledger }: NumbersParts,
  { id, objectiveMillionths }: Service,
  shard: string,
  last: number,
): Promise<PublicBudget | undefined> {
  if (objectiveMillionths === undefined) return undefined;
  const range = daysOfPeriod(BUDGET_PERIOD, dayOfMinute(last));
  if (range === undefined) return undefined;
  const days = (await ledger.days(shard, id, range)).get(AGREED) ?? new Map<number, RuleTotals>();
  const burn = [];
  for (const window of ['1h', '6h', '1d', '3d'] as const) {
    const minutes = await ledger.minutes(shard, id, lastMinutes(burnWindows[window], last));
    burn.push(publicBurn(window, minutes.get(AGREED) ?? emptyTotals, objectiveMillionths));
  }
  return { ...allowanceOf(sumOfDays(days, range), objectiveMillionths), period: BUDGET_PERIOD, burn };
}
