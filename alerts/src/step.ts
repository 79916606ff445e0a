/** The driver: where decisions meet the store. Each call is one transaction's worth of work. */
import type { Logger } from 'pino';
import type { Incident } from '@highwater/config/domain.ts';
import { alarmId } from '@highwater/config/alarm.ts';
import type { Policy } from '@highwater/config/model.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Alarm, FeedEvent } from '@highwater/config/wire.ts';
import { alarmOver, alarmRaised } from './decide/alarm.ts';
import { escalate, newLadder, reroute, wakeAt } from './decide/escalate.ts';
import type { Acknowledgement, Ladder, LadderEvent, Send } from './decide/ladder.ts';
import { isOwn } from './decide/route.ts';
import { render } from './render.ts';
import { renderReport } from './report.ts';
import type { Place } from './render.ts';
import type { Pending, Store } from './store.ts';

export type Driver = ReturnType<typeof makeDriver>;

export function makeDriver(
  store: Store,
  policies: readonly Policy[],
  place: Place,
  log: Logger,
  reportsTo: readonly string[] = [],
) {
  const decide = escalate(policies);

  function save(ladder: Ladder, sends: readonly Send[], now: Instant): void {
    for (const send of sends) {
      const { incident, acknowledged } = ladder;
      const story = { incident, send, at: now, ...(acknowledged ? { acknowledged } : {}) };
      store.enqueue(send.channel, render(story, place), now);
      log.info({
        event: 'alert.decided',
        incident: incident.id,
        channel: send.channel,
        why: send.why,
        because: send.because,
        key: send.key,
      });
    }
    store.saveLadder(ladder, wakeAt(policies, ladder), now);
  }

  function take(id: string, event: LadderEvent, fresh: Incident | undefined, now: Instant): void {
    const at = 'at' in event ? Math.min(event.at, now) : now;
    const ladder = store.ladder(id) ?? (fresh ? newLadder(fresh, at) : undefined);
    if (ladder === undefined) return;
    save(...decide(ladder, event, now), now);
  }

  return {
    /** An incident's event, of the feed or of our own. One that ends without having been known is left out. */
    incident(event: Extract<LadderEvent, { incident: Incident }>, now: Instant): void {
      take(event.incident.id, event, event.type === 'resolved' ? undefined : event.incident, now);
    },
    /** One event of the feed. Call it within the transaction that moves the cursor. */
    handle(event: FeedEvent, now: Instant): void {
      switch (event.type) {
        case 'incident.opened':
          return this.incident({ type: 'opened', incident: incidentOf(event.incident), at: event.at }, now);
        case 'incident.updated':
          return this.incident({ type: 'updated', incident: incidentOf(event.incident), at: event.at }, now);
        case 'incident.reopened':
          return this.incident({ type: 'reopened', incident: incidentOf(event.incident), at: event.at }, now);
        case 'incident.resolved':
          return this.incident({ type: 'resolved', incident: incidentOf(event.incident), at: event.at }, now);
        case 'alert.acknowledged': {
          const { incidentId, by, at } = event;
          store.acknowledge(incidentId, by, at);
          return this.acknowledged(incidentId, { by, at }, now);
        }
        case 'probe.silent': {
          const { probe, region, since } = event;
          log.warn({ event: 'probe.silent', probe, region, since });
          return store.probeSilent({ probe, region, since });
        }
        case 'probe.heard':
          log.info({ event: 'probe.heard', probe: event.probe, region: event.region });
          return store.probeHeard(event.probe);
        case 'alarm.raised':
          log.warn({ event: 'alarm.raised', key: event.alarm.key, title: event.alarm.title });
          return this.alarm(event.alarm, event.at, now);
        case 'alarm.cleared': {
          log.info({ event: 'alarm.cleared', key: event.key });
          const told = store.ladder(alarmId(event.key))?.incident;
          if (told === undefined || told.phase === 'resolved') return;
          return this.incident(alarmOver(told, event.at), now);
        }
        case 'report.published':
          log.info({ event: 'report.published', month: event.month, revision: event.revision });
          for (const channel of reportsTo)
            store.enqueue(channel, renderReport(event, channel, place, event.at), now);
          return;
      }
    },
    /** An alarm that the collector has raised; one that came back goes on in the messages that it had. */
    alarm(alarm: Alarm, at: Instant, now: Instant): void {
      const known = store.ladder(alarmId(alarm.key));
      // Read twice (a feed that is begun again), it is the same one.
      if (known?.state === 'open' && known.incident.startedAt === at) return;
      this.incident(alarmRaised(alarm, at), now);
    },
    acknowledged(id: string, { by, at }: Acknowledgement, now: Instant): void {
      take(id, { type: 'acknowledged', by, at }, undefined, now);
    },
    /**
     * Another history of the feed has begun: what is open here and not there will have no end of its own. It is
     * told as over, with the reason, since repeats for ever would be the other choice.
     */
    forgotten(open: ReadonlySet<string>, now: Instant): void {
      for (const { incident } of store.openLadders()) {
        if (isOwn(incident) || open.has(incident.id)) continue;
        this.incident({ type: 'resolved', at: now, incident: notKnownAnyMore(incident, now) }, now);
      }
    },
    /** What time alone makes due. */
    tick(now: Instant): void {
      for (const ladder of store.dueLadders(now)) take(ladder.incident.id, { type: 'tick' }, undefined, now);
    },
    /** At start: policies may have changed while this process was away. */
    review(now: Instant): void {
      for (const ladder of store.openLadders()) take(ladder.incident.id, { type: 'tick' }, undefined, now);
    },
    /** A message that a channel will not deliver; states are not passed on, as the next message has them. */
    undelivered(
      pending: Pending,
      channel: string,
      why: string,
      working: readonly string[],
      now: Instant,
    ): void {
      const ladder = store.ladder(pending.thread);
      if (ladder === undefined || pending.message.reason === 'changed') return;
      save(...reroute(ladder, { channel, why }, working, now), now);
    },
  };
}

function notKnownAnyMore(incident: Incident, at: Instant): Incident {
  const body =
    'The collector does not know of it any more: its store was restored from a backup or made anew. What lasts is found again.';
  const update = { id: `${incident.id}-${at}-forgotten`, at, phase: 'resolved' as const, body };
  return {
    ...incident,
    phase: 'resolved',
    updatedAt: at,
    resolvedAt: at,
    updates: [...incident.updates, update],
  };
}

/** The wire's form of an incident may have `undefined` where the domain's has nothing. */
export function incidentOf(wire: Extract<FeedEvent, { type: 'incident.opened' }>['incident']): Incident {
  const { resolvedAt, mergedInto, ...rest } = wire;
  return {
    ...rest,
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
    ...(mergedInto === undefined ? {} : { mergedInto }),
  };
}
