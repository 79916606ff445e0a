/** `highwater status`: what is up, heads, probes and open incidents. */
import { Command } from 'commander';
import { operatorStatus } from '@highwater/config/wire.ts';
import type { OperatorStatus } from '@highwater/config/wire.ts';
import { getFromCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { exitCode } from '../exit.ts';
import { commandLine } from '../hint.ts';
import { collectorUrl, dataDir } from '../options.ts';
import { ago, columns, plain, printJson, utc, wrapped } from '../print.ts';

export function statusCommand(): Command {
  return new Command('status')
    .description('verdicts, heads, open incidents, and the probes with the config that each runs')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Ends with 0 when nothing is down, 1 when something is, 3 when the collector is not reached.

Examples:
  highwater status
  highwater status --json | jq '.services[] | {subject, status}'`,
    )
    .action(async (options: CollectorFlags & { json?: boolean }) => {
      const status = await getFromCollector('/v1/status', operatorStatus, options);
      if (options.json) printJson(status);
      else {
        const { columns: width, isTTY } = process.stdout;
        process.stdout.write(plainLines(statusText(status, options, isTTY ? width : Infinity)));
      }
      if ([...status.services, ...status.nodes].some((verdict) => verdict.status === 'down')) {
        process.exitCode = exitCode.no;
      }
    });
}

/** Control characters out, line ends kept. */
function plainLines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}

/** @param width of the terminal in characters; Infinity where a program may read it */
export function statusText(
  status: OperatorStatus,
  { collector, data }: CollectorFlags,
  width = Infinity,
): string {
  const block = (title: string, rows: Rows): string => `${title}\n${rowsText(rows, width)}`;
  const parts = [
    `${status.site} at ${utc(status.at)}\n`,
    block(
      'services',
      status.services.map((verdict) => verdictRow(verdict, status.at)),
    ),
    block(
      'nodes',
      status.nodes.map((verdict) => verdictRow(verdict, status.at)),
    ),
    block(
      'heads',
      status.heads.map((head) => headRow(head, status.at)),
    ),
    ...(status.unwellRegions.length === 0
      ? []
      : [
          block(
            'regions that are unwell',
            status.unwellRegions.map(({ region, name, since, because }) => [
              region,
              name,
              `for ${ago(status.at - since)}`,
              because,
            ]),
          ),
        ]),
    block(
      'probes',
      status.probes.map((probe) => probeRow(probe, status.at)),
    ),
    block(
      'open incidents',
      status.incidents.map(({ id, impact, phase, title }) => [id, impact, phase, title]),
    ),
    ...(status.bodies === undefined ? [] : [bodiesText(status.bodies, width)]),
    ...(status.alarms.length === 0
      ? []
      : [
          block(
            'alarms',
            status.alarms.map((alarm) => alarmRow(alarm, status.at)),
          ),
        ]),
  ];
  const troubled = status.monitors.filter((verdict) => verdict.status !== 'up');
  if (troubled.length > 0) {
    parts.push(
      block(
        'checks that are not up',
        troubled.map((verdict) => verdictRow(verdict, status.at)),
      ),
    );
    const why = commandLine('why MONITOR', {
      collector: collectorUrl(collector, true),
      data: dataDir(data),
    });
    parts.push(`${why} shows what is behind one of them.\n`);
  }
  return parts.join('\n');
}

const months = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric', timeZone: 'UTC' });

/** How far back figures can be counted again from the evidence itself. */
function bodiesText(
  { keptFrom, recomputable }: NonNullable<OperatorStatus['bodies']>,
  width: number,
): string {
  const again = recomputable.map(({ month, until }, i) => {
    const day = new Date(until).toISOString().slice(0, 10);
    const name = months.format(Date.parse(`${month}-01T00:00:00Z`));
    return i === 0 ? `${name} can be counted again until ${day}` : `${name} until ${day}`;
  });
  const says = [`bodies kept from ${keptFrom}`, ...(again.length === 0 ? [] : [again.join(', ')])].join('; ');
  return `${wrapped(says, width).join('\n')}\n`;
}

type Rows = readonly (readonly string[])[];

/** As columns; where these do not fit, each row as a paragraph of its own, indented after its first line. */
function rowsText(rows: Rows, width: number): string {
  if (rows.length === 0) return '  none\n';
  const table = columns(rows.map((row) => ['', ...row]));
  if (table.split('\n').every((line) => line.length <= width)) return table;
  return rows
    .flatMap((row) => {
      const [first = '', ...more] = wrapped(row.filter((cell) => cell !== '').join(', '), width - 4);
      return [`  ${first}\n`, ...more.map((line) => `    ${line}\n`)];
    })
    .join('');
}

function verdictRow(verdict: OperatorStatus['services'][number], now: number): string[] {
  return [verdict.subject, verdict.status, `for ${ago(now - verdict.since)}`, verdict.because];
}

function headRow(head: OperatorStatus['heads'][number], now: number): string[] {
  const { chain, height, at, state, because, blockTimeMs } = head;
  const blockTime = `a block in ${blockTimeMs / 1_000} s`;
  return [chain, String(height), state, `${ago(now - at)} ago`, blockTime, because];
}

function alarmRow(alarm: OperatorStatus['alarms'][number], now: number): string[] {
  const { id, title, since, because, remedy, acknowledged } = alarm;
  const by = acknowledged === undefined ? '' : `, acknowledged by ${acknowledged.by}`;
  return [id, title, `for ${ago(now - since)}${by}`, because, remedy];
}

function probeRow(probe: OperatorStatus['probes'][number], now: number): string[] {
  const heard = probe.lastHeardAt === undefined ? 'never heard' : `heard ${ago(now - probe.lastHeardAt)} ago`;
  // Its batches say so, one a minute.
  const untold = probe.config === undefined ? 'its config is not told yet' : 'runs an older config';
  const config = probe.current ? 'runs the current config' : untold;
  const { clockBoundMs } = probe;
  const clock =
    clockBoundMs === undefined || clockBoundMs < 0
      ? 'clock not compared yet'
      : `clock within ${clockBoundMs} ms`;
  const { contradicted } = probe;
  const row = [probe.id, probe.region, probe.unwell?.state ?? 'well', heard, clock, config];
  if (contradicted === undefined) return row;
  const { epoch, from } = contradicted;
  return [...row, `contradicts itself: nothing counts from number ${from} of epoch ${epoch} on`];
}
