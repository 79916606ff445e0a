/** What is over: a story is as long as its scope. */
import { isChain, type Subject } from './cause.ts';
import type { Draft, Story } from './story.ts';
import { carriedBy, isOpen, nameOf, note, resolve } from './story.ts';

/** A trouble that is over, with the story that told it. */
export interface Ended {
  readonly subject: Subject;
  readonly story: string | undefined;
  readonly how: string;
}

/** Ends the stories that are over, and notes in the others what is well again. */
export function conclude(draft: Draft, ended: readonly Ended[]): void {
  for (const [id, story] of [...draft.stories]) {
    if (!isOpen(story) || !isOver(draft, story)) continue;
    resolve(draft, id, closing(draft, story, ended));
  }
  for (const { subject, story, how } of ended) {
    const told = story === undefined ? undefined : draft.stories.get(story);
    // Of a chain that stands still it is no news that single nodes are back: all of it is told once.
    if (told && isOpen(told) && !isChain(told.incident.key) && !isAll(draft, subject))
      note(draft, told.incident.id, `${nameOf(draft, subject)} ${how}.`);
  }
}

/** The only node of a service says nothing that the service does not say. */
function isAll(draft: Draft, subject: Subject): boolean {
  const service = draft.places.bySubject.get(subject)?.service ?? '';
  return subject !== service && draft.places.bySubject.get(service)?.nodes.length === 1;
}

/** A story is as long as its scope: the chain, service or node of its key, or all of its zone and what came with it. */
export function isOver(draft: Draft, { incident }: Story): boolean {
  const carried = carriedBy(draft, incident.id);
  if (isChain(incident.key)) return !carried.includes(incident.key);
  const [scope, ...rest] = incident.key.split(':');
  const name = rest.join(':');
  if (scope !== 'zone') return !carried.includes(name);
  return !carried.some((s) => !s.includes('/') || draft.places.bySubject.get(s)?.zone === name);
}

function closing(draft: Draft, { incident }: Story, ended: readonly Ended[]): string {
  const [scope, ...rest] = incident.key.split(':');
  const name = isChain(incident.key) ? incident.key : rest.join(':');
  if (scope === 'zone') return `Zone ${name} is up again.`;
  const how = ended.find((one) => one.subject === name)?.how ?? 'is up again';
  return `${nameOf(draft, name)} ${how}.`;
}
