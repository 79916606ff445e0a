/**
 * `rule/v1` as one fold, from evidence to slots and totals: the reference that everything incremental must equal.
 * The order and repetition of leaves do not matter, only their index; there is no clock.
 */
import { MINUTES_PER_DAY, dayOfMinute } from '../../time.ts';
import type { Hash } from '../bytes.ts';
import type { RuleConfig, RuleService } from '../projection.ts';
import { type Evidence, readRecords } from './evidence.ts';
import { type MonitorWindow, type Tallies, type Windows, gather, windowsUnder } from './gather.ts';
import { monitorParts } from '../../domain.ts';
import { type MonitorJudgement, judgeMonitor } from './monitor.ts';
import { type Judged, type MonitorPart, judgeNode } from './node.ts';
import { type Tally, addTallies, emptyTally } from './probe-minute.ts';
import { judgeRegion } from './region.ts';
import { PUBLIC_NODE, judgeService } from './service.ts';
import type { Slot } from './slot.ts';
import { REFERENCE_PREFIX, isStalled } from './stalled.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import { type Requests, type RuleTotals, countSlots } from './totals.ts';

/** UTC minutes, both inclusive. */
export interface MinuteRange {
  readonly first: number;
  readonly last: number;
}

/** One subject's slots; undefined in minutes for which it was not configured. */
export interface Series {
  /** Index 0 is the first minute of the range. */
  readonly slots: readonly (Slot | undefined)[];
  readonly totals: RuleTotals;
}

export interface Evaluation extends MinuteRange {
  /** By `service/node/check`; references too. */
  readonly monitors: ReadonlyMap<string, Series>;
  /** By `service/node`. */
  readonly nodes: ReadonlyMap<string, Series>;
  readonly services: ReadonlyMap<string, Series>;
  /** Evidence that was left out, and why. */
  readonly problems: readonly string[];
}

/** At most this many minutes in one call; totals of longer ranges are sums (addTotals). */
export const MAX_RANGE_MINUTES = 400 * MINUTES_PER_DAY;

/** Throws RangeError for a range that is empty or too long. */
export function evaluate(evidence: Evidence, range: MinuteRange, hash: Hash): Evaluation {
  const length = range.last - range.first + 1;
  if (!(length >= 1 && length <= MAX_RANGE_MINUTES)) throw new RangeError(`a range of ${length} minutes`);
  const records = readRecords(evidence, hash);
  const timeline = timelineOf(records);
  const windows = windowsUnder(timeline);
  // A window can begin before the range and end after it, but never leaves its day.
  const isWanted = (minute: number): boolean =>
    dayOfMinute(range.first) <= dayOfMinute(minute) && dayOfMinute(minute) <= dayOfMinute(range.last);
  const { tallies, problems } = gather(records, evidence, timeline, windows, isWanted, hash);
  const table = newTable(range.first, length);
  const judge = windowJudge(windows, tallies);
  for (let minute = range.first; minute <= range.last; minute += 1) {
    const under = timeline.configAt(minute);
    if (under) judgeMinute(minute, under.config, timeline, judge, tallies, table);
  }
  return {
    ...range,
    monitors: seriesOf(table.monitors, table),
    nodes: seriesOf(table.nodes, table),
    services: seriesOf(table.services, table),
    problems: [...records.problems, ...problems].sort(),
  };
}

type Row = (Slot | undefined)[];

/** Slots of a stretch of minutes, being filled. */
export interface Table {
  readonly first: number;
  readonly length: number;
  readonly monitors: Map<string, Row>;
  readonly nodes: Map<string, Row>;
  readonly services: Map<string, Row>;
  /** By subject: requests of each minute. */
  readonly requests: Map<string, Map<number, Requests>>;
}

export function newTable(first: number, length: number): Table {
  return { first, length, monitors: new Map(), nodes: new Map(), services: new Map(), requests: new Map() };
}

export type Judge = (monitor: string, minute: number) => MonitorJudgement;

/** Judges each window once, whichever of its minutes asks. */
function windowJudge(windows: Windows, tallies: Tallies): Judge {
  const judged = new WeakMap<MonitorWindow, MonitorJudgement>();
  return (monitor, minute) => {
    const window = windows.at(monitor, minute);
    if (!window) throw new RangeError(`unreachable: ${monitor} has no window in minute ${minute}`);
    const known = judged.get(window);
    if (known) return known;
    const judgement = judgeWindow(window, tallies);
    judged.set(window, judgement);
    return judgement;
  };
}

function judgeWindow(window: MonitorWindow, tallies: Tallies): MonitorJudgement {
  const minutes = tallies.get(window.monitor.id);
  const tallyOf = (key: string): Tally => {
    let sum = emptyTally;
    for (let minute = window.first; minute <= window.last; minute += 1) {
      const tally = minutes?.get(minute)?.get(key);
      if (tally) sum = addTallies(sum, tally);
    }
    return sum;
  };
  const regions = [...window.roster.values()].map((probes) =>
    judgeRegion(probes.map((probe) => tallyOf(probe.vkey))),
  );
  return judgeMonitor(regions, window.monitor.quorum);
}

/** One minute of a configuration (or a part of it that shares no chain with the rest), into the table. */
export function judgeMinute(
  minute: number,
  config: RuleConfig,
  timeline: Timeline,
  judge: Judge,
  tallies: Tallies,
  table: Table,
): void {
  const stalled = stalledChains(minute, config, judge);
  const byNode = new Map<string, (MonitorPart & { readonly id: string })[]>();
  const covered = (service: string, node?: string): boolean =>
    timeline.isMaintained(service, minute) ||
    (node !== undefined && timeline.isMaintained(`${service}/${node}`, minute));
  for (const monitor of config.monitors) {
    const judgement = judge(monitor.id, minute);
    const { service, node } = monitorParts(monitor.id);
    const stalledHead = monitor.kind === 'head' && stalled.has(monitor.chain ?? '');
    put(
      table,
      'monitors',
      monitor.id,
      minute,
      { ...judgement, stalled: stalledHead },
      covered(service, node),
    );
    putRequests(table, monitor.id, minute, requestsOf(tallies, monitor.id, minute));
    if (!monitor.counts || service.startsWith(REFERENCE_PREFIX)) continue;
    const parts = byNode.get(`${service}/${node}`) ?? [];
    byNode.set(`${service}/${node}`, [...parts, { ...judgement, stalledHead, id: monitor.id }]);
  }
  for (const service of config.services) {
    judgeOneService(service, minute, byNode, covered, table);
  }
}

function judgeOneService(
  service: RuleService,
  minute: number,
  byNode: ReadonlyMap<string, readonly (MonitorPart & { readonly id: string })[]>,
  covered: (service: string, node?: string) => boolean,
  table: Table,
): void {
  const nodes: (Judged & { readonly hasStalledHead: boolean })[] = [];
  const asked: string[] = [];
  for (const node of service.nodes) {
    const id = `${service.id}/${node.id}`;
    const parts = byNode.get(id) ?? [];
    const judged = judgeNode(parts);
    if (!judged) continue;
    nodes.push({ ...judged, hasStalledHead: parts.some((part) => part.stalledHead) });
    asked.push(...parts.map((part) => part.id));
    put(table, 'nodes', id, minute, judged, covered(service.id, node.id));
    sumRequests(table, id, minute, parts);
  }
  const publicParts = byNode.get(`${service.id}/${PUBLIC_NODE}`) ?? [];
  const judged = judgeService(publicParts, nodes, service.minUp);
  if (!judged) return;
  put(table, 'services', service.id, minute, judged, covered(service.id));
  sumRequests(table, service.id, minute, publicParts.length > 0 ? publicParts : asked.map((id) => ({ id })));
}

/** The chains whose heads, of nodes and references, say in this minute that the chain itself stands still. */
function stalledChains(minute: number, config: RuleConfig, judge: Judge): ReadonlySet<string> {
  const stalled = new Set<string>();
  for (const chain of config.chains) {
    const heads = config.monitors.flatMap((monitor) => {
      if (monitor.kind !== 'head' || monitor.chain !== chain.name) return [];
      const { service, node } = monitorParts(monitor.id);
      const operator = service.startsWith(REFERENCE_PREFIX)
        ? chain.references.find((reference) => reference.host === node)?.operator
        : config.services.find((s) => s.id === service)?.nodes.find((n) => n.id === node)?.operator;
      // A public name leads to one of the nodes, which would then be counted twice.
      return operator === undefined ? [] : [{ ...judge(monitor.id, minute), operator }];
    });
    if (isStalled(heads)) stalled.add(chain.name);
  }
  return stalled;
}

function put(
  table: Table,
  kind: 'monitors' | 'nodes' | 'services',
  id: string,
  minute: number,
  judged: Omit<Slot, 'maintenance'>,
  maintenance: boolean,
): void {
  const rows = table[kind];
  const row = rows.get(id) ?? new Array<Slot | undefined>(table.length).fill(undefined);
  rows.set(id, row);
  const { state, degraded, stalled, cause } = judged;
  row[minute - table.first] = slotOf(state, degraded, maintenance, stalled, cause);
}

const slots = new Map<string, Slot>();

/** There are few different slots: each is made once, so that a month of them is a row of pointers. */
function slotOf(
  state: Slot['state'],
  degraded: boolean,
  maintenance: boolean,
  stalled: boolean,
  cause: Slot['cause'],
): Slot {
  const key = `${state} ${degraded} ${maintenance} ${stalled} ${cause}`;
  const known = slots.get(key);
  if (known) return known;
  const slot = Object.freeze({ state, degraded, maintenance, stalled, ...(cause ? { cause } : {}) });
  slots.set(key, slot);
  return slot;
}

function requestsOf(tallies: Tallies, monitor: string, minute: number): Requests {
  let requests = 0;
  let succeeded = 0;
  for (const tally of tallies.get(monitor)?.get(minute)?.values() ?? []) {
    succeeded += tally.ok + tally.degraded;
    requests += tally.ok + tally.degraded + tally.fail;
  }
  return { requests, succeeded };
}

function putRequests(table: Table, subject: string, minute: number, asked: Requests): void {
  if (asked.requests === 0) return;
  const minutes = table.requests.get(subject) ?? new Map<number, Requests>();
  table.requests.set(subject, minutes);
  const before = minutes.get(minute) ?? { requests: 0, succeeded: 0 };
  minutes.set(minute, {
    requests: before.requests + asked.requests,
    succeeded: before.succeeded + asked.succeeded,
  });
}

function sumRequests(
  table: Table,
  subject: string,
  minute: number,
  monitors: readonly { readonly id: string }[],
): void {
  for (const { id } of monitors) {
    const asked = table.requests.get(id)?.get(minute);
    if (asked) putRequests(table, subject, minute, asked);
  }
}

function seriesOf(rows: ReadonlyMap<string, Row>, { first, requests }: Table): Map<string, Series> {
  const none = { requests: 0, succeeded: 0 };
  const sorted = [...rows].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    sorted.map(([id, row]) => {
      const totals = countSlots(row, (i) => requests.get(id)?.get(first + i) ?? none);
      return [id, { slots: row, totals }];
    }),
  );
}
