/** The loop that follows the commits: tallies by minute, and from them the slots of every minute that has closed. */
import { monitorParts } from '@highwater/config/domain.ts';
import type { RegionJudgement } from '@highwater/config/proof/rule/region.ts';
import { type Clock, type Instant, minuteOf } from '@highwater/config/time.ts';
import type { Why } from '@highwater/config/wire.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { BlockRow, CommitRow, Store, Tx, View } from '../store/store.ts';
import { openBodies } from '../bodies/bodies.ts';
import { mutex } from '../mutex.ts';
import { LOG_SHARD, shardNameOf, type Watched } from '../watched.ts';
import { evaluateMinutes } from './evaluate-minutes.ts';
import { keepGround, type Ground } from './ground.ts';
import { readCommits, type Intake } from './intake.ts';
import { judgeRegions, judgeWindow } from './judge-window.ts';
import { addLatency } from './latency.ts';
import { addMethods, declaredMethods } from './methods.ts';
import { partOf } from './part.ts';
import { completeMinute, windowFinder, type WindowFinder } from './windows.ts';

/** A minute closes so long after its end: batches are made at its end and shipped at once. */
export const CLOSE_AFTER_MS = 15_000;
const lastClosed = (now: Instant): number => minuteOf(now - CLOSE_AFTER_MS) - 1;
const COMMITS_AT_ONCE = 60;
const MINUTES_AT_ONCE = 240;
/** Longer windows are shown before they are complete. */
const MAX_WAITED_WINDOW = 15;

/** Commits from an index on, as far as the ground knows. */
type ReadPage = (from: number) => Promise<readonly CommitRow[]>;

/** `slots` in each shard. */
interface SlotsState {
  /** The first commit whose lines are not in the tallies yet. */
  readonly next: number;
  /** The last minute that has its slots. */
  readonly closed: number;
}

export interface Slots {
  /** Takes in new commits and closes minutes. Returns whether a slot changed. */
  beat(): Promise<boolean>;
  /** Counts the changes of a shard's slots and latencies since start. */
  revision(shard: string): number;
  /** Places in `methods` that were written after a revision of the shard. */
  methodPlaces(shard: string, after: number): readonly string[];
  /**
   * What the rule says of a monitor in a minute, from all commits so far; for one that is not over, in the last that
   * is. Undefined when it was not configured.
   */
  monitorSlot(monitor: string, minute: number): Promise<Why['slot']>;
  /** A block of a view as it is now, flushed or not. */
  block(shard: string, view: View, period: number, subject: string): Promise<Uint8Array | undefined>;
  /** Those of periods [from, to], by period; of one subject or of all. */
  blocks(shard: string, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
  /** Writes what is in memory alone. */
  flush(): Promise<void>;
}

/** The first configuration that has a shard: no batch before it has lines of it that count. */
function firstConfig(ground: Ground, shard: string): Ground['records']['configs'][number] | undefined {
  return ground.records.configs.find(({ config }) =>
    config.services.some((service) => shardNameOf(service) === shard),
  );
}

/** The first minute of a shard that can have slots. */
const firstMinute = (ground: Ground, shard: string): number => firstConfig(ground, shard)?.from ?? Infinity;

/** The last minute up to which all windows that are waited for are complete. */
function closable(
  ground: Ground,
  windows: WindowFinder,
  shard: string,
  closed: number,
  horizon: number,
): number {
  for (let minute = horizon; minute > Math.max(closed, horizon - MAX_WAITED_WINDOW); minute -= 1) {
    const under = ground.timeline.configAt(minute);
    const waiting =
      under !== undefined &&
      partOf(under, shard).monitors.some(({ id }) => {
        const window = windows.at(id, minute);
        return window !== undefined && window.last > horizon && window.last - minute < MAX_WAITED_WINDOW;
      });
    if (!waiting) return minute;
  }
  return Math.max(closed, horizon - MAX_WAITED_WINDOW);
}

/** Closed minutes whose slots the intake may change: whole windows, of the monitors that it is about. */
function touchedMinutes(
  ground: Ground,
  windows: WindowFinder,
  shard: string,
  intake: Intake,
  closed: number,
): Set<number> {
  const touched = new Set<number>();
  const touch = (monitor: string, minute: number): void => {
    const window = windows.at(monitor, minute);
    if (window === undefined) return;
    for (let each = window.first; each <= Math.min(window.last, closed); each += 1) touched.add(each);
  };
  for (const { monitor, minute } of intake.additions) touch(monitor, minute);
  for (const minute of intake.voided) {
    const under = ground.timeline.configAt(minute);
    for (const { id } of under === undefined ? [] : partOf(under, shard).monitors) touch(id, minute);
  }
  return touched;
}

function whySlot(regions: ReadonlyMap<string, RegionJudgement>, state: string): string {
  const said = [...regions].map(
    ([region, { say, cause }]) => `${region}: ${say}${cause ? ` (${cause})` : ''}`,
  );
  return `${state}; ${said.length === 0 ? 'no region had an enrolled probe' : said.join(', ')}`;
}

/** @param signal ends a beat between two pages of commits: what is left is for the next one that opens them */
export function openSlots(
  watched: Watched,
  store: Store,
  blobs: Blobs,
  clock: Clock,
  signal?: AbortSignal,
): Slots {
  const keeper = keepGround(store);
  const bodies = openBodies(store, blobs);
  const alone = mutex();
  const declared = declaredMethods(watched);
  const revisions = new Map<string, number>();
  /** By shard, the places in `methods` and the revision that wrote them last. */
  const placesWritten = new Map<string, Map<string, number>>();
  let finder: { ground: Ground['timeline']; windows: WindowFinder } | undefined;

  const windowsOf = (ground: Ground): WindowFinder => {
    if (finder?.ground !== ground.timeline) {
      finder = { ground: ground.timeline, windows: windowFinder(ground.timeline) };
    }
    return finder.windows;
  };

  const write = async (
    tx: Tx,
    ground: Ground,
    shard: string,
    intake: Intake,
    next: number,
    now: number,
  ): Promise<{ changed: boolean; more: boolean; places: readonly string[] }> => {
    const windows = windowsOf(ground);
    const row = await tx.getState('slots', 'all');
    const before = row?.value as SlotsState | undefined;
    const closed = before?.closed ?? firstMinute(ground, shard) - 1;
    for (const { monitor, key, minute, entries } of intake.additions) {
      await tx.addTally(monitor, key, minute, entries);
    }
    await addLatency(tx, watched, intake.additions, now);
    const places = await addMethods(tx, watched, declared, intake.additions, now);
    const horizon = Math.min(lastClosed(now), closed + MINUTES_AT_ONCE);
    const until = horizon > closed ? closable(ground, windows, shard, closed, horizon) : closed;
    const minutes = touchedMinutes(ground, windows, shard, intake, closed);
    for (let minute = closed + 1; minute <= until; minute += 1) minutes.add(minute);
    const changed = await evaluateMinutes(
      tx,
      ground,
      windows,
      shard,
      [...minutes].sort((a, b) => a - b),
    );
    if (next !== (before?.next ?? 0) || (until !== closed && Number.isFinite(until))) {
      await tx.putState('slots', 'all', row?.version ?? 0, { next, closed: until });
    }
    return { changed, more: horizon === closed + MINUTES_AT_ONCE, places };
  };

  const revised = (shard: string, places: readonly string[]): void => {
    const revision = (revisions.get(shard) ?? 0) + 1;
    revisions.set(shard, revision);
    const written = placesWritten.get(shard) ?? new Map<string, number>();
    placesWritten.set(shard, written);
    for (const place of places) written.set(place, revision);
  };

  /** For one beat: the shards have come equally far, so that one page is read for all of them. */
  const pages = (ground: Ground): ReadPage => {
    let last: { from: number; commits: readonly CommitRow[] } | undefined;
    return async (from) => {
      if (last?.from === from) return last.commits;
      const all = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(from, COMMITS_AT_ONCE));
      last = { from, commits: all.filter((commit) => commit.index < ground.next) };
      return last.commits;
    };
  };

  const beatShard = async (ground: Ground, page: ReadPage, shard: string): Promise<boolean> => {
    const isOurs = (service: string): boolean => watched.shardOf.get(service) === shard;
    let changed = false;
    for (;;) {
      const state = (await store.read(shard, (tx) => tx.getState('slots', 'all')))?.value as
        SlotsState | undefined;
      const from = state?.next ?? firstConfig(ground, shard)?.index ?? 0;
      const commits = await page(from);
      const intake = await readCommits(store, bodies, ground, commits, isOurs);
      const next = (commits.at(-1)?.index ?? from - 1) + 1;
      const done = await store.transact(shard, (tx) => write(tx, ground, shard, intake, next, clock.now()));
      changed ||= done.changed;
      if (done.changed || intake.additions.length > 0) revised(shard, done.places);
      if ((commits.length < COMMITS_AT_ONCE && !done.more) || signal?.aborted === true) return changed;
    }
  };

  const beat = async (): Promise<boolean> => {
    const ground = await keeper.advance();
    const page = pages(ground);
    let changed = false;
    for (const shard of watched.shards.keys()) changed = (await beatShard(ground, page, shard)) || changed;
    return changed;
  };

  return {
    block: (shard, view, period, subject) => store.read(shard, (tx) => tx.block(view, period, subject)),
    blocks: (shard, view, from, to, subject) => store.read(shard, (tx) => tx.blocks(view, from, to, subject)),
    flush: async () => undefined,
    beat: () => alone(beat),
    revision: (shard) => revisions.get(shard) ?? 0,
    methodPlaces: (shard, after) =>
      [...(placesWritten.get(shard) ?? [])].flatMap(([place, at]) => (at > after ? [place] : [])),
    monitorSlot: (monitor, asked) =>
      alone(async () => {
        await beat();
        const ground = await keeper.advance();
        const windows = windowsOf(ground);
        const minute = completeMinute(windows, monitor, asked, lastClosed(clock.now()));
        const window = windows.at(monitor, minute);
        const shard = watched.shardOf.get(monitorParts(monitor).service);
        if (window === undefined || shard === undefined) return undefined;
        const rows = await store.read(shard, (tx) => tx.tallies(monitor, window.first, window.last));
        const { state } = judgeWindow(ground, window, rows);
        return { minute, state, because: whySlot(judgeRegions(ground, window, rows), state) };
      }),
  };
}
