/**
 * The numbers of a service: the service, its nodes and their checks, as the regions agreed and as each saw it, over the
 * periods that people ask for. Sums of what was counted by day; nothing is counted here.
 */
import { setImmediate } from 'node:timers/promises';
import { monitorParts } from '@highwater/config/domain.ts';
import type { Monitor, Service } from '@highwater/config/model.ts';
import {
  daysOfPeriod,
  type DayRange,
  formatMonth,
  lastMinutes,
  minutesOfDays,
  monthOfDay,
} from '@highwater/config/proof/rule/period.ts';
import { emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type {
  PublicBudget,
  PublicNumbers,
  PublicPeriod,
  PublicSubject,
} from '@highwater/config/public-detail.ts';
import type { PublicBudgetSummary } from '@highwater/config/public.ts';
import { type Clock, dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { Watched } from '../watched.ts';
import { allowanceOf, burnWindows, publicBurn, publicCounted } from './counted.ts';
import { AGREED, type Ledger } from './ledger.ts';

/**
 * The one period by which the checks of a node are compared, and the regions of a node: with all six, a service of two
 * hundred nodes would be told in seven megabytes. Any other is an answer of uptime.ts.
 */
const COMPARED = '30d';

/** The budget's period (proof/rule/budget.ts). */
const BUDGET_PERIOD = '30d';

export interface NumbersParts {
  readonly watched: Watched;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** Every subject of a service that can have slots: the service, its nodes, their checks. */
export function subjectsOf(service: Service, monitors: readonly Monitor[]): string[] {
  const byNode = Map.groupBy(
    monitors.filter((monitor) => monitor.service === service.id),
    ({ node }) => node,
  );
  const ofNode = (node: string): string[] => (byNode.get(node) ?? []).map(({ id }) => id);
  const nodes = service.nodes.map(({ id }) => id);
  return [
    service.id,
    ...nodes.flatMap((node) => [`${service.id}/${node}`, ...ofNode(node)]),
    // Of its public names.
    ...[...byNode.keys()].filter((node) => !nodes.includes(node)).flatMap(ofNode),
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

function publicPeriods(
  named: readonly Named[],
  sums: readonly RuleTotals[] = [],
  lastDay: RuleTotals = emptyTotals,
  last: number,
): PublicPeriod[] {
  const { first: firstMinute } = lastMinutes(MINUTES_PER_DAY, last);
  return [
    { period: '24h', firstMinute, lastMinute: last, ...publicCounted(lastDay) },
    ...named.map(({ period, ...range }, i) => {
      const { first, last: end } = minutesOfDays(range);
      const span = { firstMinute: first, lastMinute: Math.min(end, last) };
      return { period, ...span, ...publicCounted(sums[i] ?? emptyTotals) };
    }),
  ];
}

/** So many subjects are read before other work gets its turn: some milliseconds where all days are summed anew. */
const AT_ONCE = 5;

/** The numbers of one service as of now; whoever keeps them knows when they change. */
export async function numbersOf(parts: NumbersParts, service: Service): Promise<PublicNumbers> {
  const { watched, ledger, clock } = parts;
  const last = await ledger.lastMinute(service.id, clock.now());
  const today = dayOfMinute(last);
  const named = periodsAt(today);
  const regions = watched.config.regions.map(({ id }) => id);
  const told: PublicSubject[] = [];
  for (const [i, subject] of subjectsOf(service, watched.config.monitors).entries()) {
    const sums = await ledger.sums(subject, named, today);
    const { node, check } = monitorParts(subject);
    const isCheck = check !== '';
    const minutes = isCheck
      ? new Map<string, RuleTotals>()
      : await ledger.minutes(subject, lastMinutes(MINUTES_PER_DAY, last));
    // A check's regions are asked for one by one (uptime.ts). What no region of that name ever saw is not a row of zeros; what is agreed always stands.
    const planes = [AGREED, ...(isCheck ? [] : regions.filter((region) => sums.has(region)))];
    for (const region of planes) {
      const all = publicPeriods(named, sums.get(region), minutes.get(region), last);
      const isWhole = !isCheck && (node === '' || region === AGREED);
      const periods = isWhole ? all : all.filter(({ period }) => period === COMPARED);
      told.push({ subject, ...(region === AGREED ? {} : { region }), periods });
    }
    if (i % AT_ONCE === AT_ONCE - 1) await setImmediate();
  }
  const budget = await budgetNow(parts, service, last);
  return { subjects: told, ...(budget === undefined ? {} : { budget }) };
}

/** What is left of the 30 days' budget, and how fast it goes; undefined without an objective. */
async function budgetNow(
  parts: NumbersParts,
  service: Service,
  last: number,
): Promise<PublicBudget | undefined> {
  const { id, objectiveMillionths } = service;
  const summary = await budgetOf(parts, service, last);
  if (summary === undefined || objectiveMillionths === undefined) return undefined;
  const burn = [];
  for (const window of ['1h', '6h', '1d', '3d'] as const) {
    const minutes = await parts.ledger.minutes(id, lastMinutes(burnWindows[window], last));
    burn.push(publicBurn(window, minutes.get(AGREED) ?? emptyTotals, objectiveMillionths));
  }
  return { ...summary, burn };
}

/** The budget without how fast it goes. @param last the last minute that counts */
export async function budgetOf(
  { ledger }: Pick<NumbersParts, 'ledger'>,
  { id, objectiveMillionths }: Service,
  last: number,
): Promise<PublicBudgetSummary | undefined> {
  if (objectiveMillionths === undefined) return undefined;
  const today = dayOfMinute(last);
  const named = periodsAt(today);
  const sums = (await ledger.sums(id, named, today)).get(AGREED);
  const sum = sums?.[named.findIndex(({ period }) => period === BUDGET_PERIOD)] ?? emptyTotals;
  return { ...allowanceOf(sum, objectiveMillionths), period: BUDGET_PERIOD };
}
