/** `highwater uptime SUBJECT`: what was counted over some days, as the page and the API print it. */
import { Command } from 'commander';
import type { PublicCounted, UptimeAnswer } from '@highwater/config/public-detail.ts';
import { uptimeAnswer } from '@highwater/config/public-detail.ts';
import type { PublicAllowance, PublicUptime } from '@highwater/config/public.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { getFromCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { columns, plain, printJson, utc } from '../print.ts';

interface Flags extends CollectorFlags {
  readonly period?: string;
  readonly from?: string;
  readonly to?: string;
  readonly region?: string;
  readonly days?: boolean;
  readonly json?: boolean;
}

export function uptimeCommand(): Command {
  return new Command('uptime')
    .description('the uptime of a service, a node or a check: figure, coverage, bounds, error budget')
    .argument('<SUBJECT>', 'SERVICE, SERVICE/NODE or SERVICE/NODE/CHECK')
    .option('--period <PERIOD>', '24h, 7d, 30d (when nothing is said), 90d, or a month: 2026-11')
    .option('--from <DAY>', 'in place of a period, the first UTC day: 2026-10-01; at most 400 days')
    .option('--to <DAY>', 'the last UTC day, counted too')
    .option('--region <ID>', 'as this region alone saw it, in place of what the regions agreed on')
    .option('--days', 'a line for each day as well')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON, with every day')
    .addHelpText(
      'after',
      `
Ends with 0 when it is told, 2 when what was given is wrong, 3 when the collector is not reached.

Examples:
  highwater uptime ethereum
  highwater uptime ethereum/publicnode --period 2026-10 --days
  highwater uptime ethereum/publicnode/head --from 2026-10-01 --to 2026-10-07 --region eu --json`,
    )
    .action((subject: string, flags: Flags) => run(subject, flags));
}

async function run(subject: string, flags: Flags): Promise<void> {
  const query = new URLSearchParams({ subject });
  for (const name of ['period', 'from', 'to', 'region'] as const) {
    const given = flags[name];
    if (given !== undefined) query.set(name, given);
  }
  // What the collector says of the question is said of what was typed.
  const answer = await getFromCollector(`/v1/uptime?${query.toString()}`, uptimeAnswer, flags, [400, 404]);
  if (flags.json) printJson(answer);
  else process.stdout.write(uptimeText(answer, flags.days));
}

/** @param withDays a line for each day below the sum */
export function uptimeText(answer: UptimeAnswer, withDays = false): string {
  const { subject, region, firstMinute, lastMinute, budget, days } = answer;
  const seen = region === undefined ? 'as its regions agreed' : `as ${region} alone saw it`;
  const span = `${utc(firstMinute * MINUTE_MS)} to ${utc((lastMinute + 1) * MINUTE_MS)}`;
  const rows = [
    ['uptime', figureText(answer.uptime)],
    ...coverageRows(answer.uptime),
    ...maintenanceRows(answer),
    ['minutes', minutesText(answer)],
    ['requests', requestsText(answer)],
    // Of nothing there is no budget.
    ...(budget === undefined || answer.uptime.coverage === undefined ? [] : [['budget', budgetText(budget)]]),
  ];
  const parts = [`${plain(subject)}, ${plain(seen)}, ${span}\n`, columns(rows.map((row) => ['', ...row]))];
  if (withDays && days.length > 0) {
    const header = ['', 'day', 'uptime', 'coverage', 'up', 'down', 'unknown', 'maintenance', 'stalled'];
    parts.push('\n', columns([header, ...days.map((day) => ['', ...dayRow(day)])]));
  }
  return parts.join('');
}

/** Below the coverage that a figure needs, the bounds alone. */
function figureText({ figure, coverage, incomplete }: PublicUptime): string {
  if (coverage === undefined) return 'nothing was counted';
  if (figure === undefined) return 'no figure: too little is known, see the bounds';
  return incomplete ? `${figure}  incomplete` : figure;
}

function coverageRows({ coverage, atLeast, atMost }: PublicUptime): string[][] {
  return [
    ...(coverage === undefined ? [] : [['coverage', coverage]]),
    ...(atLeast === undefined || atMost === undefined ? [] : [['bounds', `${atLeast} to ${atMost}`]]),
  ];
}

function maintenanceRows({ totals, withMaintenance }: PublicCounted): string[][] {
  return totals.maintenance === 0 ? [] : [['with maintenance', figureText(withMaintenance)]];
}

function minutesText({ totals, unknown }: PublicCounted): string {
  const causes = [
    [unknown.noData, 'no data'],
    [unknown.split, 'split vote'],
    [unknown.probe, 'probe at fault'],
    [unknown.clock, 'clock'],
  ] as const;
  const why = causes.flatMap(([minutes, cause]) => (minutes === 0 ? [] : [`${minutes} ${cause}`]));
  const { up, down, maintenance, stalled, degraded } = totals;
  return [
    `${up} up${degraded === 0 ? '' : ` (${degraded} degraded)`}`,
    `${down} down`,
    `${totals.unknown} unknown${why.length === 0 ? '' : ` (${why.join(', ')})`}`,
    ...(maintenance === 0 ? [] : [`${maintenance} in maintenance`]),
    ...(stalled === 0 ? [] : [`${stalled} with the chain stalled`]),
  ].join(', ');
}

function requestsText({ requests, share }: PublicCounted): string {
  return share === undefined ? 'none' : `${share} of ${requests} succeeded`;
}

function budgetText(budget: PublicAllowance): string {
  const { objective, allowedMinutes, spentMinutes, leftMinutes, left } = budget;
  const { leftAtLeastMinutes: least, leftAtMostMinutes: most } = budget;
  const share = left === undefined ? '' : ` (${left})`;
  const spent =
    allowedMinutes === 0 && spentMinutes === 0
      ? `${objective} allows no ${isNone(objective) ? 'minute' : 'whole minute yet'}, and none was down`
      : `${objective} allows ${allowedMinutes} min: ${spentMinutes} spent, ${leftMinutes} left${share}`;
  const bounds =
    least === undefined || most === undefined
      ? ''
      : `; between ${least} and ${most} min with what is unknown`;
  return `${spent}${bounds}`;
}

/** Whether an objective will never allow a minute down. */
function isNone(objective: string): boolean {
  return objective === '100 %';
}

function dayRow(day: UptimeAnswer['days'][number]): string[] {
  const { figure, coverage = '-' } = day.uptime;
  const { up, down, unknown, maintenance, stalled } = day.totals;
  return [day.date, figure ?? '-', coverage, ...[up, down, unknown, maintenance, stalled].map(String)];
}
