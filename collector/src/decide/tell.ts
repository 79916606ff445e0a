/** What is told, and in whose story: the widest scope first. */
import type { Subject, Zone } from './cause.ts';
import { isChain, zonesDown } from './cause.ts';
import { isOver } from './conclude.ts';
import { isHeld } from './hold.ts';
import type { Draft, Story, Trouble } from './story.ts';
import {
  accountOf,
  carriedBy,
  carry,
  change,
  isOfChain,
  isOpen,
  merge,
  note,
  openStory,
  release,
  titleOf,
} from './story.ts';

/** Tells what is due. */
export function tell(draft: Draft): void {
  const due = [...draft.troubles].some(
    ([subject, t]) => t.told === undefined && t.tellAt <= draft.now && !isHeld(draft, subject),
  );
  if (due) tellScopes(draft);
}

/** Widest first: what a wider scope has told is not told again. */
export function tellScopes(draft: Draft): void {
  for (const chain of waiting(draft, 'chain')) tellChain(draft, chain);
  const { places, troubles, policy } = draft;
  const explained = (node: Subject): boolean =>
    isHeld(draft, node) || isOfChain(draft, node) || mayBeOfChain(draft, troubles.get(node));
  for (const zone of zonesDown(places, troubles, policy.togetherMs, explained)) tellZone(draft, zone);
  for (const service of waiting(draft, 'service')) tellService(draft, service);
  for (const node of waiting(draft, 'node')) tellNode(draft, node);
}

/**
 * Untold troubles, oldest first. Once one is told, all that are down are: they may be one cause. But what waits for its
 * chain goes on waiting.
 */
function waiting(draft: Draft, scope: 'chain' | 'service' | 'node'): Subject[] {
  return [...draft.troubles]
    .filter(([subject]) => scopeOf(subject) === scope)
    .filter(([, t]) => t.told === undefined && (t.kind === 'down' || t.tellAt <= draft.now))
    .filter(([subject]) => !isHeld(draft, subject))
    .filter(([subject, t]) => isChain(subject) || isOfChain(draft, subject) || !mayBeOfChain(draft, t))
    .sort(([a, x], [b, y]) => x.since - y.since || (a < b ? -1 : 1))
    .map(([subject]) => subject);
}

function scopeOf(subject: Subject): 'chain' | 'service' | 'node' {
  if (isChain(subject)) return 'chain';
  return subject.includes('/') ? 'node' : 'service';
}

/** What is down by the age of its head alone, and waits to see whether its chain stands still. */
function mayBeOfChain(draft: Draft, trouble: Trouble | undefined): boolean {
  return trouble?.kind === 'down' && trouble.cause === 'head-age' && trouble.tellAt > draft.now;
}

/** The story of a chain takes what its heads and forks explain, from wherever it was told before. */
function tellChain(draft: Draft, chain: Subject): void {
  const members = [...draft.troubles.keys()].filter(
    (subject) =>
      draft.places.bySubject.get(subject)?.chain === chain &&
      isOfChain(draft, subject) &&
      !isHeld(draft, subject),
  );
  const services = members.filter((subject) => scopeOf(subject) === 'service').sort();
  gather(draft, chain, [chain, ...members], accountOf(draft, [chain, ...services]));
  const id = storyOf(draft, chain)?.incident.id ?? '';
  for (const story of [...draft.stories.values()]) {
    if (!isOpen(story) || !isOver(draft, story)) continue;
    // It has lost its scope to the chain; what the chain does not explain of it is told anew.
    for (const subject of carriedBy(draft, story.incident.id)) release(draft, subject);
    merge(draft, story.incident.id, id);
  }
}

/** Joins the story of its chain, if it is part of that and that is told. A node alone is no news in it. */
function joinChain(draft: Draft, subject: Subject): boolean {
  const chain = draft.places.bySubject.get(subject)?.chain;
  const id = chain === undefined ? undefined : storyOf(draft, chain)?.incident.id;
  if (id === undefined || !isOfChain(draft, subject)) return false;
  if (scopeOf(subject) === 'service') join(draft, id, [subject], subject);
  else carry(draft, id, [subject]);
  return true;
}

function tellZone(draft: Draft, zone: Zone): void {
  const key = `zone:${zone.id}`;
  if (zone.nodes.every((node) => storyOf(draft, node)?.incident.key === key)) return;
  const services = draft.topology.services
    .map((service) => service.id)
    .filter((id) => !isHeld(draft, id))
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
  if (joinChain(draft, service)) return;
  const nodes = (draft.places.bySubject.get(service)?.nodes ?? []).filter(
    (node) => draft.troubles.has(node) && !isOfChain(draft, node) && !isHeld(draft, node),
  );
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
  if (joinChain(draft, node)) return;
  const service = draft.places.bySubject.get(node)?.service ?? '';
  const story = storyOf(draft, service)?.incident;
  const wider = story !== undefined && isChain(story.key) ? undefined : story;
  const joins = wider?.key === keyOf(service) || (wider !== undefined && isTogether(draft, node, service));
  const id = joins ? wider?.id : homeOf(draft, node)?.incident.id;
  if (id !== undefined) join(draft, id, [node], node);
  else gather(draft, keyOf(node), [node], accountOf(draft, [node]));
}

/**
 * The story that tells of a node, or an open one that did before it was well for a while. A chain's story has only what
 * the chain explains.
 */
function homeOf(draft: Draft, node: Subject): Story | undefined {
  const open = [...draft.stories.values()].filter((story) => isOpen(story) && !isChain(story.incident.key));
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
  const taken = (story: Story): boolean =>
    isChain(key) ? isWithin(draft, story, subjects) : keys.has(story.incident.key);
  const open = [...draft.stories.values()].filter((s) => isOpen(s) && taken(s)).sort(earliest);
  const again = returned(draft, key);
  const kind = subjects.some((s) => draft.troubles.get(s)?.kind === 'down') ? 'down' : 'degraded';
  const kept = again ?? open[0];
  const id = kept?.incident.id ?? openStory(draft, key, kind, draft.now);
  if (kept) change(draft, id, { key, title: titleOf(draft, key, kind) });
  if (again) reopen(draft, id);
  carry(draft, id, subjects);
  note(draft, id, account, 'investigating');
  for (const story of open) if (story.incident.id !== id) merge(draft, story.incident.id, id);
}

/** Whether a story tells of nothing but these. */
function isWithin(draft: Draft, { incident }: Story, subjects: readonly Subject[]): boolean {
  const carried = carriedBy(draft, incident.id);
  return carried.length > 0 && carried.every((subject) => subjects.includes(subject));
}

function earliest(a: Story, b: Story): number {
  return a.incident.startedAt - b.incident.startedAt || (a.incident.id < b.incident.id ? -1 : 1);
}

/** The story of this key that was resolved lately: a draft holds no older ones. */
function returned(draft: Draft, key: string): Story | undefined {
  const ended = [...draft.stories.values()].filter((story) => !isOpen(story) && story.incident.key === key);
  return ended.sort(earliest).at(-1);
}

function reopen(draft: Draft, id: string): void {
  const story = draft.stories.get(id);
  if (!story) return;
  const { resolvedAt: _, ...incident } = story.incident;
  draft.stories.set(id, { ...story, incident });
  change(draft, id, { phase: 'investigating' }, 'reopened');
}

/** `chain:ethereum`, `service:rpc`, `node:rpc/eu`. */
export function keyOf(subject: Subject): string {
  if (isChain(subject)) return subject;
  return `${subject.includes('/') ? 'node' : 'service'}:${subject}`;
}
