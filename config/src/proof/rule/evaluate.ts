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
import { type RegionJudgement, judgeRegion, slotOfRegion } from './region.ts';
import { PUBLIC_NODE, UNSEEN, judgeService } from './service.ts';
import { REFERENCE_PREFIX, isStalled } from './stalled.ts';
import {
  type Series,
  type SlotTable,
  newTable,
  put,
  putRequests,
  seriesOf,
  sumRequests,
} from './slot-table.ts';
import { type Timeline, timelineOf } from './timeline.ts';
import type { Requests } from './totals.ts';

/** UTC minutes, both inclusive. */
export interface MinuteRange {
  readonly first: number;
  readonly last: number;
}

export type { Series };

export interface Subjects {
  /** By `service/node/check`; references too. */
  readonly monitors: ReadonlyMap<string, Series>;
  /** By `service/node`. */
  readonly nodes: ReadonlyMap<string, Series>;
  readonly services: ReadonlyMap<string, Series>;
}

export interface Evaluation extends MinuteRange, Subjects {
  /**
   * By region, what it says alone: its majority of each monitor, and of these the nodes and services. Maintenance and
   * stalled chains lie over it as they are.
   */
  readonly regions: ReadonlyMap<string, Subjects>;
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
  const planes = new Map<string, SlotTable>();
  const planeOf = (region: string): SlotTable => {
    const known = planes.get(region) ?? newTable(range.first, length);
    planes.set(region, known);
    return known;
  };
  const agreed = planeOf('');
  const judge = windowJudge(windows, tallies);
  for (let minute = range.first; minute <= range.last; minute += 1) {
    const under = timeline.configAt(minute);
    if (under) judgeMinute({ minute, config: under.config, timeline, judge }, planeOf);
  }
  const subjectsOf = (table: SlotTable): Subjects => ({
    monitors: seriesOf(table, 'monitors'),
    nodes: seriesOf(table, 'nodes'),
    services: seriesOf(table, 'services'),
  });
  const regions = [...planes].filter(([region]) => region !== '').sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    ...range,
    ...subjectsOf(agreed),
    regions: new Map(regions.map(([region, table]) => [region, subjectsOf(table)])),
    problems: [...records.problems, ...problems].sort(),
  };
}

/** A window's judgement: what was agreed, and by region what it says. */
interface WindowJudgement {
  readonly agreed: MonitorJudgement;
  readonly regions: ReadonlyMap<string, RegionJudgement>;
}

interface MonitorMinute extends WindowJudgement {
  /** Of the minute itself, not of the window. */
  readonly requests: ReadonlyMap<string, Requests>;
}

type Judge = (monitor: string, minute: number) => MonitorMinute;

/** Judges each window once, whichever of its minutes asks. */
function windowJudge(windows: Windows, tallies: Tallies): Judge {
  const judged = new WeakMap<MonitorWindow, WindowJudgement>();
  return (monitor, minute) => {
    const window = windows.at(monitor, minute);
    if (!window) throw new RangeError(`unreachable: ${monitor} has no window in minute ${minute}`);
    const known = judged.get(window) ?? judgeWindow(window, tallies);
    judged.set(window, known);
    return { ...known, requests: requestsOf(window, tallies, minute) };
  };
}

function judgeWindow(window: MonitorWindow, tallies: Tallies): WindowJudgement {
  const minutes = tallies.get(window.monitor.id);
  const tallyOf = (key: string): Tally => {
    let sum = emptyTally;
    for (let minute = window.first; minute <= window.last; minute += 1) {
      const tally = minutes?.get(minute)?.get(key);
      if (tally) sum = addTallies(sum, tally);
    }
    return sum;
  };
  const regions = new Map(
    [...window.roster].map(([region, probes]) => [
      region,
      judgeRegion(probes.map((probe) => tallyOf(probe.vkey))),
    ]),
  );
  return { agreed: judgeMonitor([...regions.values()], window.monitor.quorum), regions };
}

/** Single requests that counted in a minute, by region. */
function requestsOf(window: MonitorWindow, tallies: Tallies, minute: number): Map<string, Requests> {
  const keys = tallies.get(window.monitor.id)?.get(minute);
  const asked = [...window.roster].map(([region, probes]): [string, Requests] => {
    let requests = 0;
    let succeeded = 0;
    for (const { vkey } of probes) {
      const tally = keys?.get(vkey) ?? emptyTally;
      succeeded += tally.ok + tally.degraded;
      requests += tally.ok + tally.degraded + tally.fail;
    }
    return [region, { requests, succeeded }];
  });
  return new Map(asked);
}

/** What one minute is judged from. */
interface Scene {
  readonly minute: number;
  readonly config: RuleConfig;
  readonly timeline: Timeline;
  readonly judge: Judge;
}

type Part = MonitorPart & { readonly id: string };

/** Into the agreed plane, and into that of each region that speaks in this minute. */
function judgeMinute(scene: Scene, planeOf: (region: string) => SlotTable): void {
  const { minute, config, judge } = scene;
  const stalled = stalledChains(scene);
  const byPlane = new Map<string, Map<string, Part[]>>([['', new Map()]]);
  for (const monitor of config.monitors) {
    const { agreed, regions, requests } = judge(monitor.id, minute);
    const isStalledHead = monitor.kind === 'head' && stalled.has(monitor.chain ?? '');
    const { service, node } = monitorParts(monitor.id);
    const isCounted = monitor.counts && !service.startsWith(REFERENCE_PREFIX);
    const said = [
      ['', agreed] as const,
      ...[...regions].map(([region, own]) => [region, slotOfRegion(own)] as const),
    ];
    for (const [plane, slot] of said) {
      const table = planeOf(plane);
      const maintenance = isCovered(scene, service, node);
      put(table, 'monitors', monitor.id, minute, { ...slot, stalled: isStalledHead, maintenance });
      for (const [region, asked] of requests) {
        if (plane === '' || plane === region) putRequests(table, monitor.id, minute, asked);
      }
      const byNode = byPlane.get(plane) ?? new Map<string, Part[]>();
      byPlane.set(plane, byNode);
      if (!isCounted) continue;
      const parts = byNode.get(`${service}/${node}`) ?? [];
      byNode.set(`${service}/${node}`, [...parts, { ...slot, stalledHead: isStalledHead, id: monitor.id }]);
    }
  }
  const agreed = byPlane.get('') ?? new Map<string, Part[]>();
  for (const [plane, byNode] of byPlane) {
    for (const service of config.services) judgeOneService(scene, service, byNode, agreed, planeOf(plane));
  }
}

function isCovered({ timeline, minute }: Scene, service: string, node?: string): boolean {
  return (
    timeline.isMaintained(service, minute) ||
    (node !== undefined && timeline.isMaintained(`${service}/${node}`, minute))
  );
}

/** `byNode` has what this plane says of the monitors, `agreed` what was agreed of all. */
function judgeOneService(
  scene: Scene,
  service: RuleService,
  byNode: ReadonlyMap<string, readonly Part[]>,
  agreed: ReadonlyMap<string, readonly Part[]>,
  table: SlotTable,
): void {
  const { minute } = scene;
  const nodes: (Judged & { readonly hasStalledHead: boolean })[] = [];
  const asked: Part[] = [];
  for (const node of service.nodes) {
    const id = `${service.id}/${node.id}`;
    const parts = byNode.get(id) ?? [];
    const judged = judgeNode(parts);
    if (judged) {
      nodes.push({ ...judged, hasStalledHead: parts.some((part) => part.stalledHead) });
      asked.push(...parts);
      put(table, 'nodes', id, minute, { ...judged, maintenance: isCovered(scene, service.id, node.id) });
      sumRequests(table, id, minute, parts);
    } else if (agreed.has(id)) nodes.push({ ...UNSEEN, hasStalledHead: false });
  }
  const publicId = `${service.id}/${PUBLIC_NODE}`;
  const publicParts = byNode.get(publicId) ?? [];
  // A region that asks none of what the service is judged by says nothing of it.
  const counted = agreed.has(publicId) ? publicParts : asked;
  if (counted.length === 0) return;
  const judged = judgeService(publicParts, nodes, service.minUp);
  if (!judged) return;
  put(table, 'services', service.id, minute, { ...judged, maintenance: isCovered(scene, service.id) });
  sumRequests(table, service.id, minute, counted);
}

/** The chains whose heads, of nodes and references, say in this minute that the chain itself stands still. */
function stalledChains({ minute, config, judge }: Scene): ReadonlySet<string> {
  const stalled = new Set<string>();
  for (const chain of config.chains) {
    const heads = config.monitors.flatMap((monitor) => {
      if (monitor.kind !== 'head' || monitor.chain !== chain.name) return [];
      const operator = operatorOf(config, chain, monitor.id);
      return operator === undefined ? [] : [{ ...judge(monitor.id, minute).agreed, operator }];
    });
    if (isStalled(heads)) stalled.add(chain.name);
  }
  return stalled;
}

/** Who runs what a head is asked of; undefined for a public name, which leads to a node that would be counted twice. */
export function operatorOf(
  config: RuleConfig,
  chain: RuleConfig['chains'][number],
  monitor: string,
): string | undefined {
  const { service, node } = monitorParts(monitor);
  return service.startsWith(REFERENCE_PREFIX)
    ? chain.references.find((reference) => reference.host === node)?.operator
    : config.services.find((s) => s.id === service)?.nodes.find((n) => n.id === node)?.operator;
}
