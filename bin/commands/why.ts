/** `highwater why MONITOR`: the votes, the lines and the step of the rule behind a verdict. */
import { Command } from 'commander';
import { explainFault } from '@highwater/config/explain.ts';
import { faultFromId, isRefusal } from '@highwater/config/faults.ts';
import { nearest } from '@highwater/config/problems.ts';
import { operatorStatus, why } from '@highwater/config/wire.ts';
import { getFromCollector } from '../collector-client.ts';
import type { CollectorFlags } from '../collector-client.ts';
import { Exit, exitCode } from '../exit.ts';
import { ago, columns, plain, printJson, utc } from '../print.ts';
import type { z } from 'zod';

export type Why = z.output<typeof why>;

export function whyCommand(): Command {
  return new Command('why')
    .description('the votes, the lines and the step of the rule behind a verdict')
    .argument(
      '<MONITOR>',
      'service/node/check; of a service or a node, each of its monitors is told in short',
    )
    .option('--at <TIME>', 'at another time: 2026-11-21T06:00:00Z, or Unix milliseconds')
    .option('--collector <URL>', 'the collector (HIGHWATER_COLLECTOR; default http://127.0.0.1:4000)')
    .option('--data <DIR>', "where the token is (HIGHWATER_DATA; default data in the program's folder)")
    .option('--insecure', 'plain http to a collector on another machine')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  highwater why ethereum/publicnode/head
  highwater why ethereum/publicnode/head --at 2026-11-21T06:00:00Z
  highwater why ethereum --at 2026-11-21T06:00:00Z

Of a minute that is over it shows the lines that decided it, as long as their bodies are kept (retention.bodies): each with
its batch, where that lies in the log, and why it does not count if it does not.`,
    )
    .action((monitor: string, options: CollectorFlags & { at?: string; json?: boolean }) =>
      run(monitor, options),
    );
}

async function run(
  monitor: string,
  options: CollectorFlags & { at?: string; json?: boolean },
): Promise<void> {
  if (/^[a-z0-9._-]+(?:\/[a-z0-9._-]+)?$/.test(monitor)) return ofMonitors(monitor, options);
  if (!/^[a-z0-9._-]+\/[a-z0-9._-]+\/[a-z0-9._-]+$/.test(monitor)) {
    const remedy = 'write service/node/check; highwater status lists them';
    throw new Exit(exitCode.usage, `highwater why: ${plain(monitor)}: not a monitor, ${remedy}`);
  }
  const query = new URLSearchParams({ monitor });
  if (options.at !== undefined) query.set('at', String(instantOf(options.at)));
  const answer = await getFromCollector(`/v1/why?${query.toString()}`, why, options).catch(
    async (thrown: unknown) => {
      throw thrown instanceof Exit && thrown.code === exitCode.usage
        ? await unknownMonitor(monitor, thrown, options)
        : thrown;
    },
  );
  if (options.json) printJson(answer);
  else process.stdout.write(whyText(answer).split('\n').map(plain).join('\n'));
}

/** Told one by one: what decides a service has few. */
const MAX_MONITORS = 60;

/** A service or a node is decided by its monitors: each in a line, with what it takes to see more of it. */
async function ofMonitors(
  subject: string,
  options: CollectorFlags & { at?: string; json?: boolean },
): Promise<void> {
  const { monitors } = await getFromCollector('/v1/status', operatorStatus, options);
  const own = monitors.map((each) => each.subject).filter((id) => id.startsWith(`${subject}/`));
  if (own.length === 0) {
    const near = nearest(subject, [
      ...new Set(monitors.flatMap(({ subject: id }) => [id.split('/')[0] ?? '', id.split('/', 2).join('/')])),
    ]);
    const remedy = near === undefined ? 'highwater status lists them' : `did you mean ${near}?`;
    throw new Exit(
      exitCode.usage,
      `highwater why: ${plain(subject)}: no such service or node, ${plain(remedy)}`,
    );
  }
  const answers: Why[] = [];
  for (const monitor of own.slice(0, MAX_MONITORS)) {
    const query = new URLSearchParams({ monitor });
    if (options.at !== undefined) query.set('at', String(instantOf(options.at)));
    answers.push(await getFromCollector(`/v1/why?${query.toString()}`, why, options));
  }
  if (options.json) printJson(answers);
  else process.stdout.write(monitorsText(subject, answers, own.length));
}

/** @param answers of the monitors of `subject`; `all` there are so many of */
export function monitorsText(subject: string, answers: readonly Why[], all = answers.length): string {
  const [first] = answers;
  if (first === undefined) return '';
  const isOver = first.decided !== undefined;
  const rows = answers.map(({ monitor, verdict, slot, decided }) =>
    decided === undefined || slot === undefined
      ? ['', plain(monitor), verdict.status, plain(verdict.because)]
      : ['', plain(monitor), slot.state, plain(slot.because)],
  );
  return [
    `${plain(subject)} is decided by its monitors, ${isOver ? 'in the minute of' : 'as they are at'} ${utc(first.at)}\n\n`,
    columns(rows),
    ...(all > answers.length ? [`  ${all - answers.length} more are not shown\n`] : []),
    '\nhighwater why MONITOR, with the same --at, has the lines of one\n',
  ].join('');
}

/** Without the words of HTTP, and with the id that was probably meant; as it was told where that cannot be known. */
async function unknownMonitor(monitor: string, told: Exit, options: CollectorFlags): Promise<Exit> {
  const known = await getFromCollector('/v1/status', operatorStatus, options).catch(() => undefined);
  const ids = known?.monitors.map(({ subject }) => subject) ?? [];
  // It may be one that has no answer at that time.
  if (ids.length === 0 || ids.includes(monitor)) return told;
  const near = ids.find((id) => id === `${monitor}.v4`) ?? nearest(monitor, ids);
  const remedy = near === undefined ? `there are: ${ids.slice(0, 20).join(', ')}` : `did you mean ${near}?`;
  return new Exit(exitCode.usage, `highwater why: ${plain(monitor)}: no such monitor, ${plain(remedy)}`);
}

function instantOf(text: string): number {
  const at = /^[0-9]{10,16}$/.test(text) ? Number(text) : Date.parse(text);
  // A time without its zone means another instant on each machine.
  if (Number.isNaN(at) || !/^[0-9]+$|Z$|[+-][0-9]{2}:?[0-9]{2}$/.test(text)) {
    throw new Exit(
      exitCode.usage,
      'highwater why: --at: not a time, write 2026-11-21T06:00:00Z or Unix milliseconds',
    );
  }
  return at;
}

/** @param answer as the collector gives it; lines end in line feeds */
export function whyText(answer: Why): string {
  const { verdict, at } = answer;
  const lines = [
    `${answer.monitor} is ${verdict.status} at ${utc(at)}, since ${utc(verdict.since)}`,
    `because ${verdict.because}`,
    '',
  ];
  // Of a time that is over the votes are not known: the lines below decided.
  if (answer.decided === undefined || verdict.votes.length > 0)
    lines.push('votes', votesText(verdict.votes, at));
  if (answer.slot) {
    const { minute, state, because, quorum } = answer.slot;
    lines.push(`slot of ${utc(minute * 60_000)}: ${state}, because ${because}`);
    if (quorum) lines.push(`  it takes ${quorum.needed} of ${quorum.regions} regions to say the same`);
    lines.push('');
  }
  if (answer.node) {
    const { subject, status, because } = answer.node;
    lines.push(`its node ${subject} is ${status}, because ${because}`, '');
  }
  if (answer.head) {
    const { chain, height, state, because, blockTimeMs, lagBlocks, lagMs } = answer.head;
    lines.push(
      `head of ${chain}: ${height}, ${state}, a block in ${blockTimeMs / 1_000} s`,
      `this node ${lagWords(lagBlocks, lagMs)}: ${because}`,
      '',
    );
  }
  lines.push(
    ...(answer.decided
      ? decidedText(answer.decided, answer.lines)
      : ['lines, newest first', linesText(answer.lines)]),
  );
  const faults = new Set([...verdict.votes.flatMap(({ fault }) => fault ?? []), ...causesOf(answer)]);
  for (const id of faults) {
    const beside = answer.slot?.state === 'unknown' ? undefined : besideSlot[id];
    if (beside !== undefined) lines.push(`${id}: ${beside}`);
    const meaning = beside === undefined ? explainFault(id) : undefined;
    if (meaning) lines.push(`${id}: ${meaning.means}`, `  Look at: ${meaning.look}`);
  }
  return `${lines.join('\n')}\n`;
}

/** What a cause of an unknown minute means in a region, when the other regions were enough to know the minute. */
const besideSlot: Readonly<Record<string, string>> = {
  'no-data': 'That region has no answer that counts in that minute; the others were enough.',
  split: 'The probes of that region contradict each other in that minute; the others were enough.',
};

/** Causes that lie in no vote: how the node stands to its chain, how that stands, and why a slot is unknown. */
function causesOf({ node, slot, head }: Why): string[] {
  const isForked = /(?:^|; )another block /.test(node?.because ?? '');
  const standing = / blocks? (ahead of|behind) /.exec(node?.because ?? '')?.[1];
  const unknown = /\((no-data|split|clock)\)/.exec(slot?.because ?? '')?.[1];
  return [
    ...(head?.state === 'stalled' ? ['stalled'] : []),
    ...(isForked ? ['forked'] : []),
    ...(standing === undefined ? [] : [standing.replace(' of', '')]),
    ...(unknown === undefined ? [] : [unknown]),
  ];
}

function lagWords(blocks: number, ms: number): string {
  if (blocks === 0) return 'is level with it';
  const far = `${Math.abs(blocks)} (${Math.abs(ms) / 1_000} s)`;
  return blocks > 0 ? `is ${far} behind` : `is ${far} ahead`;
}

function votesText(votes: Why['verdict']['votes'], now: number): string {
  if (votes.length === 0) return '  none yet\n';
  return columns(
    votes.map(({ region, status, at, latencyTenths, fault, detail }) => [
      '',
      region,
      status,
      heardText({ status, at, fault }, now),
      latencyTenths === undefined ? '' : `${latencyTenths / 10} ms`,
      [fault, detail].filter((text) => text !== undefined).join(': '),
    ]),
  );
}

/** An answer that says nothing of the target was heard all the same. */
function heardText(
  { status, at, fault }: Pick<Why['verdict']['votes'][number], 'status' | 'at' | 'fault'>,
  now: number,
): string {
  const known = fault === undefined ? undefined : faultFromId(fault);
  if (at === undefined) return 'no answer that counts';
  const when = `${ago(now - at)} ago`;
  if (status !== 'unknown' || known === undefined) return when;
  if (isRefusal(known)) return `skipped ${when}, counts neither way`;
  return known.source === 'probe' ? `no answer that counts, ${when}` : when;
}

/** Lines of a window that is over, with where each lies in the log and why it does not count. */
function decidedText(
  { first, last, gone, more }: NonNullable<Why['decided']>,
  lines: Why['lines'],
): string[] {
  const told = [`lines due from ${utc(first * 60_000)} until before ${utc((last + 1) * 60_000)}`];
  const rows = columns(
    lines.map(({ probe, line, detail, batch, receivedAt }) => [
      '',
      probe,
      ...(batch === undefined
        ? ['no batch', '', `of ${utc(receivedAt)}`]
        : [
            `batch ${batch.epoch}.${batch.number}`,
            batch.log === undefined ? '' : `log ${batch.log.year} entry ${batch.log.index}`,
            `of ${utc(receivedAt)}`,
          ]),
      detail === undefined ? line : `${line}   (${detail})`,
    ]),
  ).split('\n');
  for (const [i, { counts, because }] of lines.entries()) {
    told.push(rows[i] ?? '');
    if (counts === false) told.push(`    does not count: ${because ?? 'no reason is known'}`);
  }
  if (lines.length === 0 && gone === 0) told.push('  none in any batch of the log');
  if (more > 0) told.push(`  ${more} more are not shown`);
  if (gone > 0) {
    const what = gone === 1 ? 'one batch of that time are' : `${gone} batches of that time are`;
    told.push(`  bodies of ${what} gone or damaged: what they said can not be shown`);
  }
  return [...told, ''];
}

function linesText(lines: Why['lines']): string {
  if (lines.length === 0) return '  none kept for that time\n';
  return columns(
    lines.map(({ probe, line, detail }) => [
      '',
      probe,
      detail === undefined ? line : `${line}   (${detail})`,
    ]),
  );
}
