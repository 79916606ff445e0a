/**
 * Incidents and maintenance for feed readers. Atom: one entry each. RSS: one item an update.
 * Titles are read as HTML too: the library marks Atom's so, and readers of RSS take them so.
 */
import { Feed } from 'feed';
import { escapeHtml, xmlSafe } from './escape.ts';
import { formatInstant } from './format.ts';
import { siteUrl, type Frame } from './frame.ts';
import { spanText, stepsOf } from './maintenance.ts';
import { phaseWords } from './words.ts';

const MAX_ITEMS = 50;
/** An incident or a maintenance, as feeds have them. */
interface Entry {
  readonly kind: 'Incident' | 'Maintenance';
  readonly id: string;
  readonly title: string;
  readonly link: string;
  readonly publishedAt: number;
  /** Oldest first, at least one. */
  readonly updates: readonly Update[];
}

interface Update {
  readonly id: string;
  readonly at: number;
  readonly word: string;
  readonly body: string;
}

/** Atom 1.0; an entry keeps its id, and `updated` tells readers to show it again. */
export function atom(frame: Frame): string {
  const feed = emptyFeed(frame);
  const newest = entries(frame).toSorted((a, b) => updatedAt(b) - updatedAt(a));
  for (const entry of newest.slice(0, MAX_ITEMS)) {
    feed.addItem({
      id: `tag:${host(frame)},2005:${entry.kind}/${entry.id}`,
      title: escapeHtml(xmlSafe(entry.title)),
      link: entry.link,
      published: new Date(entry.publishedAt),
      date: new Date(updatedAt(entry)),
      content: entry.updates
        .toSorted((a, b) => b.at - a.at)
        .map(paragraph)
        .join('\n'),
    });
  }
  return feed.atom1();
}

/** RSS 2.0; each update is an item of its own, for readers that never look at an item twice. */
export function rss(frame: Frame): string {
  const feed = emptyFeed(frame);
  const items = entries(frame)
    .flatMap((entry) => entry.updates.map((update) => ({ entry, update })))
    .toSorted((a, b) => b.update.at - a.update.at)
    .slice(0, MAX_ITEMS);
  for (const { entry, update } of items) {
    const { kind, title } = entry;
    feed.addItem({
      id: `${kind.toLowerCase()}-${entry.id}-${update.id}`,
      title: escapeHtml(xmlSafe(`[${kind}] ${title}: ${update.word.toLowerCase()}`)),
      link: entry.link,
      date: new Date(update.at),
      description: paragraph(update),
    });
  }
  return feed.rss2();
}

function entries(frame: Frame): readonly Entry[] {
  const incidents = (frame.snapshot?.incidents ?? []).map(({ id, title, startedAt, updates }): Entry => ({
    kind: 'Incident',
    id,
    title,
    link: `${base(frame)}/incidents/${encodeURIComponent(id)}`,
    publishedAt: startedAt,
    updates: updates.map((update) => ({ ...update, word: phaseWords[update.phase] })),
  }));
  const maintenance = (frame.snapshot?.maintenance ?? []).map((one): Entry => ({
    kind: 'Maintenance',
    id: one.id,
    title: `${one.title} (${spanText(one.startsAt, one.endsAt)})`,
    link: `${base(frame)}/maintenance#m-${one.id}`,
    publishedAt: one.declaredAt,
    updates: stepsOf(one, frame.now).map((step) => ({ ...step, word: stepWords[step.status] })),
  }));
  return [...incidents, ...maintenance];
}

const stepWords = { scheduled: 'Scheduled', in_progress: 'In progress', completed: 'Completed' } as const;

function updatedAt({ updates, publishedAt }: Entry): number {
  return Math.max(publishedAt, ...updates.map(({ at }) => at));
}

function emptyFeed(frame: Frame): Feed {
  const url = base(frame);
  const name = xmlSafe(frame.snapshot?.site.name ?? 'Status');
  const newest = Math.max(frame.snapshot?.startedAt ?? 0, ...entries(frame).map(updatedAt));
  return new Feed({
    id: `tag:${host(frame)},2005:/history`,
    title: `${name} Status - Incident History`,
    description: `Incidents and maintenance of the last 90 days at ${name}`,
    link: `${url}/incidents`,
    language: 'en',
    updated: new Date(newest),
    generator: 'Highwater',
    feedLinks: { atom: `${url}/history.atom`, rss: `${url}/history.rss` },
  });
}

function paragraph(update: Update): string {
  const body = escapeHtml(xmlSafe(update.body)).replaceAll('\n', '<br>');
  return `<p><small>${formatInstant(update.at)}</small><br><strong>${update.word}</strong> - ${body}</p>`;
}

/** Feeds need absolute addresses, even before the first snapshot says which. */
function base(frame: Frame): string {
  const url = siteUrl(frame);
  return URL.canParse(url) ? url : 'http://localhost';
}

function host(frame: Frame): string {
  return new URL(base(frame)).host;
}
