/** What goes into a month's bundle: which part of which logs, and which earlier entries. */
import { openCheckpoint, parseVerifier } from '@highwater/config/keys.ts';
import type { Range } from '@highwater/config/bundle/range.ts';
import { daysOfMonth, minutesOfDays, parseMonth } from '@highwater/config/proof/rule/period.ts';
import { dayOfMinute, type Instant } from '@highwater/config/time.ts';
import { chainBegins } from './chain-begins.ts';
import { commitOf, indexOf, logOf, readYears, type YearLog } from '../log/sequence.ts';
import { signerOf } from '../signer.ts';
import { standingAt } from '../slots/ground.ts';
import type { ReadTx } from '../store/store.ts';
import { lastLogged } from './last-logged.ts';
import { NoReport } from './no-report.ts';

/** The log as far as a report counts it: of each year what was published, fixed when the report was begun. */
export interface End {
  readonly year: number;
  /** The whole note, with its cosignatures. */
  readonly checkpoint: string;
}

export interface Asked {
  readonly month: string;
  /** Of the log without the year. */
  readonly origin: string;
  readonly ends: readonly End[];
  /** How far the report of the month before had counted. */
  readonly before: Range['before'];
  /** Of a draft: when it is made. What has not come by then is not counted as unknown: it ends before. */
  readonly draftAt?: Instant;
}

export interface EndedLog extends YearLog {
  readonly checkpoint: string;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

export interface Plan {
  readonly range: Range;
  readonly minutes: { readonly first: number; readonly last: number };
  /** All that were published, oldest first, with their ends. */
  readonly logs: readonly EndedLog[];
  /** The checkpoint that the first tree begins with; none where it begins with the log. */
  readonly start?: string;
  /** Commit indexes of the month's batches by UTC day, in the order of the log. */
  readonly days: ReadonlyMap<number, readonly number[]>;
}

function endedLogs(years: readonly YearLog[], ends: readonly End[]): EndedLog[] {
  return years.flatMap((log) => {
    const end = ends.find(({ year }) => year === log.year);
    if (end === undefined) return [];
    const opened = openCheckpoint(end.checkpoint, parseVerifier(log.vkey));
    if ('error' in opened) throw new Error(`the published checkpoint of ${log.year}: ${opened.error}`);
    const { size, root } = opened.checkpoint;
    return [{ ...log, checkpoint: end.checkpoint, size, root }];
  });
}

const RULE_KINDS: ReadonlySet<string> = new Set(['config', 'probe', 'maint']);

/**
 * Of what lies before `below`: what the rule reads besides batches, the batches by which it comes into force, and both texts of
 * a number that was signed twice; and the batches before the first ones behind it.
 *
 * @param end of all that counts
 * @param first minute of the month
 */
async function earlierCommits(tx: ReadTx, below: number, end: number, first: number): Promise<number[]> {
  const leaves = (await tx.leaves()).filter(({ kind }) => RULE_KINDS.has(kind)).map(({ index }) => index);
  const { reaching, voided } = await standingAt(tx, end);
  const twice: number[] = [];
  for (const { probe, signer, epoch, from } of voided) {
    const same = await tx.batches(probe, epoch, from);
    twice.push(...same.filter(({ note }) => signerOf(note) === signer).map(({ index }) => index));
  }
  const begins = await chainBegins(tx, below, end, first);
  const all = new Set([...leaves, ...reaching, ...twice, ...begins].filter((index) => index < below));
  return [...all].sort((a, b) => a - b);
}

/**
 * Entry 0 of a log says what the log before it was: where there are leaves of older ones, it is among them, of each log up to
 * the part's first; of that one too, unless its part begins with it.
 */
function withCarriers(
  leaves: Range['leaves'],
  logs: readonly EndedLog[],
  first: number,
  hasStart: boolean,
): Range['leaves'] {
  const [oldest] = leaves;
  if (oldest === undefined || oldest.year === first) return leaves;
  const own = new Set(leaves.map(({ year, index }) => `${year} ${index}`));
  const carriers = logs
    .filter(({ year }) => year > oldest.year && (year < first || (year === first && hasStart)))
    .filter(({ carried }) => carried !== undefined)
    .map(({ year }) => ({ year, index: 0 }))
    .filter(({ year, index }) => !own.has(`${year} ${index}`));
  return [...leaves, ...carriers].sort((a, b) => a.year - b.year || a.index - b.index);
}

/** Rejects with NoReport where nothing of the month is in the log. */
export async function planReport(tx: ReadTx, { month, origin, ends, before, draftAt }: Asked): Promise<Plan> {
  const number = parseMonth(month);
  if (number === undefined) throw new NoReport(`${month.slice(0, 20)} is not a month`);
  const whole = minutesOfDays(daysOfMonth(number));
  const logs = endedLogs(await readYears(tx), ends);
  const below = logs.map((log) => commitOf(log, log.size)).at(-1) ?? 0;
  const last = draftAt === undefined ? undefined : await lastLogged(tx, { below, draftAt, minutes: whole });
  const minutes = { first: whole.first, last: last ?? whole.last };
  const batches = (await tx.batchesWithin(whole.first, whole.last)).filter(({ index }) => index < below);
  const [oldest] = batches;
  if (oldest === undefined) throw new NoReport(`no batch of ${month} is in the log`);

  // What came late for earlier months is told from where their report ended.
  const counted = before.flatMap(({ year, size }) => {
    const log = logs.find((each) => each.year === year);
    return log === undefined ? [] : [commitOf(log, size)];
  });
  const from = Math.min(oldest.index, ...counted.slice(-1));
  const first = logOf(logs, from);
  if (first === undefined) throw new Error(`commit ${from} is in no log`);
  const begun = logs.find(({ year }) => year === first.year);
  if (begun === undefined) throw new Error(`the log of ${first.year} is not published`);
  const start = await tx.checkpointUpTo(begun.year, Math.min(begun.size, indexOf(begun, from)));

  const leaves = await earlierCommits(
    tx,
    start === undefined ? begun.firstCommit : commitOf(begun, start.size),
    below,
    whole.first,
  );
  const placeOf = (commit: number): { year: number; index: number } => {
    const log = logOf(logs, commit);
    if (log === undefined) throw new Error(`commit ${commit} is in no log`);
    return { year: log.year, index: indexOf(log, commit) };
  };
  const days = new Map<number, number[]>();
  for (const { index, first: minute } of batches) {
    const day = dayOfMinute(minute);
    const own = days.get(day);
    if (own === undefined) days.set(day, [index]);
    else own.push(index);
  }
  return {
    range: {
      month,
      ...(last === undefined ? {} : { last }),
      origin,
      trees: logs
        .filter(({ year }) => year >= begun.year)
        .map(({ year, size }) => ({ year, start: year === begun.year ? (start?.size ?? 0) : 0, size })),
      leaves: withCarriers(leaves.map(placeOf), logs, begun.year, start !== undefined),
      before,
    },
    minutes,
    logs,
    ...(start === undefined ? {} : { start: start.note }),
    days,
  };
}
