/** An incident as a channel shows it: plain text, every string still to be escaped by the channel. Pure. */
import type { Incident } from '@highwater/config/domain.ts';
import type { Message } from '@highwater/config/kinds.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Acknowledgement, Send, Why } from './decide/ladder.ts';
import { simplyOver } from './decide/escalate.ts';
import { isOfTheHouse } from './decide/route.ts';
import { plain } from './text.ts';

/** Ours, below those of every channel, so that a hostile name cannot crowd the rest out. */
export const limits = { titleRunes: 200, lineRunes: 600, namesShown: 10, nameRunes: 80 } as const;

/** Where messages come from and how its services are called. */
export interface Place {
  readonly siteName: string;
  /** Without a slash at its end. */
  readonly siteUrl: string;
  readonly services: Readonly<Record<string, string>>;
}

export interface Story {
  readonly incident: Incident;
  readonly send: Send;
  readonly acknowledged?: Acknowledgement;
  readonly at: Instant;
}

const headings: Readonly<Record<Why, string>> = {
  opened: '',
  step: 'Not acknowledged: ',
  worse: 'Worse: ',
  again: 'Again: ',
  repeat: 'Still open: ',
  state: '',
  over: 'Resolved: ',
  undelivered: 'Passed on: ',
};

/** The message for one decision. */
export function render(story: Story, place: Place): Message {
  const { incident, send, at } = story;
  const resolved = incident.phase === 'resolved' || send.why === 'over';
  const heading = resolved ? headingOfEnd(incident) : headings[send.why];
  return {
    thread: incident.id,
    key: send.key,
    reason: send.reason,
    impact: incident.impact,
    title: plain(`${heading}${incident.title}`, limits.titleRunes),
    lines: lines(story, place, resolved).map((line) => plain(line, limits.lineRunes)),
    url: link(incident, place),
    at,
  };
}

/** Green words are for what is well again. */
function headingOfEnd(incident: Incident): string {
  return incident.mergedInto === undefined ? headings.over : 'Part of a wider incident: ';
}

/** A message that proves that a channel works. */
export function renderTest(channel: string, key: string, place: Place, at: Instant): Message {
  return {
    thread: key,
    key,
    reason: 'test',
    impact: 'none',
    title: plain(`Test of the channel ${channel}`, limits.titleRunes),
    lines: [
      `Site: ${plain(place.siteName, limits.nameRunes)}`,
      `Sent: ${utc(at)}`,
      'Nothing is wrong. Alerts that a policy sends to this channel will arrive here.',
    ],
    url: place.siteUrl,
    at,
  };
}

function lines({ incident, send, acknowledged, at }: Story, place: Place, resolved: boolean): string[] {
  const { startedAt, resolvedAt, services, nodes, phase, updates } = incident;
  const latest = updates.at(-1);
  const until = resolvedAt ?? at;
  const names = services.map((id) => place.services[id] ?? id);
  return [
    ...(names.length > 0 ? [`Service: ${list(names)}`] : []),
    ...(nodes.length > 0 ? [`Nodes: ${list(nodes)}`] : []),
    resolved
      ? `Open: for ${span(until - startedAt)}, ${range(startedAt, until)}`
      : `Since: ${utc(startedAt)} (for ${span(at - startedAt)})`,
    `Impact: ${incident.impact}`,
    ...(resolved ? [] : [`State: ${phase}`]),
    ...(latest && latest.body !== '' ? [`Because: ${latest.body}`] : []),
    ...(incident.remedy === undefined || resolved ? [] : [`What to do: ${incident.remedy}`]),
    ...(acknowledged ? [`Acknowledged: by ${acknowledged.by}, ${utc(acknowledged.at)}`] : []),
    ...(send.why === 'state' || send.because === simplyOver ? [] : [`Sent: ${send.because}`]),
  ];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, limits.namesShown).map((name) => plain(name, limits.nameRunes));
  const more = names.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** What is of the house is not public: it has no page. */
function link(incident: Incident, place: Place): string {
  if (isOfTheHouse(incident)) return place.siteUrl;
  return `${place.siteUrl}/incidents/${encodeURIComponent(incident.id)}`;
}

/** `2026-11-21 10:05:03 UTC` */
export function utc(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-11-21 10:05:03 to 10:09:10 UTC`; the second date only where it is another one. */
export function range(from: Instant, to: Instant): string {
  const [start, end] = [utc(from), utc(to)];
  const day = start.slice(0, 11);
  return `${start.slice(0, -4)} to ${end.startsWith(day) ? end.slice(day.length) : end}`;
}

/** Two units at most: `12 s`, `4 min 7 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ] as const;
  const first = units.findIndex(([, size]) => seconds >= size);
  if (first < 0) return '0 s';
  const parts: string[] = [];
  let rest = seconds;
  for (const [unit, size] of units.slice(first, first + 2)) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.join(' ');
}
