/** The loop that follows the frames: each shard takes its lines in, once, in one transaction with its cursor. */
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import type { Answer } from '../decide/types.ts';
import type { FrameRow, Store } from '../store/store.ts';
import { LOG_SHARD, type Watched } from '../watched.ts';
import { answersOf } from './answers.ts';
import { judgeShard, type Occasion } from './judge.ts';
import { loadShard, newShard, type Shard } from './shard.ts';

/** Frames taken up at once. */
const FRAMES_AT_ONCE = 200;
/** A shard without lines of its own lets its cursor fall behind by so many frames. */
const CURSOR_SLACK = 500;
/** Rows woken at once. */
const WAKES_AT_ONCE = 500;

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
  readonly log: Logger;
  readonly startedAt: Instant;
  /** Called after each commit, with the answers that went in. */
  readonly answered: (answers: readonly Answer[]) => void;
}

function byShard(watched: Watched, frames: readonly FrameRow[]): Map<string, (Answer & { pos: number })[]> {
  const split = new Map<string, (Answer & { pos: number })[]>();
  for (const frame of frames) {
    for (const answer of answersOf(watched, frame)) {
      const shard = watched.shardOf.get(watched.monitors.get(answer.monitor)?.service ?? '');
      if (shard === undefined) continue;
      const own = split.get(shard) ?? [];
      own.push({ ...answer, pos: frame.pos });
      split.set(shard, own);
    }
  }
  return split;
}

/** Waits for all of them, and only then throws what the first that failed threw. */
async function settled(all: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(all)) if (result.status === 'rejected') throw result.reason;
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
    for (const [id] of [...shard.nodes.entries()]) if (!nodes.has(id)) await shard.nodes.remove(tx, id);
    for (const [id] of [...shard.services.entries()]) if (!ids.has(id)) await shard.services.remove(tx, id);
  });
}

/** Loads every shard and judges it anew: the configuration, or the time, may have changed meanwhile. */
export async function openLive(options: LiveOptions): Promise<Live> {
  const { watched, store, clock } = options;
  const shards = new Map<string, Shard>();
  let position = 0;

  const judge = async (shard: Shard, occasion: Occasion, cursor: number): Promise<boolean> => {
    const now = Math.max(clock.now(), shard.judgedAt === clock.now() ? shard.judgedAt + 1 : 0);
    shard.judgedAt = now;
    try {
      const flips = await store.transact(shard.name, async (tx) => {
        const services = watched.shards.get(shard.name) ?? [];
        const made = judgeShard(watched, services, shard, occasion, options.startedAt, now);
        await shard.monitors.save(tx);
        await shard.nodes.save(tx);
        await shard.services.save(tx);
        for (const flip of made) await tx.addFlip(flip);
        const row = await tx.getState('cursor', 'frames');
        if (row?.value !== cursor) await tx.putState('cursor', 'frames', row?.version ?? 0, cursor);
        return made;
      });
      for (const rows of [shard.monitors, shard.nodes, shard.services]) rows.kept();
      shard.cursor = cursor;
      return flips.length > 0;
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
  const cursors = [...shards.values()].map((shard) => shard.cursor);
  position = cursors.length === 0 ? 0 : Math.min(...cursors);

  const takeFrames = async (): Promise<number> => {
    const frames = await store.read(LOG_SHARD, (tx) => tx.framesAfter(position, FRAMES_AT_ONCE));
    const last = frames.at(-1)?.pos;
    if (last === undefined) return 0;
    const split = byShard(watched, frames);
    // Together: the store commits what is asked for at once in one go.
    await settled(
      [...shards.values()].map(async (shard) => {
        const answers = (split.get(shard.name) ?? []).filter((answer) => answer.pos > shard.cursor);
        if (answers.length === 0 && last - shard.cursor < CURSOR_SLACK) return;
        await judge(shard, { answers, woken: new Set() }, Math.max(last, shard.cursor));
        options.answered(answers);
      }),
    );
    position = last;
    return frames.length;
  };

  const wake = async (): Promise<number> => {
    let woken = 0;
    await settled(
      [...shards.values()].map(async (shard) => {
        const due = await store.read(shard.name, (tx) => tx.dueState(clock.now(), WAKES_AT_ONCE));
        if (due.length === 0) return;
        await judge(shard, { answers: [], woken: new Set(due.map((row) => row.key)) }, shard.cursor);
        woken += due.length;
      }),
    );
    return woken;
  };

  while ((await takeFrames()) > 0);
  await settled(
    [...shards.values()].map((shard) => judge(shard, { answers: [], woken: 'all' }, shard.cursor)),
  );

  return {
    shards,
    position: () => position,
    async beat() {
      const taken = await takeFrames();
      const woken = await wake();
      return { changed: taken + woken > 0, more: taken === FRAMES_AT_ONCE || woken >= WAKES_AT_ONCE };
    },
  };
}
