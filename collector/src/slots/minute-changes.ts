/**
 * From what a batch changes to what the views are told: by minute, what stood before and what stands now.
 *
 * Whose region, whose shard and which monitors these are is read from the configurations that were logged before the batch: a later
 * one can't change it, so that nothing is to be moved, and whoever follows the log later is told the same.
 */
import { monitorParts } from '@highwater/config/domain.ts';
import type { RuleConfig } from '@highwater/config/proof/projection.ts';
import type { ConfigRecord, Records } from '@highwater/config/proof/rule/evidence.ts';
import type { Ground } from './ground.ts';
import type { MinuteChange } from './line-view.ts';
import type { SeenLine } from './lines.ts';
import type { ReadLine, Torn } from './read-lines.ts';
import { shardsEver, shardsUnder } from './shards-ever.ts';
import type { Change, ReadBatch } from './standing.ts';

type Logged = Pick<Ground, 'records' | 'timeline'>;

/** What the configuration of a minute says; of what is not in it, what the last one said that had it. */
function saidBefore(
  { timeline, records }: Logged,
  { commit }: ReadBatch,
  minute: number,
  said: (config: RuleConfig) => string | undefined,
): string | undefined {
  const isBefore = ({ index }: ConfigRecord): boolean => index < commit.index;
  const inForce = records.configs.findLast(
    (each) => isBefore(each) && (timeline.inForceFrom(each.index) ?? Infinity) <= minute,
  );
  const own = inForce && said(inForce.config);
  if (own !== undefined) return own;
  const last = records.configs.findLast((each) => isBefore(each) && said(each.config) !== undefined);
  return last && said(last.config);
}

/** The region of a batch's key in a minute. */
function regionOf(ground: Logged, of: ReadBatch, minute: number): string | undefined {
  return saidBefore(ground, of, minute, ({ probes }) => probes.find(({ vkey }) => vkey === of.key)?.region);
}

interface Known {
  /** Monitors with the index of the first configuration that has each. */
  readonly firsts: ReadonlyMap<string, number>;
  /** Whether a service was ever in two shards: only then is it asked which one has a minute. */
  readonly hasMoved: boolean;
}

const known = new WeakMap<Records, Known>();

function knownOf(records: Records): Known {
  const had = known.get(records);
  if (had !== undefined) return had;
  const firsts = new Map<string, number>();
  for (const { index, config } of records.configs) {
    for (const { id } of config.monitors) if (!firsts.has(id)) firsts.set(id, index);
  }
  const { hasMoved } = shardsEver(records.configs.map(({ config }) => config));
  const made = { firsts, hasMoved };
  known.set(records, made);
  return made;
}

type Open = MinuteChange & { readonly before: SeenLine[]; readonly after: SeenLine[] };

/**
 * Lines of monitors that were never configured are left out: a key that makes up ids makes no subjects of them. Of a
 * service that was in several shards, each is told the minutes in which it had it.
 */
export function minuteChanges(ground: Logged, { of, put, taken }: Change, shard: string): MinuteChange[] {
  const { firsts, hasMoved } = knownOf(ground.records);
  const isOfShard = (service: string, own: ReadBatch, minute: number): boolean =>
    saidBefore(ground, own, minute, (config) => shardsUnder(config).get(service)) === shard;
  const isConfigured = ({ monitor, minute }: Torn, own: ReadBatch): boolean =>
    (firsts.get(monitor) ?? Infinity) < own.commit.index &&
    (!hasMoved || isOfShard(monitorParts(monitor).service, own, minute));

  const changes = new Map<string, Open>();
  const regions = new Map<ReadBatch, Map<number, string | undefined>>();
  const openAt = (own: ReadBatch, minute: number): Open | undefined => {
    const known = regions.get(own) ?? new Map<number, string | undefined>();
    regions.set(own, known);
    if (!known.has(minute)) known.set(minute, regionOf(ground, own, minute));
    const region = known.get(minute);
    if (region === undefined) return undefined;
    const place = `${minute} ${region}`;
    const had = changes.get(place) ?? { key: of.key, region, minute, before: [], after: [] };
    changes.set(place, had);
    return had;
  };

  let open: Open | undefined;
  let last: ReadLine | undefined;
  let isIn = false;
  for (const line of put.lines) {
    // Lines of one monitor and minute are neighbours.
    if (line.monitor !== last?.monitor || line.minute !== last.minute) isIn = isConfigured(line, of);
    if (line.minute !== last?.minute) open = openAt(of, line.minute);
    last = line;
    if (isIn) open?.after.push(line);
  }
  for (const { of: own, said } of taken) {
    if ('text' in said && isConfigured(said, own)) openAt(own, said.minute)?.before.push(said);
  }
  return [...changes.values()].filter(({ before, after }) => before.length > 0 || after.length > 0);
}
