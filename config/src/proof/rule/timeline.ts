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
}

interface Covered {
  readonly first: number;
  readonly last: number;
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
  const enrolments = new Map<
    string,
    { readonly index: number; readonly since: number; readonly enrols: boolean }[]
  >();
  const maintained = new Map<string, Covered[]>();
  const declared = new Map<string, MaintInForce>();
  const reach = new Map<string, number>();

  const isEnrolledBelow = (key: string, index: number): boolean =>
    enrolments.get(key)?.findLast((leaf) => leaf.index < index)?.enrols ?? false;
  const firsts = new Map<number, number>();
  const inForce = (leaf: { readonly index: number }, from: number): number => {
    const since = inForceFrom(
      from,
      reaches(configs.at(-1)?.value.config, reach, (key) => isEnrolledBelow(key, leaf.index)),
    );
    firsts.set(leaf.index, since);
    return since;
  };

  for (const record of inOrder(records)) {
    if (record.kind === 'batch') {
      if (isEnrolledBelow(record.key, record.index)) {
        reach.set(record.key, Math.max(reach.get(record.key) ?? -1, record.batch.minutes.last));
      }
    } else if (record.kind === 'config') {
      const value = lookUps(record);
      configs.push({ since: inForce(record, record.from), value, hash: record.hash });
    } else if (record.kind === 'probe') {
      const { key, from, act } = record.leaf;
      const since = inForce(record, from);
      enrolments.set(key, [
        ...(enrolments.get(key) ?? []),
        { index: record.index, since, enrols: act === 'enrol' },
      ]);
    } else {
      const since = inForce(record, record.leaf.from);
      if (record.leaf.act === 'declare') declared.set(record.hash, { ...record.leaf, since });
      else shorten(declared, record.leaf.leaf, since);
    }
  }
  for (const { since, last, subjects } of declared.values()) {
    for (const subject of subjects) {
      maintained.set(subject, [...(maintained.get(subject) ?? []), { first: since, last }]);
    }
  }
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
    isMaintained: (subject, minute) =>
      maintained.get(subject)?.some(({ first, last }) => first <= minute && minute <= last) ?? false,
    inForceFrom: (index) => firsts.get(index),
  };
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
  const regions = new Set(probes.filter((probe) => isEnrolled(probe.vkey)).map((probe) => probe.region));
  return [...regions].map((region) =>
    Math.max(-1, ...probes.filter((p) => p.region === region).map((p) => reach.get(p.vkey) ?? -1)),
  );
}

function lookUps({ config, hash }: ConfigRecord): ConfigInForce {
  return {
    hash,
    config,
    monitors: new Map(config.monitors.map((monitor) => [monitor.id, monitor])),
    entries: new Map(config.monitors.map((monitor) => [monitor.id, entryOf(config, monitor)])),
  };
}
