/** `highwater maintenance`: minutes that count apart, declared before they begin; nothing of them is told. */
import { Command } from 'commander';
import { parseDurationMs } from '@highwater/config/time.ts';
import {
  maintenanceCancelled,
  maintenanceDeclared,
  maintenanceList,
  maintenanceRequest,
  type Maintenance,
  type MaintenanceDeclared,
  type MaintenanceList,
  type MaintenanceRequest,
} from '@highwater/config/wire.ts';
import type { z } from 'zod';
import { getFromCollector, postToCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { ago, columns, plain, printJson, utc } from '../print.ts';
import { typedTime } from '../typed-time.ts';

type Flags = CollectorFlags & { readonly json?: boolean };

export function maintenanceCommand(): Command {
  return new Command('maintenance')
    .description('minutes that count apart from up and down, and of which nobody is alerted')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(cancelCommand());
}

function toCollector(command: Command): Command {
  return command
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON');
}

/** The collector's answers that say what was typed wrong. */
const USAGE = [400, 404, 413];

const endings = `
Ends with 0 when it is done, 1 when the collector refuses it, 2 when what was given is wrong, 3 when the collector is
not reached.`;

interface Add extends Flags {
  readonly of: readonly string[];
  readonly title: string;
  readonly body?: string;
  readonly from?: string;
  readonly for: string;
}

function addCommand(): Command {
  const each = (value: string, before: string[] = []): string[] => [...before, value];
  const command = new Command('add')
    .description('declares one; it is logged, shown on the page and counted apart')
    .requiredOption('--of <SUBJECT>', 'SERVICE, or SERVICE/NODE; may be given again', each)
    .requiredOption('--title <TEXT>', 'what people read, in one line')
    .option('--body <TEXT>', 'what they read below that')
    .option('--from <TIME>', 'now, in 2h, or 2026-11-22T02:00Z (default now)')
    .requiredOption('--for <DURATION>', 'how long: 30m, 2h, 3d');
  return toCollector(command)
    .addHelpText(
      'after',
      `
It counts in whole minutes, and never before the first minute after it was logged: what was measured stays.
Of a service it covers its nodes; of a node it does not cover the service. At most 30 days long, a year ahead.
${endings.trimStart()}

Examples:
  highwater maintenance add --of rpc/eu --title "New disks" --from 2026-11-22T02:00Z --for 2h
  highwater maintenance add --of rpc --of ws --title "Upgrade" --body "Both restart." --for 30m`,
    )
    .action(async (options: Add) => {
      const request = requestOf(options, Date.now());
      const done = read(
        maintenanceDeclared,
        await postToCollector('/v1/maintenance', request, options, USAGE),
      );
      if (options.json) printJson(done);
      else process.stdout.write(lines(declaredText(done, request.startsAt === undefined)));
    });
}

/** Throws Exit. */
export function requestOf(options: Add, now: number): MaintenanceRequest {
  const { of, title, body, from } = options;
  const forMs = parseDurationMs(options.for);
  if (forMs === undefined) throw wrong('add', '--for', options.for, 'not a duration, write it like 2h');
  if (forMs < 60_000) throw wrong('add', '--for', options.for, 'at least a minute, and whole minutes count');
  const startsAt = from === undefined ? undefined : timeOf('add', '--from', from, now);
  if (from !== undefined && startsAt !== undefined && startsAt + forMs <= now)
    throw wrong('add', '--from', from, 'is over already; what was measured stays');
  const request = {
    title,
    ...(body === undefined ? {} : { body }),
    of: [...of],
    ...(startsAt === undefined ? {} : { startsAt }),
    forMs,
  };
  const parsed = maintenanceRequest.safeParse(request);
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0]);
  throw new Exit(exitCode.usage, `highwater maintenance add: ${wants[field] ?? field}`);
}

/** What each flag takes, by the field of the request that it fills. */
const wants: Readonly<Record<string, string>> = {
  title: '--title: one line of 1 to 200 characters',
  body: '--body: at most 2000 characters, line ends but no other control characters',
  of: '--of: 1 to 1000 names, SERVICE or SERVICE/NODE, of at most 200 characters each',
};

function timeOf(command: string, flag: string, text: string, now: number): number | undefined {
  const at = typedTime(text, now);
  if (typeof at !== 'number') throw wrong(command, flag, text, at.error);
  // The collector's own clock says when now is.
  return at === now ? undefined : at;
}

function wrong(command: string, flag: string, text: string, what: string): Exit {
  return new Exit(exitCode.usage, `highwater maintenance ${command}: ${flag} ${plain(text)}: ${what}`);
}

/** `22 Nov` is no help to a script: minutes in full, the last one not covered any more. */
function spanText({ startsAt, endsAt }: Maintenance): string {
  const minutes = (endsAt - startsAt) / 60_000;
  return `from ${minuteText(startsAt)} to ${minuteText(endsAt)} (${minutes} ${minutes === 1 ? 'minute' : 'minutes'})`;
}

/** `2026-11-22 02:00 UTC` */
function minuteText(at: number): string {
  return utc(at).replace(/:\d\d UTC$/, ' UTC');
}

/**
 * The id stands alone on the first line, for scripts.
 *
 * @param soonest no start was asked for
 */
export function declaredText(
  { result, maintenance, warnings }: MaintenanceDeclared,
  soonest = false,
): string {
  const held = result === 'held' ? 'declared already: ' : '';
  return [
    maintenance.id,
    `${held}${maintenance.of.join(', ')} ${spanText(maintenance)}`,
    ...(soonest && result === 'declared'
      ? [`it counts from ${minuteText(maintenance.startsAt)}, the first minute after it was declared`]
      : []),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
}

function listCommand(): Command {
  return toCollector(new Command('list').description('planned and active ones, then those that are over'))
    .addHelpText('after', `${endings}\n\nExample:\n  highwater maintenance list`)
    .action(async (options: Flags) => {
      const list = await getFromCollector('/v1/maintenance', maintenanceList, options);
      if (options.json) printJson(list);
      else process.stdout.write(lines(listText(list)));
    });
}

export function listText({ at, maintenance }: MaintenanceList): string {
  if (maintenance.length === 0) return 'no maintenance was declared\n';
  const rows = maintenance.map((one) => [
    one.id,
    stateText(one, at),
    minuteText(one.startsAt),
    minuteText(one.endsAt),
    one.of.join(' '),
    one.title,
  ]);
  return columns([['ID', 'STATE', 'FROM', 'TO', 'OF', 'TITLE'], ...rows]);
}

function stateText({ state, startsAt, endsAt, cancelledAt }: Maintenance, now: number): string {
  if (state === 'planned') return `planned, in ${ago(startsAt - now)}`;
  if (state === 'active') return `active, ${ago(endsAt - now)} left`;
  return state === 'over' && cancelledAt !== undefined ? 'over, ended early' : state;
}

function cancelCommand(): Command {
  const command = new Command('cancel')
    .description('ends one before its time: what it has covered stays covered')
    .argument('<ID>', 'as maintenance list names it')
    .option('--at <TIME>', 'the first minute without it: now, in 10m, or 2026-11-22T02:00Z (default now)');
  return toCollector(command)
    .addHelpText('after', `${endings}\n\nExample:\n  highwater maintenance cancel 5f0c2ab1c3d4e5f6`)
    .action(async (id: string, options: Flags & { at?: string }) => {
      const endsAt = options.at === undefined ? undefined : timeOf('cancel', '--at', options.at, Date.now());
      const path = `/v1/maintenance/${encodeURIComponent(id)}/cancel`;
      const body = endsAt === undefined ? {} : { endsAt };
      const done = read(maintenanceCancelled, await postToCollector(path, body, options, USAGE));
      if (options.json) printJson(done);
      else process.stdout.write(lines(cancelledText(done.maintenance, done.warnings)));
    });
}

export function cancelledText({ id, state, endsAt }: Maintenance, warnings: readonly string[] = []): string {
  const from = state === 'cancelled' ? '' : ` from ${minuteText(endsAt)} on`;
  return [
    `${id}: cancelled, it covers nothing${from}`,
    ...warnings.map((said) => `warning: ${said}`),
    '',
  ].join('\n');
}

function read<S extends z.ZodType>(schema: S, answer: unknown): z.output<S> {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new Exit(
    exitCode.unavailable,
    'highwater: the collector answers, but not as this version does; is it another one?',
  );
}

/** Control characters out, line ends kept. */
function lines(text: string): string {
  return text.split('\n').map(plain).join('\n');
}
