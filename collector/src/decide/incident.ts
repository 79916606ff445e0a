/**
 * From flips to incidents: one story for one cause (CONTRACTS "Live").
 *
 * Troubles that begin together are told together: a down waits `settleMs` for company, a degradation must last
 * `degradedMs`. Then the widest scope that explains them gets the story: a chain, a zone, a service, a node. A scope that is
 * completed later takes over the earliest story of its members and ends the others with a word on where they go on.
 * A story ends when the verdict of its scope is up: unknown ends nothing. A chain's story carries what its heads or
 * forks explain of its services and nodes, and nothing else of them.
 */
import type { Flip } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Subject } from './cause.ts';
import { isChain, placesOf } from './cause.ts';
import type { Ended } from './conclude.ts';
import { conclude } from './conclude.ts';
import { hold, letGo, tellAtOf } from './hold.ts';
import { noCover } from './maintenance.ts';
import type { Draft, IncidentPolicy, Incidents, Story, Trouble } from './story.ts';
import {
  accountOf,
  carriedBy,
  change,
  effectsOf,
  isOfChain,
  isOpen,
  note,
  raiseImpacts,
  release,
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
  return waiting.length === 0 ? null : Math.min(...waiting.map(tellAtOf));
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
    const draft = draftOf({ topology, places, policy, now, maintained: event.maintained ?? noCover }, state);
    const ended = forget(draft);
    letGo(draft);
    for (const flip of flipsOf(event)) ended.push(...take(draft, flip));
    conclude(draft, ended);
    tell(draft);
    raiseImpacts(draft);
    hold(draft);
    const next = {
      troubles: Object.fromEntries([...draft.troubles].sort(bySubject)),
      stories: Object.fromEntries([...draft.stories].sort(bySubject)),
    };
    return [next, effectsOf(draft)];
  };
}

function draftOf(
  around: Pick<Draft, 'topology' | 'places' | 'policy' | 'now' | 'maintained'>,
  state: Incidents,
): Draft {
  const { now, policy } = around;
  const lately = ({ incident }: Story) => now - (incident.resolvedAt ?? now) <= policy.reopenMs;
  return {
    ...around,
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
  if (flip.to === 'up')
    return before ? [end(draft, flip.subject, before, howEnded(flip.subject, before))] : [];
  const kind = flip.to;
  const { because } = flip;
  const cause = flip.cause === undefined ? {} : { cause: flip.cause };
  const same = before?.kind === kind ? before : undefined;
  const turned: Trouble = {
    kind,
    since: same?.since ?? flip.at,
    seenAt: same?.seenAt ?? draft.now,
    tellAt: draft.now + waitMs(draft, flip.subject, { kind, ...cause }),
    because,
    ...cause,
  };
  const isNew = same === undefined || same.cause !== turned.cause;
  const told = before?.told === undefined ? {} : { told: before.told };
  draft.troubles.set(flip.subject, { ...turned, ...(isNew ? {} : { tellAt: same.tellAt }), ...told });
  if (before?.told === undefined) return [];
  if (leaves(draft, flip.subject, before.told)) {
    // One answer of another kind is no news: it may be old again with the next.
    draft.troubles.set(flip.subject, { ...turned, tellAt: draft.now + draft.policy.degradedMs });
  } else if (same === undefined) turn(draft, flip.subject, before.told, kind);
  return [];
}

/** A story of its chain tells of a subject no more once its trouble is another: that is told anew. */
function leaves(draft: Draft, subject: Subject, told: string): boolean {
  const key = draft.stories.get(told)?.incident.key ?? '';
  return isChain(key) && key !== subject && !isOfChain(draft, subject);
}

function howEnded(subject: Subject, { kind }: Trouble): string {
  if (!isChain(subject)) return 'is up again';
  return kind === 'down' ? 'makes blocks again' : 'has one history again';
}

/** What is told already gets worse, or better without being well. */
function turn(draft: Draft, subject: Subject, id: string, kind: Trouble['kind']): void {
  const key = draft.stories.get(id)?.incident.key ?? '';
  if (isChain(subject)) {
    // A chain that is only forked any more explains fewer of them.
    const members = carriedBy(draft, id).filter((s) => s !== subject && !isOfChain(draft, s));
    for (const member of members) release(draft, member);
  }
  if ((kind === 'down' || isChain(key)) && keyOf(subject) === key)
    change(draft, id, { title: titleOf(draft, key, kind) });
  const left = carriedBy(draft, id).some((s) => draft.troubles.get(s)?.kind === 'down');
  note(draft, id, accountOf(draft, [subject]), left ? 'investigating' : 'monitoring');
  if (kind === 'down') tellScopes(draft);
}
