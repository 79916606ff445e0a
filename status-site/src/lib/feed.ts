/**
 * Incident history for feed readers. Atom: one entry an incident. RSS: one item an update.
 * Titles are read as HTML too: the library marks Atom's so, and readers of RSS take them so.
 */
import { Feed } from 'feed';
import type { PublicIncident } from '@highwater/config/public.ts';
import { escapeHtml, xmlSafe } from './escape.ts';
import { formatInstant } from './format.ts';
import { siteUrl, type Frame } from './frame.ts';
import { phaseWords } from './words.ts';

const MAX_ITEMS = 50;
type Update = PublicIncident['updates'][number];

/** Atom 1.0; an incident keeps its id, and `updated` tells readers to show it again. */
export function atom(frame: Frame): string {
  const feed = emptyFeed(frame);
  for (const incident of newest(frame).slice(0, MAX_ITEMS)) {
    feed.addItem({
      id: `tag:${host(frame)},2005:Incident/${incident.id}`,
      title: escapeHtml(xmlSafe(incident.title)),
      link: linkOf(incident, frame),
      published: new Date(incident.startedAt),
      date: new Date(incident.updatedAt),
      content: incident.updates
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
  const items = newest(frame)
    .flatMap((incident) => incident.updates.map((update) => ({ incident, update })))
    .toSorted((a, b) => b.update.at - a.update.at)
    .slice(0, MAX_ITEMS);
  for (const { incident, update } of items) {
    feed.addItem({
      id: `incident-${incident.id}-${update.id}`,
      title: escapeHtml(xmlSafe(`[Incident] ${incident.title}: ${phaseWords[update.phase].toLowerCase()}`)),
      link: linkOf(incident, frame),
      date: new Date(update.at),
      description: paragraph(update),
    });
  }
  return feed.rss2();
}

function emptyFeed(frame: Frame): Feed {
  const url = base(frame);
  const name = xmlSafe(frame.snapshot?.site.name ?? 'Status');
  const incidents = frame.snapshot?.incidents ?? [];
  const updatedAt = Math.max(
    frame.snapshot?.startedAt ?? 0,
    ...incidents.map((incident) => incident.updatedAt),
  );
  return new Feed({
    id: `tag:${host(frame)},2005:/history`,
    title: `${name} Status - Incident History`,
    description: `Incidents of the last 90 days at ${name}`,
    link: `${url}/incidents`,
    language: 'en',
    updated: new Date(updatedAt),
    generator: 'Highwater',
    feedLinks: { atom: `${url}/history.atom`, rss: `${url}/history.rss` },
  });
}

function newest(frame: Frame): readonly PublicIncident[] {
  return (frame.snapshot?.incidents ?? []).toSorted((a, b) => b.updatedAt - a.updatedAt);
}

function paragraph(update: Update): string {
  const body = escapeHtml(xmlSafe(update.body)).replaceAll('\n', '<br>');
  return `<p><small>${formatInstant(update.at)}</small><br><strong>${phaseWords[update.phase]}</strong> - ${body}</p>`;
}

function linkOf(incident: PublicIncident, frame: Frame): string {
  return `${base(frame)}/incidents/${encodeURIComponent(incident.id)}`;
}

/** Feeds need absolute addresses, even before the first snapshot says which. */
function base(frame: Frame): string {
  const url = siteUrl(frame);
  return URL.canParse(url) ? url : 'http://localhost';
}

function host(frame: Frame): string {
  return new URL(base(frame)).host;
}
