/** The driver of region.ts: reads from the shards' rows how each probe fares, and remembers what was told of it. */
import type { Batch } from '@highwater/config/proof/batch.ts';
import { type FaultId, faultFromId, isWholeProbe } from '@highwater/config/faults.ts';
import { MINUTE_MS, type Clock, type Instant } from '@highwater/config/time.ts';
import {
  type ClockWord,
  type Condition,
  conditionOfProbe,
  conditionOfRegion,
  type Conditions,
  type Count,
  kept,
  look,
  type ProbeSight,
  type RegionSight,
  wellSoFar,
} from '../decide/region.ts';
import type { Silences } from '../decide/silence.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Store } from '../store/store.ts';
import { HOUSE_SHARD, LOG_SHARD, type Watched } from '../watched.ts';
import type { Shard } from './shard.ts';

/** Looked at so often: all rows are read for it. */
const EVERY_MS = 5_000;

export interface Regions {
  /** Undefined while it is well. */
  ofRegion(region: string): Condition | undefined;
  ofProbe(probe: string): Condition | undefined;
  /** A batch came and was signed by its probe, whether it was taken or refused as ahead. */
  closed(batch: Batch): void;
  /** Looks again when it is time. Returns whether what is told has changed. */
  beat(shards: Iterable<Shard>): Promise<boolean>;
}

const none: Count = { count: 0, since: 0 };

/** The kinds of trouble that are a probe's as a whole. */
const kinds: Readonly<Record<string, 'offline' | 'clockFaults' | 'late'>> = {
  control: 'offline',
  clock: 'clockFaults',
  loop: 'late',
  schedule: 'late',
  fd: 'late',
};

function kindOf(id: FaultId): 'offline' | 'clockFaults' | 'late' | undefined {
  const fault = faultFromId(id);
  return fault !== undefined && isWholeProbe(fault) ? kinds[fault.operation] : undefined;
}

type Tally = Omit<ProbeSight, 'probe' | 'silentSince' | 'clock'>;

/** By probe, what it said last of each monitor, while that is fresh by the monitor's own measure. */
export function tallies(watched: Watched, shards: Iterable<Shard>, now: Instant): ReadonlyMap<string, Tally> {
  const found = new Map([...watched.regionOf.keys()].map((probe) => [probe, { ...blank }]));
  for (const shard of shards) {
    for (const [id, { streaks, troubles }] of shard.monitors.entries()) {
      const freshMs = watched.policies.get(id)?.freshMs;
      if (freshMs === undefined) continue;
      for (const probe of new Set([...Object.keys(streaks), ...Object.keys(troubles)])) {
        const tally = found.get(probe);
        const [answer, trouble] = [streaks[probe]?.newest, troubles[probe]];
        const at = Math.max(answer?.receivedAt ?? 0, trouble?.receivedAt ?? 0);
        if (tally === undefined || now - at >= freshMs) continue;
        tally.words += 1;
        const kind = trouble?.receivedAt === at ? kindOf(trouble.fault) : undefined;
        if (kind === undefined) continue;
        const { count, since } = tally[kind];
        tally[kind] = { count: count + 1, since: count === 0 ? at : Math.min(since, at) };
      }
    }
  }
  return found;
}

const blank: Mutable<Tally> = { words: 0, offline: none, clockFaults: none, late: none };
type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** For each region: nodes that the quorum sees up though this region has a say, and those of them that it sees down. */
export function apart(watched: Watched, shards: Iterable<Shard>): RegionSight[] {
  const nodes = new Map<string, Map<string, boolean>>();
  for (const shard of shards) {
    for (const [id, { judgement }] of shard.monitors.entries()) {
      if (judgement.status !== 'up' && judgement.status !== 'degraded') continue;
      const node = id.slice(0, id.lastIndexOf('/'));
      for (const { region, status } of judgement.votes) {
        if (status === 'unknown') continue;
        const own = nodes.get(region) ?? new Map<string, boolean>();
        nodes.set(region, own.set(node, (own.get(node) ?? false) || status === 'down'));
      }
    }
  }
  return watched.config.regions.map(({ id }) => {
    const own = [...(nodes.get(id)?.values() ?? [])];
    return { region: id, nodes: own.length, downAlone: own.filter(Boolean).length };
  });
}

type Numbered = Pick<Batch, 'epoch' | 'number'>;

function isLater(a: Numbered, b: Numbered): boolean {
  return a.epoch > b.epoch || (a.epoch === b.epoch && a.number > b.number);
}

function numbered({ epoch, number, clock, minutes }: Batch, at: Instant): ClockWord & Numbered {
  return { epoch, number, at, boundMs: clock.boundMs, closedAt: (minutes.last + 1) * MINUTE_MS };
}

export async function openRegions(watched: Watched, store: Store, clock: Clock): Promise<Regions> {
  const probesIn = Map.groupBy(watched.config.probes, ({ region }) => region);
  const clocks = new Map<string, ClockWord & Numbered>();
  await store.read(LOG_SHARD, async (tx) => {
    for (const { id } of watched.config.probes) {
      const last = await tx.lastBatch(id);
      const batch = last && batchOf(last);
      if (last && batch) clocks.set(id, numbered(batch, last.at));
    }
  });
  const remembered = await store.read(HOUSE_SHARD, (tx) => tx.getState('conditions', 'all'));
  let conditions = (remembered?.value as Conditions | undefined) ?? wellSoFar;
  let written = JSON.stringify(kept(conditions));
  let lookedAt = -Infinity;

  const remember = async (text: string): Promise<void> => {
    await store.transact(HOUSE_SHARD, async (tx) => {
      const row = await tx.getState('conditions', 'all');
      await tx.putState('conditions', 'all', row?.version ?? 0, JSON.parse(text));
    });
    written = text;
  };

  return {
    ofProbe: (probe) => conditionOfProbe(conditions, probe),
    ofRegion: (region) =>
      conditionOfRegion(
        conditions,
        region,
        (probesIn.get(region) ?? []).map(({ id }) => id),
      ),
    closed(batch) {
      const before = clocks.get(batch.probe);
      // An older one that is sent again says nothing new.
      if (before !== undefined && !isLater(batch, before)) return;
      clocks.set(batch.probe, numbered(batch, clock.now()));
    },
    async beat(shards) {
      if (clock.monotonic() - lookedAt < EVERY_MS) return false;
      lookedAt = clock.monotonic();
      const now = clock.now();
      const silent = await store.read(HOUSE_SHARD, (tx) => tx.getState('silences', 'all'));
      const silences = (silent?.value as Silences | undefined) ?? {};
      const all = [...shards];
      const tallied = tallies(watched, all, now);
      const probes = watched.config.probes.map(({ id }): ProbeSight => {
        const [silence, word] = [silences[id], clocks.get(id)];
        return {
          probe: id,
          ...(tallied.get(id) ?? blank),
          ...(silence && { silentSince: silence.since }),
          ...(word && { clock: word }),
        };
      });
      conditions = look(conditions, { probes, regions: apart(watched, all) }, now);
      const text = JSON.stringify(kept(conditions));
      if (text === written) return false;
      await remember(text);
      return true;
    },
  };
}
