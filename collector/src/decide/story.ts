/** How incidents are told: a draft of the next state, and the few things that can happen to a story in it. */
import type { Cause, Impact, Incident, Phase, Status } from '@highwater/config/domain.ts';
import { impactRank } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { isChain, type Places, type Subject } from './cause.ts';
import { storyImpact } from './impact.ts';
import type { Cover, IncidentEffect, Topology } from './types.ts';

/** A service, node or chain that is not well. */
export interface Trouble {
  readonly kind: 'down' | 'degraded';
  /** First failing due time. */
  readonly since: Instant;
  /** When it was first known. */
  readonly seenAt: Instant;
  /** When it is to be told, unless it is over by then. */
  readonly tellAt: Instant;
  readonly because: string;
  /** What it may be part of. */
  readonly cause?: Cause;
  /** Id of the incident that tells it. */
  readonly told?: string;
  /** Under maintenance until then: it is not told before, unless that is ended earlier. */
  readonly heldUntil?: Instant;
}

/** An incident that is open, or was resolved so lately that it may be reopened. */
export interface Story {
  readonly incident: Incident;
  /** Updates ever made: their ids go on where old ones were dropped. */
  readonly updates: number;
}

export interface Incidents {
  /** By subject; only what is in trouble, so never more than there are services, nodes and chains. */
  readonly troubles: Readonly<Record<Subject, Trouble>>;
  /** By incident id. */
  readonly stories: Readonly<Record<string, Story>>;
}

export interface IncidentPolicy {
  /** How long a down waits for others of the same cause before it is told. */
  readonly settleMs: number;
  /** How long a degradation must last before it is told. */
  readonly degradedMs: number;
  /** What went down within this has one cause. */
  readonly togetherMs: number;
  /** What returns within this reopens its incident. */
  readonly reopenMs: number;
  /** Of one incident: the first and the newest are kept. */
  readonly maxUpdates: number;
}

/** The next state while it is being decided; lives for one event. */
export interface Draft {
  readonly topology: Topology;
  readonly places: Places;
  readonly policy: IncidentPolicy;
  readonly now: Instant;
  readonly maintained: Cover;
  readonly troubles: Map<Subject, Trouble>;
  readonly stories: Map<string, Story>;
  readonly effects: Map<string, { type: IncidentEffect['type']; merged?: Incident }>;
}

export function isOpen(story: Story): boolean {
  return story.incident.phase !== 'resolved';
}

/** `Dev RPC is down`, `Zone eu is down`, `Ethereum stands still`. */
export function titleOf(draft: Draft, key: string, kind: Trouble['kind']): string {
  if (isChain(key)) {
    const title = nameOf(draft, key);
    return kind === 'down' ? `${title} stands still` : `Nodes of ${title} are on different forks`;
  }
  const [scope, ...rest] = key.split(':');
  const name = rest.join(':');
  return `${scope === 'zone' ? `Zone ${name}` : nameOf(draft, name)} is ${kind}`;
}

/** The name that people know; the id of what is no longer in the configuration. */
export function nameOf(draft: Draft, subject: Subject): string {
  return draft.places.bySubject.get(subject)?.title ?? subject;
}

/** What the troubles of a scope are, in sentences; five are enough to understand. */
export function accountOf(draft: Draft, subjects: readonly Subject[]): string {
  const lines = subjects.flatMap((subject) => {
    const trouble = draft.troubles.get(subject);
    if (!trouble) return [];
    const what = isChain(subject)
      ? titleOf(draft, subject, trouble.kind)
      : `${nameOf(draft, subject)} is ${trouble.kind}`;
    return [`${what}: ${trouble.because}.`];
  });
  const more = lines.length > 5 ? [`And ${lines.length - 5} more.`] : [];
  return [...lines.slice(0, 5), ...more].join('\n');
}

/** Opens a story under a key. Its impact is settled with the others' at the end of the event. */
export function openStory(draft: Draft, key: string, kind: Trouble['kind'], startedAt: Instant): string {
  const id = `${draft.now.toString(36)}~${key.replace(':', '~').replaceAll('/', '~')}`;
  const incident: Incident = {
    id,
    key,
    title: titleOf(draft, key, kind),
    impact: 'minor',
    phase: 'investigating',
    startedAt,
    updatedAt: draft.now,
    services: [],
    nodes: [],
    updates: [],
  };
  draft.stories.set(id, { incident, updates: 0 });
  draft.effects.set(id, { type: 'opened' });
  return id;
}

/** Changes fields of a story and says so once, whatever else happens to it in this event. */
export function change(
  draft: Draft,
  id: string,
  fields: Partial<Incident>,
  type: IncidentEffect['type'] = 'updated',
) {
  const story = draft.stories.get(id);
  if (!story) return;
  draft.stories.set(id, { ...story, incident: { ...story.incident, ...fields, updatedAt: draft.now } });
  if (type !== 'updated' || !draft.effects.has(id)) draft.effects.set(id, { type });
}

/** Adds an update. The first says how it began and stays; of the rest the newest are kept. */
export function note(draft: Draft, id: string, body: string, phase?: Phase): void {
  const story = draft.stories.get(id);
  if (!story) return;
  const { incident } = story;
  const entry = { id: `${id}.${story.updates + 1}`, at: draft.now, phase: phase ?? incident.phase, body };
  const kept = incident.updates.slice(0, 1);
  const rest = [...incident.updates.slice(1), entry].slice(-(draft.policy.maxUpdates - 1));
  const updates = kept.length === 0 ? [entry] : [...kept, ...rest];
  draft.stories.set(id, { ...story, updates: story.updates + 1 });
  change(draft, id, { updates, phase: entry.phase });
}

/** From now on the story tells of these subjects as well. */
export function carry(draft: Draft, id: string, subjects: readonly Subject[]): void {
  for (const subject of subjects) {
    const trouble = draft.troubles.get(subject);
    if (trouble) draft.troubles.set(subject, { ...trouble, told: id });
  }
  list(draft, id, subjects);
}

/** Names subjects in a story, which is dated back to the first of them. A chain concerns all of its services. */
function list(draft: Draft, id: string, subjects: readonly Subject[]): void {
  const story = draft.stories.get(id);
  if (!story) return;
  const { incident } = story;
  const concerned = subjects.flatMap(
    (s) => draft.places.chains.get(s)?.services ?? (isChain(s) ? [] : [s.split('/')[0] ?? s]),
  );
  const services = new Set([...incident.services, ...concerned]);
  const nodes = new Set([...incident.nodes, ...subjects.filter((s) => s.includes('/'))]);
  const began = subjects.map((s) => draft.troubles.get(s)?.since ?? incident.startedAt);
  const startedAt = Math.min(incident.startedAt, ...began);
  change(draft, id, { services: [...services].sort(), nodes: [...nodes].sort(), startedAt });
}

/** Subjects in trouble that a story tells of, sorted. */
export function carriedBy(draft: Draft, id: string): Subject[] {
  return [...draft.troubles]
    .filter(([, trouble]) => trouble.told === id)
    .map(([subject]) => subject)
    .sort();
}

/** Ends a story in favour of a wider one: it is resolved, never reopened, and its troubles move. */
export function merge(draft: Draft, id: string, into: string): void {
  const title = draft.stories.get(into)?.incident.title ?? into;
  const moved = carriedBy(draft, id);
  const was = draft.stories.get(id)?.incident;
  note(draft, id, `This is part of a wider incident and goes on there: ${title}.`, 'resolved');
  change(draft, id, { resolvedAt: draft.now, mergedInto: into }, 'resolved');
  const merged = draft.stories.get(id)?.incident;
  if (merged) draft.effects.set(id, { type: 'resolved', merged });
  draft.stories.delete(id);
  carry(draft, into, moved);
  list(draft, into, was?.nodes ?? []);
}

/** Ends a story. What it still carries (a node of a service that is up again) is told anew if it lasts. */
export function resolve(draft: Draft, id: string, body: string): void {
  note(draft, id, body, 'resolved');
  change(draft, id, { resolvedAt: draft.now }, 'resolved');
  for (const subject of carriedBy(draft, id)) release(draft, subject);
}

/** From now on no story tells of it: it is told anew if it lasts. */
export function release(draft: Draft, subject: Subject): void {
  const trouble = draft.troubles.get(subject);
  if (!trouble) return;
  const { told: _, ...rest } = trouble;
  // What a chain's stall left behind has as long to come back as things have to go wrong together.
  const ofChain = trouble.cause !== undefined && trouble.cause !== 'certificate';
  const afterStall = ofChain ? draft.policy.togetherMs : 0;
  const wait = Math.max(waitMs(draft, subject, trouble), afterStall);
  draft.troubles.set(subject, { ...rest, tellAt: draft.now + wait });
}

/** A node or service whose head is old waits to see whether its chain stands still, unless that is known. */
export function waitMs(
  { policy, places, troubles }: Draft,
  subject: Subject,
  { kind, cause }: Pick<Trouble, 'kind' | 'cause'>,
): number {
  if (kind === 'degraded') return policy.degradedMs;
  const chain = places.bySubject.get(subject)?.chain;
  if (cause !== 'head-age' || chain === undefined || troubles.has(chain)) return policy.settleMs;
  return Math.max(policy.settleMs, places.chains.get(chain)?.stallWaitMs ?? 0);
}

/**
 * Whether a trouble is part of its chain's: of a chain that stands still what its heads or forks explain, of one that
 * is forked the forks alone.
 */
export function isOfChain(draft: Draft, subject: Subject): boolean {
  const chain = draft.places.bySubject.get(subject)?.chain;
  const wider = chain === undefined ? undefined : draft.troubles.get(chain);
  const cause = draft.troubles.get(subject)?.cause;
  if (wider === undefined || cause === undefined || cause === 'certificate') return false;
  return wider.kind === 'down' || cause === 'fork';
}

/** A story's impact is the worst it has had: what it was for users does not get smaller by getting better. */
export function raiseImpacts(draft: Draft): void {
  const statusOf = (subject: Subject): Status | undefined => {
    const trouble = draft.troubles.get(subject);
    return trouble?.told === undefined ? undefined : trouble.kind;
  };
  for (const [id, story] of draft.stories) {
    if (!isOpen(story)) continue;
    const carried = carriedBy(draft, id);
    const isUrgent = (subject: Subject): boolean => draft.troubles.get(subject)?.cause === 'certificate';
    const impact: Impact = storyImpact(draft.topology, carried, statusOf, isUrgent);
    if (impactRank[impact] <= impactRank[story.incident.impact]) continue;
    if (!draft.effects.has(id)) {
      const group = impact === 'critical' ? 'With this every service of its group is down.' : undefined;
      note(draft, id, group ?? accountOf(draft, carried.filter(isUrgent)));
    }
    change(draft, id, { impact });
  }
}

/** One effect an incident, in the order in which they were touched. */
export function effectsOf(draft: Draft): IncidentEffect[] {
  return [...draft.effects].flatMap(([id, { type, merged }]) => {
    const incident = merged ?? draft.stories.get(id)?.incident;
    return incident ? [{ type, incident, impact: incident.impact }] : [];
  });
}
