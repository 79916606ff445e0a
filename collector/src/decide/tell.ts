/** What is told, and in whose story: the widest scope first. */
import type { Subject, Zone } from './cause.ts';
import { zonesDown } from './cause.ts';
import type { Draft, Story } from './story.ts';
import { accountOf, carry, change, isOpen, merge, note, openStory, titleOf } from './story.ts';

/** Tells what is due. */
export function tell(draft: Draft): void {
  const due = [...draft.troubles.values()].some((t) => t.told === undefined && t.tellAt <= draft.now);
  if (due) tellScopes(draft);
}

/** Widest first: what a wider scope has told is not told again. */
export function tellScopes(draft: Draft): void {
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

/** `service:rpc`, `node:rpc/eu`. */
export function keyOf(subject: Subject): string {
  return `${subject.includes('/') ? 'node' : 'service'}:${subject}`;
}
