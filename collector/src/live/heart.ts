/**
 * The loop that follows the frames. Each shard takes its lines in, in memory, and is saved with its cursor in one
 * transaction: at once when something has changed that decisions depend on, a flip with it, else now and then. Whoever
 * is killed meanwhile takes the frames since the saved cursor in again, and comes to the same: nothing was decided then.
 */
import type { Flip } from '@highwater/config/domain.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import { noCover } from '../decide/maintenance.ts';
import type { Answer, Cover } from '../decide/types.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { arrivedIn } from './answers.ts';
import { openInboxes } from './inboxes.ts';
import { judgeShard, type Occasion } from './judge.ts';
import type { Arrived, Recent } from './recent.ts';
import { cursorOf, isUnsaved, keptShard, loadShard, newShard, saveShard, type Shard } from './shard.ts';

/** Frames taken up at once. */
const FRAMES_AT_ONCE = 200;
/** What need not be saved at once is saved after so long: what was overwritten meanwhile is never written. */
const SAVE_EVERY_MS = 300_000;
/** So many shards at once, the longest unsaved first: other transactions wait for it. */
const SAVED_AT_ONCE = 8;
/** And at the latest after so many frames, which a second or two take in again. */
const SAVE_FRAMES = 2_000;
/**
 * A shard that is further behind the others than this, which none of them ever is while it is watched, was not watched
 * when they were: what was said meanwhile is not of its monitors.
 */
const UNWATCHED_FRAMES = 5_000;
/** It begins so many frames before where the others stand, for what has moved there from another shard. */
const BEGIN_FRAMES = 1_000;
/** Judgings within one millisecond may run ahead of the clock by so much. */
const MAX_AHEAD_MS = 1_000;

const nothingDue: ReadonlySet<string> = new Set();

export interface Live {
  readonly shards: ReadonlyMap<string, Shard>;
  /** Position of the last frame that every shard has taken in durably: none up to it is needed any more. */
  position(): number;
  /** Takes in what has come and what is due. Returns whether anything changed, and whether there is more. */
  beat(): Promise<{ readonly changed: boolean; readonly more: boolean }>;
  /** Saves all that is in memory; not while a beat runs. */
  rest(): Promise<void>;
}

export interface LiveOptions {
  readonly watched: Watched;
  readonly store: Store;
  readonly clock: Clock;
  readonly startedAt: Instant;
  /** Frames as ingest has read them; without it all are read from the store. */
  readonly recent?: Recent;
  /** What is under maintenance at an instant: the same object while that is the same. */
  readonly maintained?: (now: Instant) => Cover;
  /** Called after each commit that added flips to a shard. */
  readonly flipped: (shard: string) => void;
  /** Called with the answers that are other than what their probes said before, once they are judged. */
  readonly turned: (shard: Shard, turns: readonly Answer[]) => void;
}

/** Waits for all of them, and only then throws what the first that failed threw. */
async function settled(all: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason;
}

/** The time of a judging: the clock's, but later than the last one, unless the clock was set back. */
function timeAfter(last: Instant, now: Instant): Instant {
  return last >= now && last - now < MAX_AHEAD_MS ? last + 1 : now;
}

/** Forgets what the configuration no longer has. */
async function prune(options: LiveOptions, shard: Shard): Promise<void> {
  const { watched, store } = options;
  const services = watched.shards.get(shard.name) ?? [];
  const nodes = new Set(
    services.flatMap((s) => [...s.nodes.map((n) => n.id), 'public'].map((n) => `${s.id}/${n}`)),
  );
  const ids = new Set(services.map((service) => service.id));
  await store.transact(shard.name, async (tx) => {
    for (const [id] of [...shard.monitors.entries()]) {
      if (!watched.monitors.has(id)) await shard.monitors.remove(tx, id);
    }
    for (const [key, streak] of [...shard.streaks.entries()]) {
      if (!watched.monitors.has(streak.newest.monitor)) await shard.streaks.remove(tx, key);
    }
    for (const [id] of [...shard.nodes.entries()]) if (!nodes.has(id)) await shard.nodes.remove(tx, id);
    for (const [id] of [...shard.services.entries()]) if (!ids.has(id)) await shard.services.remove(tx, id);
  });
}

/** Lets shards that were not watched begin where the others stand; all of them at the newest frames when none was. */
async function catchUp(store: Store, shards: readonly Shard[]): Promise<void> {
  const known = shards.filter(({ cursor }) => cursor.get('frames') !== undefined);
  const stands =
    known.length > 0
      ? Math.max(...known.map(cursorOf))
      : await store.read(LOG_SHARD, (tx) => tx.lastFramePos());
  for (const shard of shards) {
    if (known.includes(shard) && stands - cursorOf(shard) <= UNWATCHED_FRAMES) continue;
    shard.cursor.set('frames', Math.max(0, stands - BEGIN_FRAMES));
  }
}

/** Loads every shard and judges it anew: the configuration, or the time, may have changed meanwhile. */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { watched, store, clock, recent } = options;
  const shards = new Map<string, Shard>();
  const savedAt = new Map<Shard, Instant>();
  let position = 0;

  /** By shard, the maintenance that its words were last said under. */
  const saidUnder = new Map<Shard, Cover>();
  const maintained = options.maintained ?? (() => noCover);

  /** What failed half way is in the store as it was: those frames are taken in again. */
  const orAgain = async <T>(shard: Shard, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await loadShard(store, shard);
      position = Math.min(position, cursorOf(shard));
      throw error;
    }
  };

  const save = async (shard: Shard, flips: readonly Flip[]): Promise<void> => {
    await store.transact(shard.name, async (tx) => {
      await saveShard(tx, shard);
      for (const flip of flips) await tx.addFlip(flip);
    });
    keptShard(shard);
    savedAt.set(shard, clock.monotonic());
  };

  const judge = (shard: Shard, said: Omit<Occasion, 'maintained' | 'turned'>): Promise<void> =>
    orAgain(shard, async () => {
      const now = timeAfter(shard.judgedAt, clock.now());
      shard.judgedAt = now;
      const turns: Answer[] = [];
      const occasion = {
        ...said,
        maintained: maintained(now),
        turned: (answer: Answer) => turns.push(answer),
      };
      const services = watched.shards.get(shard.name) ?? [];
      const flips = judgeShard(watched, services, shard, occasion, options.startedAt, now);
      if (flips.length > 0 || shard.isUrgent || said.woken === 'all') await save(shard, flips);
      if (said.woken === 'all') shard.isNew = false;
      if (flips.length > 0) options.flipped(shard.name);
      options.turned(shard, turns);
    });

  for (const name of watched.shards.keys()) {
    const shard = newShard(name);
    await loadShard(store, shard);
    await prune(options, shard);
    shards.set(name, shard);
    savedAt.set(shard, clock.monotonic());
  }
  await catchUp(store, [...shards.values()]);
  position = shards.size === 0 ? 0 : Math.min(...[...shards.values()].map(cursorOf));
  const inboxes = openInboxes(watched, shards);

  const nextFrames = async (): Promise<readonly Arrived[]> => {
    const handed = recent?.after(position, FRAMES_AT_ONCE) ?? [];
    if (handed.length > 0) return handed;
    const rows = await store.read(LOG_SHARD, (tx) => tx.framesAfter(position, FRAMES_AT_ONCE));
    return rows.map(arrivedIn);
  };

  /** What is to be looked at because of the time: answers gone stale, maintenance, and all of a shard that was loaded. */
  const dueIn = (shard: Shard, cover: Cover): Occasion['woken'] => {
    if (shard.isNew) return 'all';
    const now = clock.now();
    const due = [shard.monitors, shard.nodes, shard.services].flatMap((rows) => rows.due(now));
    const services = watched.shards.get(shard.name) ?? [];
    if (saidUnder.get(shard) !== cover) due.push(...services.map(({ id }) => id));
    return due.length === 0 ? nothingDue : new Set(due);
  };

  const takeFrames = async (): Promise<number> => {
    const frames = await nextFrames();
    const last = frames.at(-1)?.pos;
    if (last === undefined) return 0;
    inboxes.take(frames);
    position = last;
    // With the newest frames what is due by time is judged too, at one time with them: whoever takes frames in again
    // after a kill touches more monitors with them, and must not date what it comes to otherwise.
    const areNewest = frames.length < FRAMES_AT_ONCE;
    // Together: the store commits what is asked for at once in one go.
    await settled(
      inboxes.all.map(async ({ shard, answers, troubles }) => {
        if (cursorOf(shard) >= last) return;
        shard.cursor.set('frames', last);
        if (answers.length + troubles.length === 0) return;
        if (!areNewest) return judge(shard, { answers, troubles, woken: nothingDue });
        const cover = maintained(clock.now());
        await judge(shard, { answers, troubles, woken: dueIn(shard, cover) });
        saidUnder.set(shard, cover);
      }),
    );
    return frames.length;
  };

  /** Judges what is due by time. */
  const wake = async (): Promise<number> => {
    let woken = 0;
    await settled(
      [...shards.values()].map(async (shard) => {
        const cover = maintained(clock.now());
        const due = dueIn(shard, cover);
        if (due !== 'all' && due.size === 0) return;
        await judge(shard, { answers: [], woken: due });
        saidUnder.set(shard, cover);
        woken += 1;
      }),
    );
    return woken;
  };

  /** Saves what could be made again from the frames, so that they are not too many. */
  const saveDue = async (): Promise<void> => {
    const now = clock.monotonic();
    const unsaved = [...shards.values()].filter(isUnsaved);
    const isFar = (shard: Shard): boolean => cursorOf(shard) - shard.savedCursor >= SAVE_FRAMES;
    const waited = (shard: Shard): number => now - (savedAt.get(shard) ?? -Infinity);
    const old = unsaved
      .filter((shard) => !isFar(shard) && waited(shard) >= SAVE_EVERY_MS)
      .toSorted((a, b) => waited(b) - waited(a));
    const due = [...unsaved.filter(isFar), ...old.slice(0, SAVED_AT_ONCE)];
    await settled(due.map((shard) => orAgain(shard, () => save(shard, []))));
  };

  while ((await takeFrames()) > 0) await saveDue();
  await wake();

  return {
    shards,
    position: () =>
      shards.size === 0 ? 0 : Math.min(...[...shards.values()].map(({ savedCursor }) => savedCursor)),
    async beat() {
      const taken = await takeFrames();
      const woken = await wake();
      await saveDue();
      return { changed: taken + woken > 0, more: taken === FRAMES_AT_ONCE };
    },
    async rest() {
      await settled(
        [...shards.values()].filter(isUnsaved).map((shard) => orAgain(shard, () => save(shard, []))),
      );
    },
  };
}
