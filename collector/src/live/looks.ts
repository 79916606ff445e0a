/**
 * The driver of confirmation: notes what turns as frames are judged, and holds for each probe what it is asked to look at
 * until it fetches that. Kept in memory alone: after a restart nothing is asked that was to be, which costs an interval.
 * Frames that are taken in again after it raise the same doubts again only while they are new, within the same budget.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import { maxLookNow } from '@highwater/config/wire.ts';
import { confirm, type Doubt, doubtOf, LATE_AFTER_MS, nothingToConfirm } from '../decide/confirm.ts';
import type { Answer } from '../decide/types.ts';
import type { Watched } from '../watched.ts';
import { type Shard, statusOf } from './shard.ts';

/** An answer whose check was due longer before its receipt than its timeout and this was waiting in a spool, ms. */
const ON_THE_WAY_MS = 10_000;

/** Why nobody looked: the budget was spent, or the probe did not come for it in time. */
export type NotAsked = 'budget' | 'late';

export interface LooksOptions {
  readonly watched: Watched;
  readonly clock: Clock;
  /** Seed of the due times. */
  readonly seed: string;
  /** Something is there for probes to fetch. */
  readonly asked: () => void;
  readonly notAsked: (because: NotAsked, count: number) => void;
}

export interface Looks {
  /** Notes answers that turned, once the verdict with them is made. */
  turned(shard: Shard, turns: readonly Answer[]): void;
  /** Lets through what the budget allows. */
  beat(): void;
  /** What a probe is asked to look at now; it is asked once. */
  take(probe: string): string[];
}

export function openLooks({ watched, clock, seed, asked, notAsked }: LooksOptions): Looks {
  const phases = new Map<string, number>();
  /** By probe, by monitor: from when on it is too late. */
  const held = new Map([...watched.regionOf.keys()].map((probe) => [probe, new Map<string, Instant>()]));
  let state = nothingToConfirm;
  let doubts: Doubt[] = [];

  const doubtAt = (shard: Shard, answer: Answer): Doubt | undefined => {
    const monitor = watched.monitors.get(answer.monitor);
    const policy = watched.policies.get(answer.monitor);
    if (monitor === undefined || policy === undefined) return undefined;
    const { receivedAt, dueAt: wasDueAt } = answer;
    const { intervalMs, timeoutMs, confirm: confirming } = monitor;
    if (clock.now() - receivedAt >= LATE_AFTER_MS || receivedAt - wasDueAt >= timeoutMs + ON_THE_WAY_MS) {
      return undefined;
    }
    const row = shard.monitors.get(answer.monitor);
    const streaks = Object.entries(row?.streaks ?? {});
    const known = {
      policy,
      intervalMs,
      recheckAfterMs: confirming.recheckAfterMs,
      status: statusOf(row),
      newest: Object.fromEntries(streaks.map(([probe, { newest }]) => [probe, newest])),
      regionOf: watched.regionOf,
    };
    return doubtOf(known, answer, clock.monotonic());
  };

  /** Due times go by the wall clock, and the budget by one that is never set. */
  const dueAt = (id: string, probe: string): Instant => {
    const intervalMs = watched.monitors.get(id)?.intervalMs ?? Infinity;
    const key = `${id} ${probe}`;
    const phase = phases.get(key) ?? phaseMs(seed, id, probe, intervalMs, sha256);
    phases.set(key, phase);
    const now = clock.now();
    return clock.monotonic() + nextDueAt(now, phase, intervalMs) - now;
  };

  const dropLate = (own: Map<string, Instant>): void => {
    const now = clock.monotonic();
    const late = [...own].filter(([, lateAt]) => lateAt <= now);
    for (const [monitor] of late) own.delete(monitor);
    if (late.length > 0) notAsked('late', late.length);
  };

  return {
    turned(shard, turns) {
      for (const answer of turns) {
        const doubt = doubtAt(shard, answer);
        if (doubt !== undefined) doubts.push(doubt);
      }
    },
    beat() {
      for (const own of held.values()) dropLate(own);
      const now = clock.monotonic();
      const made = confirm(state, doubts, dueAt, now);
      doubts = [];
      ({ state } = made);
      if (made.dropped > 0) notAsked('budget', made.dropped);
      for (const { monitor, probes } of made.looks) {
        for (const probe of probes) held.get(probe)?.set(monitor, now + LATE_AFTER_MS);
      }
      if (made.looks.length > 0) asked();
    },
    take(probe) {
      const own = held.get(probe);
      if (own === undefined) return [];
      dropLate(own);
      const ids = [...own.keys()].slice(0, maxLookNow);
      for (const id of ids) own.delete(id);
      return ids;
    },
  };
}
