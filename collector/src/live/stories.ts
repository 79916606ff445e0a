/** The loop that follows the flips of all shards into incidents, and the probes' silences; it writes the feed. */
import type { Flip, Incident } from '@highwater/config/domain.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import { noIncidents, track, wakeAt, type Incidents } from '../decide/incident.ts';
import { noCover } from '../decide/maintenance.ts';
import {
  listen,
  listenedSince,
  type Heard,
  type Listening,
  type Silences,
  type SilenceEffect,
} from '../decide/silence.ts';
import type { Cover, IncidentEffect, IncidentEvent } from '../decide/types.ts';
import { carryOut } from '../effects.ts';
import type { HeardBook } from '../ingest/heard.ts';
import type { EnrolledState } from '../leaves/leaves.ts';
import { step, type Stepped } from '../step.ts';
import type { FlipRow, Store, Tx } from '../store/store.ts';
import { HOUSE_SHARD, LOG_SHARD, type Watched } from '../watched.ts';

const FLIPS_AT_ONCE = 200;

function incidentStep(watched: Watched): Stepped<Incidents, IncidentEvent, IncidentEffect> {
  return {
    core: 'incidents',
    initial: noIncidents,
    decide: track(watched.topology),
    wakeAt,
    outbox: ({ type, incident }) => ({ kind: 'feed', payload: { type: `incident.${type}`, incident } }),
  };
}

function silenceStep(): Stepped<Silences, Listening, SilenceEffect> {
  return {
    core: 'silences',
    initial: {},
    decide: listen,
    // Every beat looks at the probes anyway.
    wakeAt: () => null,
    outbox: ({ type, probe, region, since }) => ({
      kind: 'feed',
      payload: { type: `probe.${type}`, probe, region, ...(type === 'silent' ? { since } : {}) },
    }),
  };
}

/** Keeps the newest text of every incident that a decision touched: history outlives the decision's memory. */
async function keepIncidents(tx: Tx, effects: readonly IncidentEffect[]): Promise<void> {
  const newest = new Map(effects.map(({ incident }) => [incident.id, incident]));
  for (const [id, incident] of newest) {
    const row = await tx.getState('incident', id);
    await tx.putState('incident', id, row?.version ?? 0, incident);
  }
}

/** When each enrolled probe was last heard; one that never was counts from its enrolment. */
export async function heardProbes(store: Store, book: Pick<HeardBook, 'of'>): Promise<Heard> {
  return store.read(LOG_SHARD, async (tx) => {
    const heard: Record<string, { region: string; at: Instant }> = {};
    for (const { key, value } of await tx.listState('enrolled')) {
      const { region, at } = value as EnrolledState;
      heard[key] = { region, at: Math.max(at, book.of(key)?.at ?? 0) };
    }
    return heard;
  });
}

/** All incidents that were ever told, in no order. */
export async function allIncidents(store: Store): Promise<Incident[]> {
  const rows = await store.read(HOUSE_SHARD, (tx) => tx.listState('incident'));
  return rows.map((row) => row.value as Incident);
}

/** Flips that one look gave, in order: their ids begin with its time. */
function byLook(flips: readonly FlipRow[]): Flip[][] {
  const looks = Map.groupBy(flips, (flip) => flip.id.slice(0, flip.id.indexOf('~')));
  return [...looks.values()].map((look) => look.map(({ seq: _, ...flip }) => flip));
}

export interface Stories {
  /** Follows up on everything that has happened. Returns whether an event went into the feed. */
  beat(): Promise<boolean>;
}

/** Since when this process listens to probes: a new configuration is no new beginning. */
export interface Hearing {
  listened?: ReturnType<typeof listenedSince>;
}

/**
 * @param flipped shards that may have flips which were not followed up; taken out when they were
 * @param maintained what is under maintenance at an instant: the same object while that is the same
 */
export function openStories(
  watched: Watched,
  store: Store,
  clock: Clock,
  log: Logger,
  flipped: Set<string>,
  hearing: Hearing,
  heard: Pick<HeardBook, 'of'>,
  maintained: (now: Instant) => Cover = () => noCover,
): Stories {
  const tracking = incidentStep(watched);
  /** A changed topology shows by a tick; after a restart one is due in any case. */
  let tickedOnce = false;
  /** What begins or ends under maintenance may be told, or not any more. */
  let tickedUnder: Cover | undefined;

  /** Returns whether there may be more. */
  const follow = async (shard: string): Promise<boolean> => {
    const cursor = await store.read(HOUSE_SHARD, (tx) => tx.getState('follow', shard));
    const seen = Number(cursor?.value ?? 0);
    const flips = await store.read(shard, (tx) => tx.flipsAfter(seen, FLIPS_AT_ONCE));
    const last = flips.at(-1)?.seq;
    if (last === undefined) return false;
    await store.transact(HOUSE_SHARD, async (tx) => {
      for (const together of byLook(flips)) {
        const now = clock.now();
        const event = { type: 'flips', flips: together, maintained: maintained(now) } as const;
        const { effects } = await step(tx, tracking, 'all', event, now);
        await keepIncidents(tx, effects);
      }
      await tx.putState('follow', shard, cursor?.version ?? 0, last);
    });
    return flips.length === FLIPS_AT_ONCE;
  };

  /** In the order of the shards, whichever flipped first: the same flips tell the same story. */
  const followAll = async (): Promise<void> => {
    for (const shard of watched.shards.keys()) {
      if (!flipped.delete(shard)) continue;
      let more = true;
      try {
        more = await follow(shard);
      } finally {
        if (more) flipped.add(shard);
      }
    }
  };

  const tick = async (): Promise<void> => {
    const now = clock.now();
    const cover = maintained(now);
    const due = await store.read(HOUSE_SHARD, (tx) => tx.dueState(now, 100));
    const isSame = tickedOnce && tickedUnder === cover;
    if (isSame && !due.some((row) => row.core === tracking.core)) return;
    await store.transact(HOUSE_SHARD, async (tx) => {
      const { effects } = await step(tx, tracking, 'all', { type: 'tick', maintained: cover }, now);
      await keepIncidents(tx, effects);
    });
    tickedOnce = true;
    tickedUnder = cover;
  };

  const hear = async (): Promise<void> => {
    const now = clock.now();
    hearing.listened = listenedSince(hearing.listened, now);
    const listening = { heard: await heardProbes(store, heard), since: hearing.listened.since };
    const row = await store.read(HOUSE_SHARD, (tx) => tx.getState('silences', 'all'));
    const [, effects] = listen((row?.value as Silences | undefined) ?? {}, listening, now);
    if (effects.length === 0) return;
    await store.transact(HOUSE_SHARD, (tx) => step(tx, silenceStep(), 'all', listening, now));
  };

  return {
    async beat() {
      await followAll();
      await tick();
      await hear();
      return (await carryOut(store, HOUSE_SHARD, clock, log)) > 0;
    },
  };
}
