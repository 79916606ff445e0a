/** The loop that follows the frames: each shard takes its lines in, once, in one transaction with its cursor. */
import type { Clock, Instant } from '@highwater/config/time.ts';
import { noCover } from '../decide/maintenance.ts';
import type { Answer, Cover, ProbeTrouble } from '../decide/types.ts';
import type { FrameRow, Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { saidIn } from './answers.ts';
import { judgeShard, type Occasion } from './judge.ts';
import { turnsIn } from './looks.ts';
import { cursorOf, keptShard, loadShard, newShard, saveShard, type Shard } from './shard.ts';

/** Frames taken up at once. */
const FRAMES_AT_ONCE = 200;
/** A shard without lines of its own lets its cursor fall behind by so many frames. */
const CURSOR_SLACK = 500;
/**
 * A shard that is further behind the others than this was not watched when they were: what was said meanwhile is not of
 * its monitors. It begins so many frames before where the others stand, for what has moved there from another shard.
 */
const BEGIN_FRAMES = 1_000;
/** Judgings within one millisecond may run ahead of the clock by so much. */
const MAX_AHEAD_MS = 1_000;

export interface Live {
  readonly shards: ReadonlyMap<string, Shard>;
  /** Position of the last frame that every shard has taken in. */
  position(): number;
  /** Takes in what has come and what is due. Returns whether anything changed, and whether there is more. */
  beat(): Promise<{ readonly changed: boolean; readonly more: boolean }>;
}

export interface LiveOptions {
  readonly watched: Watched;
  readonly store: Store;
  readonly clock: Clock;
  readonly startedAt: Instant;
  /** What is under maintenance at an instant: the same object while that is the same. */
  readonly maintained?: (now: Instant) => Cover;
  /** Called after each commit that added flips to a shard. */
  readonly flipped: (shard: string) => void;
  /** Called after each commit with the answers that are other than what their probes said before. */
  readonly turned: (shard: Shard, turns: readonly Answer[]) => void;
}

/** By shard, with the positions of the frames that said it. */
interface Split {
  readonly answers: Map<string, (Answer & { pos: number })[]>;
  readonly troubles: Map<string, (ProbeTrouble & { pos: number })[]>;
}

function byShard(watched: Watched, frames: readonly FrameRow[]): Split {
  const split: Split = { answers: new Map(), troubles: new Map() };
  const put = <T extends { readonly monitor: string }>(
    into: Map<string, (T & { pos: number })[]>,
    each: T,
    pos: number,
  ): void => {
    const shard = watched.shardOf.get(watched.monitors.get(each.monitor)?.service ?? '');
    if (shard === undefined) return;
    const own = into.get(shard) ?? [];
    own.push({ ...each, pos });
    into.set(shard, own);
  };
  for (const frame of frames) {
    const { answers, troubles } = saidIn(watched, frame);
    for (const answer of answers) put(split.answers, answer, frame.pos);
    for (const trouble of troubles) put(split.troubles, trouble, frame.pos);
  }
  return split;
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
  const furthest = Math.max(0, ...shards.map(cursorOf));
  const stands = furthest > 0 ? furthest : await store.read(LOG_SHARD, (tx) => tx.lastFramePos());
  for (const shard of shards) {
    if (stands - cursorOf(shard) > BEGIN_FRAMES) shard.cursor.set('frames', stands - BEGIN_FRAMES);
  }
}

/** Loads every shard and judges it anew: the configuration, or the time, may have changed meanwhile. */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { watched, store, clock } = options;
  const shards = new Map<string, Shard>();
  let position = 0;

  /** By shard, the maintenance that its words were last said under. */
  const saidUnder = new Map<Shard, Cover>();
  const maintained = options.maintained ?? (() => noCover);

  const judge = async (shard: Shard, said: Omit<Occasion, 'maintained'>, cursor: number): Promise<void> => {
    const now = timeAfter(shard.judgedAt, clock.now());
    shard.judgedAt = now;
    const occasion = { ...said, maintained: maintained(now) };
    const turns = turnsIn(watched, shard, occasion.answers);
    try {
      const flips = await store.transact(shard.name, async (tx) => {
        const services = watched.shards.get(shard.name) ?? [];
        const made = judgeShard(watched, services, shard, occasion, options.startedAt, now);
        if (cursorOf(shard) !== cursor) shard.cursor.set('frames', cursor);
        await saveShard(tx, shard);
        for (const flip of made) await tx.addFlip(flip);
        return made;
      });
      keptShard(shard);
      if (occasion.woken === 'all') shard.isNew = false;
      if (flips.length > 0) options.flipped(shard.name);
      options.turned(shard, turns);
    } catch (error) {
      await loadShard(store, shard);
      throw error;
    }
  };

  for (const name of watched.shards.keys()) {
    const shard = newShard(name);
    await loadShard(store, shard);
    await prune(options, shard);
    shards.set(name, shard);
  }
  await catchUp(store, [...shards.values()]);
  const cursors = [...shards.values()].map(cursorOf);
  position = cursors.length === 0 ? 0 : Math.min(...cursors);

  const takeFrames = async (): Promise<number> => {
    const frames = await store.read(LOG_SHARD, (tx) => tx.framesAfter(position, FRAMES_AT_ONCE));
    const last = frames.at(-1)?.pos;
    if (last === undefined) return 0;
    const split = byShard(watched, frames);
    // Together: the store commits what is asked for at once in one go.
    await settled(
      [...shards.values()].map(async (shard) => {
        const isNew = ({ pos }: { readonly pos: number }): boolean => pos > cursorOf(shard);
        const answers = (split.answers.get(shard.name) ?? []).filter(isNew);
        const troubles = (split.troubles.get(shard.name) ?? []).filter(isNew);
        if (answers.length + troubles.length === 0 && last - cursorOf(shard) < CURSOR_SLACK) return;
        await judge(shard, { answers, troubles, woken: new Set() }, Math.max(last, cursorOf(shard)));
      }),
    );
    position = last;
    return frames.length;
  };

  /** Judges what is due by time: answers gone stale, and all of a shard that was loaded. */
  const wake = async (): Promise<number> => {
    let woken = 0;
    await settled(
      [...shards.values()].map(async (shard) => {
        const now = clock.now();
        const due = [shard.monitors, shard.nodes, shard.services].flatMap((rows) => rows.due(now));
        const cover = maintained(now);
        const services = watched.shards.get(shard.name) ?? [];
        if (saidUnder.get(shard) !== cover) due.push(...services.map(({ id }) => id));
        if (due.length === 0 && !shard.isNew) return;
        await judge(shard, { answers: [], woken: shard.isNew ? 'all' : new Set(due) }, cursorOf(shard));
        saidUnder.set(shard, cover);
        woken += 1;
      }),
    );
    return woken;
  };

  while ((await takeFrames()) > 0);
  await wake();

  return {
    shards,
    position: () => position,
    async beat() {
      const taken = await takeFrames();
      const woken = await wake();
      return { changed: taken + woken > 0, more: taken === FRAMES_AT_ONCE };
    },
  };
}
