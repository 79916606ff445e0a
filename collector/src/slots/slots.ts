/** The loop that follows the commits: of each shard its views, and the slots of every minute that has closed. */
import { monitorParts } from '@highwater/config/domain.ts';
import { quorumOf } from '@highwater/config/proof/rule/monitor.ts';
import {
  type Clock,
  dayOfMinute,
  type Instant,
  MINUTE_MS,
  minuteOf,
  MINUTES_PER_DAY,
} from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import { type Bodies, openBodies } from '../bodies/bodies.ts';
import { mutex } from '../mutex.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { BlockRow, CommitRow, Store, View } from '../store/store.ts';
import { shardNameOf, type Watched } from '../watched.ts';
import { batchOf } from './batch-commit.ts';
import { slotOfByte } from './byte.ts';
import { decodeDay } from './day.ts';
import { whySlot } from './evaluate-minutes.ts';
import { openBlocks } from './blocks.ts';
import { type Ground, keepGround } from './ground.ts';
import { openHeadsView } from './heads-view.ts';
import { judgeAll, judgeRegions } from './judge-window.ts';
import { openLatencyView } from './latency-view.ts';
import { tellDamagedBlock } from './readable.ts';
import { ShardSlots } from './shard-slots.ts';
import { shardsEver } from './shards-ever.ts';
import { openSource } from './source.ts';
import { closable, MAX_WAITED_WINDOW } from './waiting.ts';
import { completeMinute } from './windows.ts';

/** A minute closes so long after its end: batches are made at its end and shipped at once. */
export const CLOSE_AFTER_MS = 15_000;
/** The last minute that can have its slots: what is counted of today ends with it. */
export const lastClosed = (now: Instant): number => minuteOf(now - CLOSE_AFTER_MS) - 1;
/** Of a slot whose lines can't be read again. */
const GONE = 'what it was counted from was let go since, or is damaged';
const COMMITS_AT_ONCE = 60;
const MINUTES_AT_ONCE = 240;
/** Views are written so often; after a kill they are made again from there. */
const FLUSH_EVERY_MS = 5 * MINUTE_MS;

export interface Slots {
  /** Takes in new commits and closes minutes. Returns whether a slot changed. */
  beat(): Promise<boolean>;
  /** Whether minutes that were counted are to be judged again, and the next beat goes on with it. */
  owes(): boolean;
  /** Counts the changes of a shard's views since start. */
  revision(shard: string): number;
  /**
   * What the rule says of a monitor in a minute, from all commits so far; for one that is not over, in the last that
   * is. Undefined when it was not configured.
   */
  monitorSlot(monitor: string, minute: number): Promise<Why['slot']>;
  /** What the rule stands on, by all commits so far. */
  ground(): Promise<Ground>;
  /** The shards that hold what was ever counted of a service; none of one that never was. */
  shardsOf(service: string): Promise<readonly string[]>;
  /** The last minute of a shard that has its slots; undefined before it is followed. */
  closed(shard: string): Promise<number | undefined>;
  /** How often blocks of a view and period were encoded anew since start. */
  changes(shard: string, view: View, period: number): number;
  /** A block of a view as it is now, flushed or not. */
  block(shard: string, view: View, period: number, subject: string): Promise<Uint8Array | undefined>;
  /** Those of periods [from, to], by period; of one subject or of all. */
  blocks(shard: string, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
  /** Writes what is in memory alone. */
  flush(): Promise<void>;
}

/** The first configuration that has a shard: no batch before it has lines of it that count. */
function firstConfig(ground: Ground, shard: string): { minute: number; index: number } | undefined {
  const first = ground.records.configs.find(({ config }) =>
    config.services.some((service) => shardNameOf(service) === shard),
  );
  return first === undefined ? undefined : { minute: first.from, index: first.index };
}

/** While commits are left to be read, minutes are closed no further than these have come. */
function reachOf(commits: readonly CommitRow[], horizon: number): number {
  if (commits.length < COMMITS_AT_ONCE) return horizon;
  const reached = commits.flatMap((commit) => batchOf(commit)?.minutes.first ?? []);
  return Math.min(horizon, Math.max(...reached, -1) - MAX_WAITED_WINDOW);
}

export interface Followed {
  /** Where bodies are read. */
  readonly bodies?: Bodies;
  /** No shard but this one. */
  readonly only?: string;
}

/**
 * Follows the shards of today, and those that a configuration of the log had before: late batches tell of their minutes.
 *
 * @param signal ends a beat between two pages of commits: what is left is for the next one that opens them
 */
export function openSlots(
  watched: Watched,
  store: Store,
  blobs: Blobs,
  clock: Clock,
  signal?: AbortSignal,
  { bodies = openBodies(store, blobs), only }: Followed = {},
): Slots {
  const keeper = keepGround(store);
  const source = openSource(store, bodies);
  const alone = mutex();
  /** Of shards that are not followed, or not yet. */
  const unfollowed = openBlocks((damaged) => tellDamagedBlock(store, damaged));
  const revisions = new Map<string, number>();
  const shards = new Map<string, ShardSlots>();
  let ever = shardsEver([]);
  let configs: Ground['records']['configs'] = [];
  let flushedAt = clock.monotonic();

  const advance = async (): Promise<Ground> => {
    const ground = await keeper.advance();
    if (ground.records.configs === configs) return ground;
    configs = ground.records.configs;
    ever = shardsEver(configs.map(({ config }) => config));
    for (const shard of only === undefined ? [...watched.shards.keys(), ...ever.names] : [only]) {
      if (shards.has(shard)) continue;
      const isOurs = (service: string): boolean => ever.of(service).includes(shard);
      const views = [openLatencyView(), openHeadsView()];
      shards.set(shard, new ShardSlots({ shard, store, source, keeper, views, isOurs }));
    }
    return ground;
  };

  const beatShard = async (ground: Ground, shard: string, slots: ShardSlots): Promise<boolean> => {
    const first = firstConfig(ground, shard);
    if (first === undefined) return false;
    await slots.open(first);
    await slots.stand(ground);
    let changed = false;
    for (;;) {
      const commits = await source.page(slots.next, ground.next, COMMITS_AT_ONCE);
      let said = false;
      for (const commit of commits) said = (await slots.take(commit)) || said;
      const { closed } = slots;
      const horizon = Math.min(lastClosed(clock.now()), closed + MINUTES_AT_ONCE);
      const reach = reachOf(commits, horizon);
      const until = reach > closed ? closable(ground, shard, closed, reach) : closed;
      const judged = await slots.judge(until);
      if (judged || said) revisions.set(shard, (revisions.get(shard) ?? 0) + 1);
      changed ||= judged;
      const isDone = commits.length < COMMITS_AT_ONCE && horizon < closed + MINUTES_AT_ONCE;
      if (!isDone) await slots.flush();
      if (isDone || signal?.aborted === true) return changed;
    }
  };

  const flush = async (): Promise<void> => {
    for (const slots of shards.values()) await slots.flush();
    flushedAt = clock.monotonic();
  };

  /** What failed half-way is made again from what was flushed. */
  const orForget = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      for (const slots of shards.values()) slots.forget();
      throw error;
    }
  };

  const beat = (): Promise<boolean> =>
    orForget(async () => {
      const ground = await advance();
      let changed = false;
      for (const [shard, slots] of shards) changed = (await beatShard(ground, shard, slots)) || changed;
      if (clock.monotonic() - flushedAt >= FLUSH_EVERY_MS) await flush();
      for (const slots of shards.values()) if (slots.hasPast || slots.owes) await slots.flush();
      return changed;
    });

  /** What stands of a monitor's minute, where nobody can make it again. */
  const counted = (slots: ShardSlots, monitor: string, minute: number): Promise<Why['slot']> =>
    store.read(slots.shard, async (tx) => {
      const day = dayOfMinute(minute);
      await slots.settle(tx, 'slots', monitor);
      const block = await slots.blocks.get(tx, 'slots', day, monitor);
      const byte = block && decodeDay(block).get('')?.slots[minute % MINUTES_PER_DAY];
      const state = slotOfByte(byte ?? 0)?.state ?? 'unknown';
      return { minute, state, because: `${state}, as it was counted; ${GONE}` };
    });

  return {
    beat: () => alone(beat),
    owes: () => [...shards.values()].some((slots) => slots.owes),
    flush: () => alone(() => orForget(flush)),
    revision: (shard) => revisions.get(shard) ?? 0,
    ground: () => alone(advance),
    async shardsOf(service) {
      if (configs.length === 0) await alone(advance);
      return ever.of(service);
    },
    closed: (shard) =>
      alone(async () => {
        const own = shards.get(shard);
        if (own?.isOpen === true) return own.closed;
        const row = await store.read(shard, (tx) => tx.getState('slots', 'all'));
        return (row?.value as { readonly closed: number } | undefined)?.closed;
      }),
    changes: (shard, view, period) => shards.get(shard)?.blocks.changes(view, period) ?? 0,
    block: (shard, view, period, subject) =>
      alone(() =>
        store.read(shard, async (tx) => {
          const slots = shards.get(shard);
          if (slots === undefined) return unfollowed.get(tx, view, period, subject);
          await slots.settle(tx, view, subject);
          return slots.blocks.get(tx, view, period, subject);
        }),
      ),
    blocks: (shard, view, from, to, subject) =>
      alone(() =>
        store.read(shard, async (tx) => {
          const slots = shards.get(shard);
          if (slots === undefined) return unfollowed.list(tx, view, from, to, subject);
          await slots.settle(tx, view, subject);
          return slots.blocks.list(tx, view, from, to, subject);
        }),
      ),
    monitorSlot: (monitor, asked) =>
      alone(async () => {
        await beat();
        // Each that it was ever in reads all of its bodies.
        const name = ever.of(monitorParts(monitor).service).find((shard) => shards.has(shard));
        const slots = shards.get(name ?? '');
        if (slots === undefined) return undefined;
        const { windows, rosterOf } = slots.standpoint();
        const minute = completeMinute(windows, monitor, asked, lastClosed(clock.now()));
        const window = windows.at(monitor, minute);
        if (window === undefined) return undefined;
        const tallies = await slots.talliesOf(window);
        if (tallies.isGone(window)) return counted(slots, monitor, minute);
        const regions = judgeRegions(tallies, rosterOf, window);
        const { state } = judgeAll(window, regions);
        const needed = quorumOf(regions.length, window.monitor.quorum);
        const quorum = { needed, regions: regions.length };
        return { minute, state, because: whySlot(regions, state), quorum };
      }),
  };
}
