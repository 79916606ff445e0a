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
import type { Places, Subject, Zone } from './cause.ts';
import { placesOf, zonesDown } from './cause.ts';
import type { Draft, IncidentPolicy, Incidents, Story, Trouble } from './story.ts';
import {
  accountOf,
  carriedBy,
  carry,
  change,
  effectsOf,
  isOpen,
  merge,
  nameOf,
  note,
  openStory,
  raiseImpacts,
  resolve,
  titleOf,
  waitMs,
} from './story.ts';
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

/** A trouble that is over, with the story that told it. */
interface Ended {
  readonly subject: Subject;
  readonly story: string | undefined;
  readonly how: string;
}

function flipsOf(event: IncidentEvent): readonly Flip[] {
  if (event.type === 'flips') return event.flips;
  return event.type === 'flip' ? [event.flip] : [];
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

/** Takes a flip in. Unknown says nothing: what was wrong is still taken to be. */
function take(draft: Draft, flip: Flip): Ended[] {
  if (!draft.places.bySubject.has(flip.subject) || flip.to === 'unknown') return [];
  const before = draft.troubles.get(flip.subject);
  if (flip.to === 'up') return before ? [end(draft, flip.subject, before, 'is up again')] : [];
  if (before?.flip === flip.id) return [];
  if (before?.kind === flip.to) {
    draft.troubles.set(flip.subject, { ...before, because: flip.because, flip: flip.id });
    return [];
  }
  draft.troubles.set(flip.subject, {
    kind: flip.to,
    since: flip.at,
    seenAt: draft.now,
    tellAt: draft.now + waitMs(draft.policy, flip.to),
    because: flip.because,
    flip: flip.id,
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

function keyOf(subject: Subject): string {
  return `${subject.includes('/') ? 'node' : 'service'}:${subject}`;
}

// ------------------------------------------------------------ what is told

function tell(draft: Draft): void {
  const due = [...draft.troubles.values()].some((t) => t.told === undefined && t.tellAt <= draft.now);
  if (due) tellScopes(draft);
}

/** Widest first: what a wider scope has told is not told again. */
function tellScopes(draft: Draft): void {
  for (const zone of zonesDown(draft.places, draft.troubles, draft.policy.togetherMs)) tellZone(draft, zone);
  for (const service of waiting(draft, 'service')) tellService(draft, service);
  for (const node of waiting(draft, 'node')) tellNode(draft, node);
}

/** Untold troubles, oldest first. Once one is told, all that are down are: they may be one cause. */
function waiting(draft: Draft, scope: 'service' | 'node'): Subject[] {
  return [...draft.troubles]
    .filter(([subject]) => subject.includes('/') === (scope === 'node'))
    .filter(([, t]) => t.told === undefined && (t.kind === 'down' || t.tellAt <= draft.now))
    .sort(([a, x], [b, y]) => x.since - y.since || (a < b ? -1 : 1))
    .map(([subject]) => subject);
}

function tellZone(draft: Draft, zone: Zone): void {
  const key = `zone:${zone.id}`;
  if (zone.nodes.every((node) => storyOf(draft, node)?.incident.key === key)) return;
  const services = draft.topology.services
    .map((service) => service.id)
    .filter((id) => zone.nodes.some((node) => node.startsWith(`${id}/`) && isTogether(draft, node, id)));
  gather(draft, key, [...zone.nodes, ...services], accountOf(draft, zone.nodes));
}

/** Whether a node and its service went wrong at the same time. */
function isTogether(draft: Draft, node: Subject, service: Subject): boolean {
  const a = draft.troubles.get(node);
  const b = draft.troubles.get(service);
  return a !== undefined && b !== undefined && Math.abs(a.since - b.since) <= draft.policy.togetherMs;
}

/** A service is told as its own story, unless the zone of one of its nodes is the cause. */
function tellService(draft: Draft, service: Subject): void {
  const nodes = (draft.places.bySubject.get(service)?.nodes ?? []).filter((node) => draft.troubles.has(node));
  const together = nodes.filter((node) => isTogether(draft, node, service));
  const zone = together.map((node) => homeOf(draft, node)?.incident).find((i) => i?.key.startsWith('zone:'));
  const untold = nodes.filter((node) => draft.troubles.get(node)?.told === undefined);
  if (zone) {
    join(draft, zone.id, [service, ...together.filter((node) => untold.includes(node))], service);
    return;
  }
  const own = together.filter((node) => storyOf(draft, node)?.incident.key === keyOf(node));
  gather(draft, keyOf(service), [service, ...new Set([...own, ...untold])], accountOf(draft, [service]));
}

function tellNode(draft: Draft, node: Subject): void {
  const service = draft.places.bySubject.get(node)?.service ?? '';
  const wider = storyOf(draft, service)?.incident;
  const joins = wider?.key === keyOf(service) || (wider !== undefined && isTogether(draft, node, service));
  const id = joins ? wider?.id : homeOf(draft, node)?.incident.id;
  if (id !== undefined) join(draft, id, [node], node);
  else gather(draft, keyOf(node), [node], accountOf(draft, [node]));
}

/** The story that tells of a node, or an open one that did before it was well for a while. */
function homeOf(draft: Draft, node: Subject): Story | undefined {
  const open = [...draft.stories.values()].filter((story) => isOpen(story));
  return storyOf(draft, node) ?? open.find((story) => story.incident.nodes.includes(node));
}

function storyOf(draft: Draft, subject: Subject): Story | undefined {
  return draft.stories.get(draft.troubles.get(subject)?.told ?? '');
}

/** A narrower trouble joins a story as an update. */
function join(draft: Draft, id: string, subjects: readonly Subject[], about: Subject): void {
  carry(draft, id, subjects);
  const down = subjects.some((subject) => draft.troubles.get(subject)?.kind === 'down');
  note(draft, id, accountOf(draft, [about]), down ? 'investigating' : undefined);
}

/**
 * Makes one story of a scope: the earliest of those that its members have, the one that it had lately, or a new one.
 */
function gather(draft: Draft, key: string, subjects: readonly Subject[], account: string): void {
  const keys = new Set([key, ...subjects.map(keyOf)]);
  const open = [...draft.stories.values()]
    .filter((s) => isOpen(s) && keys.has(s.incident.key))
    .sort(earliest);
  const again = returned(draft, key, subjects);
  const kind = subjects.some((s) => draft.troubles.get(s)?.kind === 'down') ? 'down' : 'degraded';
  const kept = again ?? open[0];
  const id = kept?.incident.id ?? openStory(draft, key, kind, draft.now);
  if (kept) change(draft, id, { key, title: titleOf(draft, key, kind) });
  if (again) reopen(draft, id);
  carry(draft, id, subjects);
  note(draft, id, account, 'investigating');
  for (const story of open) if (story.incident.id !== id) merge(draft, story.incident.id, id);
}

function earliest(a: Story, b: Story): number {
  return a.incident.startedAt - b.incident.startedAt || (a.incident.id < b.incident.id ? -1 : 1);
}

/** A story of this key that was resolved lately, if its scope went wrong after that: what never left can't return. */
function returned(draft: Draft, key: string, subjects: readonly Subject[]): Story | undefined {
  const own = key.startsWith('zone:') ? subjects.filter((s) => s.includes('/')) : subjects.slice(0, 1);
  const first = Math.min(...own.map((subject) => draft.troubles.get(subject)?.seenAt ?? draft.now));
  return [...draft.stories.values()]
    .filter(({ incident }) => incident.key === key && (incident.resolvedAt ?? Infinity) < first)
    .sort(earliest)
    .at(-1);
}

function reopen(draft: Draft, id: string): void {
  const story = draft.stories.get(id);
  if (!story) return;
  const { resolvedAt: _, ...incident } = story.incident;
  draft.stories.set(id, { ...story, incident });
  change(draft, id, { phase: 'investigating' }, 'reopened');
}

// ------------------------------------------------------------ what is over

function conclude(draft: Draft, ended: readonly Ended[]): void {
  for (const [id, story] of [...draft.stories]) {
    if (!isOpen(story) || !isOver(draft, story)) continue;
    resolve(draft, id, closing(draft, story, ended));
  }
  for (const { subject, story, how } of ended) {
    const told = story === undefined ? undefined : draft.stories.get(story);
    if (told && isOpen(told) && !isAll(draft, subject))
      note(draft, told.incident.id, `${nameOf(draft, subject)} ${how}.`);
  }
}

/** The only node of a service says nothing that the service does not say. */
function isAll(draft: Draft, subject: Subject): boolean {
  const service = draft.places.bySubject.get(subject)?.service ?? '';
  return subject !== service && draft.places.bySubject.get(service)?.nodes.length === 1;
}

/** A story is as long as its scope: the service or node of its key, or all of its zone and what came with it. */
function isOver(draft: Draft, { incident }: Story): boolean {
  const carried = carriedBy(draft, incident.id);
  const [scope, ...rest] = incident.key.split(':');
  const name = rest.join(':');
  if (scope !== 'zone') return !carried.includes(name);
  return !carried.some((s) => !s.includes('/') || draft.places.bySubject.get(s)?.zone === name);
}

function closing(draft: Draft, { incident }: Story, ended: readonly Ended[]): string {
  const [scope, ...rest] = incident.key.split(':');
  const name = rest.join(':');
  if (scope === 'zone') return `Zone ${name} is up again.`;
  const how = ended.find((one) => one.subject === name)?.how ?? 'is up again';
  return `${nameOf(draft, name)} ${how}.`;
}
