/**
 * From flips to incidents: one story for one cause (CONTRACTS "Live").
 *
 * Troubles that begin together are told together: a down waits `settleMs` for company, a degradation must last
 * `degradedMs`. Then the widest scope that explains them gets the story: a zone, a service, a node. A scope that is
 * completed later takes over the earliest story of its members and ends the others with a word on where they go on.
 * A story ends when the verdict of its scope is up: unknown ends nothing.
 */
import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Places, Subject } from './cause.ts';
import { placesOf } from './cause.ts';
import type { Ended } from './conclude.ts';
import { conclude } from './conclude.ts';
import type { Draft, IncidentPolicy, Incidents, Story, Trouble } from './story.ts';
import {
  accountOf,
  carriedBy,
  change,
  effectsOf,
  isOpen,
  note,
  raiseImpacts,
  titleOf,
  waitMs,
} from './story.ts';
import { keyOf, tell, tellScopes } from './tell.ts';
import type { Core, IncidentEffect, IncidentEvent, Topology } from './types.ts';

export type { IncidentPolicy, Incidents } from './story.ts';

export const incidentPolicy: IncidentPolicy = {
  settleMs: 1_000,
  degradedMs: 60_000,
  togetherMs: 120_000,
  reopenMs: 600_000,
  maxUpdates: 100,
};

export const noIncidents: Incidents = { troubles: {}, stories: {} };

/** When something is to be told that waits now; null when nothing does. */
export function wakeAt(state: Incidents): Instant | null {
  const waiting = Object.values(state.troubles).filter((trouble) => trouble.told === undefined);
  return waiting.length === 0 ? null : Math.min(...waiting.map((trouble) => trouble.tellAt));
}

/**
 * The decision for one topology. A new topology goes on from the old state: hand in a tick, and what is no longer
 * watched is no longer told.
 */
export function track(
  topology: Topology,
  policy: IncidentPolicy = incidentPolicy,
): Core<Incidents, IncidentEvent, IncidentEffect> {
  const places = placesOf(topology);
  return (state, event, now) => {
    const draft = draftOf(topology, places, policy, state, now);
    const ended = forget(draft);
    for (const flip of flipsOf(event)) ended.push(...take(draft, flip));
    conclude(draft, ended);
    tell(draft);
    raiseImpacts(draft);
    const next = {
      troubles: Object.fromEntries([...draft.troubles].sort(bySubject)),
      stories: Object.fromEntries([...draft.stories].sort(bySubject)),
    };
    return [next, effectsOf(draft)];
  };
}

function draftOf(
  topology: Topology,
  places: Places,
  policy: IncidentPolicy,
  state: Incidents,
  now: Instant,
): Draft {
  const lately = ({ incident }: Story) => now - (incident.resolvedAt ?? now) <= policy.reopenMs;
  return {
    topology,
    places,
    policy,
    now,
    troubles: new Map(Object.entries(state.troubles)),
    stories: new Map(Object.entries(state.stories).filter(([, story]) => isOpen(story) || lately(story))),
    effects: new Map(),
  };
}

function bySubject([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

// ------------------------------------------------------------ what is known

/**
 * The newest flip of each subject: of what turned twice at once only the end counts, so that an event handed in again
 * is no news. Unknown says nothing: what was wrong is still taken to be.
 */
function flipsOf(event: IncidentEvent): Flip[] {
  const flips = event.type === 'flips' ? event.flips : [];
  const known = flips.filter((flip) => flip.to !== 'unknown');
  return [...new Map(known.map((flip) => [flip.subject, flip])).values()];
}

/** Drops what is no longer watched. */
function forget(draft: Draft): Ended[] {
  const gone = [...draft.troubles].filter(([subject]) => !draft.places.bySubject.has(subject));
  return gone.map(([subject, trouble]) => end(draft, subject, trouble, 'is no longer watched'));
}

function end(draft: Draft, subject: Subject, trouble: Trouble, how: string): Ended {
  draft.troubles.delete(subject);
  return { subject, story: trouble.told, how };
}

function take(draft: Draft, flip: Flip): Ended[] {
  if (!draft.places.bySubject.has(flip.subject) || flip.to === 'unknown') return [];
  const before = draft.troubles.get(flip.subject);
  if (flip.to === 'up') return before ? [end(draft, flip.subject, before, 'is up again')] : [];
  if (before?.kind === flip.to) {
    draft.troubles.set(flip.subject, { ...before, because: flip.because });
    return [];
  }
  draft.troubles.set(flip.subject, {
    kind: flip.to,
    since: flip.at,
    seenAt: draft.now,
    tellAt: draft.now + waitMs(draft.policy, flip.to),
    because: flip.because,
    ...(before?.told !== undefined && { told: before.told }),
  });
  if (before?.told !== undefined) turn(draft, flip.subject, before.told, flip.to);
  return [];
}

/** What is told already gets worse, or better without being well. */
function turn(draft: Draft, subject: Subject, id: string, kind: Trouble['kind']): void {
  const key = draft.stories.get(id)?.incident.key ?? '';
  if (kind === 'down' && keyOf(subject) === key) change(draft, id, { title: titleOf(draft, key, kind) });
  const left = carriedBy(draft, id).some((s) => draft.troubles.get(s)?.kind === 'down');
  note(draft, id, accountOf(draft, [subject]), left ? 'investigating' : 'monitoring');
  if (kind === 'down') tellScopes(draft);
}
