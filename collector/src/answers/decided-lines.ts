/**
 * The lines that decided a minute: those that were due in its window, from the bodies of the batches that cover it, each
 * with how the rule takes it. Asked rarely, by people: it reads a window's bodies and keeps nothing.
 */
import type { Observation } from '@highwater/config/domain.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import {
  type Claim,
  classifyLine,
  earlierClaim,
  type LineContext,
  MAX_CLOCK_BOUND_MS,
  type NoneReason,
} from '@highwater/config/proof/rule/none.ts';
import { type Instant, MINUTE_MS } from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import type { Bodies } from '../bodies/bodies.ts';
import { indexOf, logOf, readYears, type YearLog } from '../log/sequence.ts';
import { contextOf } from '../slots/classify.ts';
import type { Ground } from '../slots/ground.ts';
import { rosters } from '../slots/rosters.ts';
import { openSource } from '../slots/source.ts';
import { isLost, type ReadBatch } from '../slots/standing.ts';
import { type MonitorWindow, windowFinder } from '../slots/windows.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** Lines shown of each probe. */
const MAX_LINES_EACH = 100;

export type DecidedLine = Why['lines'][number];

export interface Decided {
  readonly lines: readonly DecidedLine[];
  readonly about: NonNullable<Why['decided']>;
}

interface Question {
  readonly store: Store;
  readonly bodies: Bodies;
  readonly ground: Ground;
  readonly monitor: string;
  readonly minute: number;
  /** The last minute that has closed: of a window that goes on nothing is decided. */
  readonly horizon: number;
}

/** A line in the batch that has it. */
interface Found {
  readonly of: ReadBatch;
  readonly line: Observation;
  readonly text: string;
}

/** Whether any configuration of the log has a monitor. */
export function wasMonitor({ timeline, records }: Ground, monitor: string): boolean {
  return records.configs.some(({ hash }) => timeline.configOf(hash)?.monitors.has(monitor) === true);
}

/** Undefined where the monitor was not configured, or its window is not over. */
export async function decidedLines(question: Question): Promise<Decided | undefined> {
  const { store, bodies, ground, monitor, minute, horizon } = question;
  const window = windowFinder(ground.timeline).at(monitor, minute);
  if (window === undefined || window.last > horizon) return undefined;
  const { first, last } = window;
  const service = monitor.slice(0, monitor.indexOf('/'));
  const isOurs = (id: string): boolean => id === service;
  const source = openSource(store, bodies);
  const found: Found[] = [];
  let gone = 0;
  for (const row of await source.covering(ground, first, last, ground.next)) {
    const of = await source.read(ground, row, isOurs);
    if (isLost(ground, of, isOurs)) gone += 1;
    found.push(...linesIn(of, of.bodies.get(service) ?? '', window));
  }
  const years = await store.read(LOG_SHARD, readYears);
  const { kept, more } = fewOfEach(found);
  return { lines: explained(ground, window, found, kept, years), about: { first, last, gone, more } };
}

/** Bodies were checked when they were taken in. */
function linesIn(of: ReadBatch, body: string, { monitor, first, last }: MonitorWindow): Found[] {
  const prefix = `${monitor.id} `;
  const found: Found[] = [];
  const next = (after: number): number => body.indexOf(`\n${prefix}`, after) + 1;
  for (let start = body.startsWith(prefix) ? 0 : next(0); body.startsWith(prefix, start);) {
    const end = body.indexOf('\n', start);
    const text = body.slice(start, end);
    const line = parseLine(text);
    const minute = 'error' in line ? -1 : Math.floor(line.dueAt / MINUTE_MS);
    if (!('error' in line) && first <= minute && minute <= last) found.push({ of, line, text });
    start = next(end);
    if (start === 0) break;
  }
  return found;
}

/** By due time, then probe, then as their probe made them; of each probe no more than are to be shown. */
function fewOfEach(found: readonly Found[]): { kept: Found[]; more: number } {
  const counts = new Map<string, number>();
  const kept = found
    .toSorted((a, b) => orderOf(a, b))
    .filter(({ of }) => {
      const count = (counts.get(of.key) ?? 0) + 1;
      counts.set(of.key, count);
      return count <= MAX_LINES_EACH;
    });
  return { kept, more: found.length - kept.length };
}

function orderOf(a: Found, b: Found): number {
  if (a.line.dueAt !== b.line.dueAt) return a.line.dueAt - b.line.dueAt;
  if (a.of.key !== b.of.key) return a.of.key < b.of.key ? -1 : 1;
  return a.of.batch.epoch - b.of.batch.epoch || a.of.batch.number - b.of.batch.number;
}

const claimOf = ({ of, text }: Found): Claim => ({
  epoch: of.batch.epoch,
  number: of.batch.number,
  line: text,
});
const placeOf = ({ of, line }: Found): string => `${of.key} ${line.dueAt}`;

/** What stands for each due time of each key: rechecks are no claims. */
function standing(found: readonly Found[]): Map<string, Claim> {
  const claims = new Map<string, Claim>();
  for (const each of found) {
    if (each.line.recheck) continue;
    const other = claims.get(placeOf(each));
    claims.set(placeOf(each), other === undefined ? claimOf(each) : earlierClaim(other, claimOf(each)));
  }
  return claims;
}

function explained(
  ground: Ground,
  window: MonitorWindow,
  found: readonly Found[],
  kept: readonly Found[],
  years: readonly YearLog[],
): DecidedLine[] {
  const claims = standing(found);
  const rosterOf = rosters(ground.timeline);
  return kept.map((each) => {
    const { commit, batch, key } = each.of;
    const { under } = window;
    const probe = rosterOf(window).byKey.get(key);
    const because =
      probe?.id === batch.probe
        ? (noneOf(each.line, contextOf(ground, each.of, window, probe)) ??
          notStanding(each, claims.get(placeOf(each))))
        : mute(window, key);
    const log = logOf(years, commit.index);
    return {
      probe: batch.probe,
      region: under.config.probes.find(({ id }) => id === batch.probe)?.region ?? '',
      receivedAt: commit.at,
      line: each.text,
      batch: {
        epoch: batch.epoch,
        number: batch.number,
        ...(log === undefined ? {} : { log: { year: log.year, index: indexOf(log, commit.index) } }),
      },
      counts: because === undefined,
      ...(because === undefined ? {} : { because }),
    };
  });
}

/** Why a key has no say, whatever its lines are. */
function mute({ under, monitor }: MonitorWindow, key: string): string {
  const probe = under.config.probes.find(({ vkey }) => vkey === key);
  if (probe === undefined) return 'its key is none of the probes of the configuration in force';
  if (!monitor.regions.includes(probe.region)) return `its region ${probe.region} is not asked of this check`;
  return 'its key was not enrolled in the first minute of the window';
}

function notStanding({ of }: Found, claim: Claim | undefined): string | undefined {
  if (claim === undefined) return undefined;
  const isOwn = claim.epoch === of.batch.epoch && claim.number === of.batch.number;
  if (!isOwn) return `batch ${claim.epoch}.${claim.number} has a line for the same time, which came first`;
  return claim.line === undefined
    ? 'its batch has two lines for the same time, and neither is believed'
    : undefined;
}

/** The clause of the rule by which a line says nothing, in plain words; undefined for one that counts. */
function noneOf(line: Observation, context: LineContext): string | undefined {
  const judged = classifyLine(line, context);
  return judged.as === null ? words[judged.because](line, context) : undefined;
}

const words: Readonly<Record<NoneReason, (line: Observation, context: LineContext) => string>> = {
  recheck: () => 'it is a recheck, which confirms what was seen and is counted nowhere',
  enrolment: () => 'its key was not enrolled where the batch lies in the log',
  contradiction: () =>
    'its key signed two batches under one number, and from there on nothing of that epoch counts',
  clock: (_, { clockBoundMs }) =>
    clockBoundMs < 0
      ? 'its probe did not know how far its clock was off'
      : `its probe's clock may have been off by ${clockBoundMs} ms, and ${MAX_CLOCK_BOUND_MS} are the most`,
  config: () => 'its probe ran a configuration in which this check was another',
  skipped: () => 'it was skipped, which says nothing of the target',
  'probe-fault': () => "the fault is the probe's own, and says nothing of the target",
  'not-due': () => 'nothing was due at that time',
  late: ({ lateMs }, { intervalMs }) =>
    `it was asked ${lateMs} ms late, and half of the interval of ${intervalMs} ms is the most`,
  repeat: () => 'an earlier batch has a line for the same time',
};

/** Frames that may hold lines of a window: sent soon after it, or as soon as the probe could. */
export const framesOf = ({ first, last }: Decided['about']): readonly [from: Instant, to: Instant] => [
  first * MINUTE_MS,
  (last + 1) * MINUTE_MS + 10 * MINUTE_MS,
];

/**
 * With what frames add while they are kept: the details of faults, which are in no batch, and lines that are in no batch
 * so far.
 */
export function withFrames(decided: Decided, ofFrames: readonly DecidedLine[]): DecidedLine[] {
  const { first, last } = decided.about;
  const known = new Set(decided.lines.map(({ probe, line }) => `${probe} ${line}`));
  const details = new Map(ofFrames.map(({ probe, line, detail }) => [`${probe} ${line}`, detail]));
  const waiting = ofFrames.filter(({ probe, line }) => {
    const minute = Math.floor(Number(line.split(' ', 2)[1]) / MINUTE_MS);
    return first <= minute && minute <= last && !known.has(`${probe} ${line}`);
  });
  return [
    ...decided.lines.map((line) => {
      const detail = details.get(`${line.probe} ${line.line}`);
      return detail === undefined ? line : { ...line, detail };
    }),
    // Those of a batch whose body is gone are in one, and which can't be known.
    ...(decided.about.gone > 0
      ? []
      : waiting.map((line) => ({ ...line, counts: false, because: 'it is in no batch of the log so far' }))),
  ];
}
