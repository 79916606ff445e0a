/** What was in force when: configurations, enrolments and maintenance, from the leaves in index order. */
import { type Held, heldAt, inForceFrom, overlaid } from './in-force.ts';
import type { RuleConfig, RuleMonitor } from '../projection.ts';
import { entryOf } from '../projection.ts';
import type { BatchRecord, ConfigRecord, MaintRecord, ProbeRecord, Records } from './evidence.ts';

/** A configuration with its look-ups. */
export interface ConfigInForce {
  readonly hash: string;
  readonly config: RuleConfig;
  readonly monitors: ReadonlyMap<string, RuleMonitor>;
  /** entryOf each monitor. */
  readonly entries: ReadonlyMap<string, string>;
}

export interface Timeline {
  configAt(minute: number): ConfigInForce | undefined;
  /** A configuration by its leaf hash, in force or not. */
  configOf(hash: string): ConfigInForce | undefined;
  /** Whether a key's enrolment is in force in a minute. */
  isEnrolledAt(key: string, minute: number): boolean;
  /** Whether the latest leaf on a key below an index enrols it: the clause on batches. */
  isEnrolledBelow(key: string, index: number): boolean;
  /** Whether a maintenance of `SERVICE` or `SERVICE/NODE` covers a minute. */
  isMaintained(subject: string, minute: number): boolean;
  /** The first minute that a leaf has a say in, by its index; undefined for one that the rule does not know. */
  inForceFrom(index: number): number | undefined;
  /**
   * From how many regions batches had already reached that minute when the leaf was logged; 0 for one in time. Regions are as
   * enrolments name them, so that no configuration has a say in it.
   */
  regionsAhead(index: number): number;
}

/** As much of the records as says what was in force. */
export interface TimelineRecords extends Pick<Records, 'configs' | 'probes' | 'maints'> {
  readonly batches: readonly ReachRecord[];
}

interface ReachRecord extends Pick<BatchRecord, 'index' | 'key'> {
  readonly batch: Pick<BatchRecord['batch'], 'minutes'>;
}

/** Walks the leaves once, in index order, keeping how far each key's batches have reached. */
export function timelineOf(records: TimelineRecords): Timeline {
  const configs: (Held<ConfigInForce> & { readonly hash: string })[] = [];
  const enrolments = new Map<string, Enrolment[]>();
  const declared = new Map<string, MaintInForce>();
  const reach = new Map<string, number>();
  const reachOfRegion = new Map<string, number>();
  const lookUps = lookUpsOnce();

  const isEnrolledBelow = (key: string, index: number): boolean =>
    newestBelow(enrolments.get(key) ?? [], index)?.enrols ?? false;
  const firsts = new Map<number, Logged>();
  let floor = 0;
  const inForce = ({ index }: { readonly index: number }, from: number): number => {
    const { config } = configs.at(-1)?.value ?? {};
    floor = Math.max(
      floor,
      inForceFrom(
        0,
        reaches(config, reach, (key) => isEnrolledBelow(key, index)),
      ),
    );
    const since = Math.max(from, floor);
    const ahead = [...reachOfRegion.values()].filter((last) => last >= since).length;
    firsts.set(index, { since, ahead });
    return since;
  };

  for (const record of inOrder(records)) {
    if (record.kind === 'batch') {
      if (isEnrolledBelow(record.key, record.index)) {
        const { last } = record.batch.minutes;
        raise(reach, record.key, last);
        const { region } = newestBelow(enrolments.get(record.key) ?? [], record.index) ?? {};
        if (region !== undefined) raise(reachOfRegion, region, last);
      }
    } else if (record.kind === 'config') {
      const value = lookUps(record);
      configs.push({ since: inForce(record, record.from), value, hash: record.hash });
    } else if (record.kind === 'probe') {
      const { key, from, act, region } = record.leaf;
      const since = inForce(record, from);
      listOf(enrolments, key).push({ index: record.index, since, enrols: act === 'enrol', region });
    } else {
      const since = inForce(record, record.leaf.from);
      if (record.leaf.act === 'declare') declared.set(record.hash, { ...record.leaf, since });
      else shorten(declared, record.leaf.leaf, since);
    }
  }
  const maintained = coveredBy(declared.values());
  const standing = overlaid(configs);
  const enrolled = new Map(
    [...enrolments].map(([key, leaves]) => [
      key,
      overlaid(leaves.map((l) => ({ since: l.since, value: l.enrols }))),
    ]),
  );
  const byHash = new Map(configs.map(({ hash, value }) => [hash, value]));
  return {
    configAt: (minute) => heldAt(standing, minute),
    configOf: (hash) => byHash.get(hash),
    isEnrolledAt: (key, minute) => heldAt(enrolled.get(key) ?? [], minute) ?? false,
    isEnrolledBelow,
    isMaintained: (subject, minute) => heldAt(maintained.get(subject) ?? [], minute) ?? false,
    inForceFrom: (index) => firsts.get(index)?.since,
    regionsAhead: (index) => firsts.get(index)?.ahead ?? 0,
  };
}

/** What is kept of a leaf. */
interface Logged {
  readonly since: number;
  readonly ahead: number;
}

interface Enrolment {
  readonly index: number;
  readonly since: number;
  readonly enrols: boolean;
  readonly region: string;
}

/** The newest leaf on a key below an index, of all in their order. Binary search: one key may have many. */
function newestBelow(leaves: readonly Enrolment[], index: number): Enrolment | undefined {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((leaves[middle]?.index ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  return leaves[low - 1];
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key);
  if (list === undefined) lists.set(key, (list = []));
  return list;
}

function raise(reach: Map<string, number>, key: string, last: number): void {
  reach.set(key, Math.max(reach.get(key) ?? -1, last));
}

/** By subject, from when on a maintenance covers it and from when on none does, for `heldAt`. */
function coveredBy(maintenances: Iterable<MaintInForce>): Map<string, Held<boolean>[]> {
  const spans = new Map<string, MaintInForce[]>();
  for (const maintenance of maintenances) {
    if (maintenance.since > maintenance.last) continue;
    for (const subject of maintenance.subjects) listOf(spans, subject).push(maintenance);
  }
  return new Map([...spans].map(([subject, own]) => [subject, joined(own)]));
}

function joined(spans: MaintInForce[]): Held<boolean>[] {
  const held: Held<boolean>[] = [];
  let end = -1;
  for (const { since, last } of spans.sort((a, b) => a.since - b.since)) {
    if (since > end) {
      if (end >= 0) held.push({ since: end, value: false });
      held.push({ since, value: true });
    }
    end = Math.max(end, last + 1);
  }
  held.push({ since: end, value: false });
  return held;
}

type MaintInForce = { readonly since: number; readonly last: number; readonly subjects: readonly string[] };

/** A cancellation ends what it names before its first minute. */
function shorten(declared: Map<string, MaintInForce>, hash: string, since: number): void {
  const leaf = declared.get(hash);
  if (leaf) declared.set(hash, { ...leaf, last: Math.min(leaf.last, since - 1) });
}

type Ordered =
  | ({ readonly kind: 'config' } & ConfigRecord)
  | ({ readonly kind: 'probe' } & ProbeRecord)
  | ({ readonly kind: 'maint' } & MaintRecord)
  | ({ readonly kind: 'batch' } & ReachRecord);

function inOrder(records: TimelineRecords): Ordered[] {
  const all: Ordered[] = [
    ...records.configs.map((r) => ({ kind: 'config' as const, ...r })),
    ...records.probes.map((r) => ({ kind: 'probe' as const, ...r })),
    ...records.maints.map((r) => ({ kind: 'maint' as const, ...r })),
    ...records.batches.map((r) => ({ kind: 'batch' as const, ...r })),
  ];
  return all.sort((a, b) => a.index - b.index);
}

/**
 * How far each region of R has reached: R = the regions with a probe enrolled so far under the configuration
 * before the leaf. A region's batches count whichever of its probes sent them.
 */
function reaches(
  before: RuleConfig | undefined,
  reach: ReadonlyMap<string, number>,
  isEnrolled: (key: string) => boolean,
): number[] {
  const probes = before?.probes ?? [];
  const farthest = new Map<string, number>();
  const enrolled = new Set<string>();
  for (const { region, vkey } of probes) {
    raise(farthest, region, reach.get(vkey) ?? -1);
    if (isEnrolled(vkey)) enrolled.add(region);
  }
  return [...enrolled].map((region) => farthest.get(region) ?? -1);
}

/** Made when they are asked for: most configurations are never in force in what is looked at. */
class LookUps {
  readonly #config: RuleConfig;
  #monitors: ReadonlyMap<string, RuleMonitor> | undefined;
  #entries: ReadonlyMap<string, string> | undefined;

  constructor(config: RuleConfig) {
    this.#config = config;
  }

  get monitors(): ReadonlyMap<string, RuleMonitor> {
    return (this.#monitors ??= new Map(this.#config.monitors.map((monitor) => [monitor.id, monitor])));
  }

  get entries(): ReadonlyMap<string, string> {
    const config = this.#config;
    return (this.#entries ??= new Map(config.monitors.map((each) => [each.id, entryOf(config, each)])));
  }
}

/** Of many leaves that name one projection the look-ups are made once. */
function lookUpsOnce(): (record: ConfigRecord) => ConfigInForce {
  const known = new Map<RuleConfig, LookUps>();
  return ({ config, hash }) => {
    const made = known.get(config) ?? new LookUps(config);
    known.set(config, made);
    return {
      hash,
      config,
      get monitors() {
        return made.monitors;
      },
      get entries() {
        return made.entries;
      },
    };
  };
}
