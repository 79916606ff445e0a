/** From a frame to what the pages show. Pure: no clock, no I/O; the words and rules of the page are here. */
import type { PublicIncident, PublicNode, PublicService, PublicUptime } from '@highwater/config/public.ts';
import { bars, barsText, countedText, type Bar } from './days.ts';
import { formatAgo, formatInstant, formatMonth, formatSpan, plural } from './format.ts';
import { freshness, type Frame, type Freshness } from './frame.ts';
import { nodeMarkUnder, notices, type MaintenanceView } from './maintenance.ts';
import {
  chainMarks,
  componentMarks,
  impactMarks,
  regionMarks,
  phaseWords,
  statusMarks,
  unknownMark,
  type Mark,
} from './words.ts';

/** A name and what it is, side by side. */
export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface UptimeView {
  /** `99.9871 %`, `between 98.1 % and 99.2 %`, or why there is none. */
  readonly figure: string;
  /** Coverage and bounds: what the figure leaves open. */
  readonly details: string;
  readonly incomplete: boolean;
}

export interface HistoryView {
  readonly bars: readonly Bar[];
  readonly text: string;
  readonly uptime: UptimeView;
  /** `1 minute counted`, as long as that is less than a day; else empty. */
  readonly counted: string;
}

export interface NodeView {
  readonly id: string;
  readonly zone: string;
  readonly mark: Mark;
  readonly because: string;
  /** `1 234 blocks behind`; empty when it is level or not known. */
  readonly lag: string;
}

export interface ServiceView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mark: Mark;
  readonly because: string;
  /** What is wrong with its chain, and why; absent while it moves, and on stale data. */
  readonly chainTrouble?: { readonly mark: Mark; readonly because: string };
  readonly nodes: readonly NodeView[];
  readonly history: HistoryView;
}

export interface Overall {
  readonly mark: Mark;
  readonly sentence: string;
  readonly details: string;
}

/** The mark of a service: unknown and stale are never green. */
export function serviceMark(service: PublicService, stale: boolean): Mark {
  if (stale) return unknownMark;
  // What is declared is known, whatever is seen.
  if (service.status === 'unknown' && service.component !== 'under_maintenance') return unknownMark;
  return componentMarks[service.component];
}

export function nodeMark(node: PublicNode, stale: boolean): Mark {
  return stale ? statusMarks.unknown : statusMarks[node.status];
}

/** `Last known: operational.` before the reason, when the status itself is no longer known. */
export function serviceBecause(service: PublicService, stale: boolean): string {
  return stale ? lastKnown(componentMarks[service.component].word) : service.because;
}

export function nodeBecause(node: PublicNode, stale: boolean): string {
  return stale ? lastKnown(statusMarks[node.status].word) : node.because;
}

export function lastKnown(word: string): string {
  return `Last known: ${word.toLowerCase()}.`;
}

/** Blocks behind (or ahead of) the agreed head, and how long that is; empty when it is level or not known. */
export function lagText({ lagBlocks = 0, lagMs = 0 }: Pick<PublicNode, 'lagBlocks' | 'lagMs'>): string {
  if (lagBlocks === 0) return '';
  const time = Math.abs(lagMs) < 1_000 ? '' : ` (${formatSpan(Math.abs(lagMs))})`;
  return `${plural(Math.abs(lagBlocks), 'block')}${time} ${lagBlocks > 0 ? 'behind' : 'ahead'}`;
}

/** As rule/v1 prints it: a figure never stands without its coverage, nor unknown minutes without their bounds. */
export function uptimeView(uptime: PublicUptime): UptimeView {
  const open = uptime.atLeast === '0.0000 %' && uptime.atMost === '100.0000 %';
  const range =
    !open && uptime.atLeast !== undefined && uptime.atMost !== undefined && uptime.atLeast !== uptime.atMost
      ? `between ${uptime.atLeast} and ${uptime.atMost}`
      : '';
  const coverage = uptime.coverage === undefined ? '' : `${uptime.coverage} of minutes known`;
  if (uptime.figure === undefined)
    return {
      figure: range || 'no figure yet',
      details: coverage,
      incomplete: uptime.incomplete && range !== '',
    };
  return {
    figure: uptime.figure,
    details: [coverage, range].filter(Boolean).join('; '),
    incomplete: uptime.incomplete,
  };
}

export function historyView(from: Pick<PublicService, 'days' | 'uptime'>, now: number): HistoryView {
  const shown = bars(from.days, now);
  return {
    bars: shown,
    text: barsText(shown),
    uptime: uptimeView(from.uptime),
    counted: countedText(shown),
  };
}

export function serviceView(service: PublicService, frame: Frame): ServiceView {
  const stale = freshness(frame).kind === 'stale';
  return {
    id: service.id,
    name: service.name,
    description: service.description ?? '',
    mark: serviceMark(service, stale),
    because: serviceBecause(service, stale),
    ...(stale ? {} : chainTrouble(service)),
    nodes: service.nodes.map((node) => ({
      id: node.id,
      zone: node.zone,
      mark: nodeMarkUnder(nodeMark(node, stale), service, node.id, frame),
      because: nodeBecause(node, stale),
      // A good node's block more or less is when it was asked; its page has it.
      lag: stale || node.status === 'up' ? '' : lagText(node),
    })),
    history: historyView(service, frame.now),
  };
}

/** `The chain polkadot stands still` */
function chainTrouble({ head }: PublicService): Pick<ServiceView, 'chainTrouble'> {
  if (head === undefined || head.state === 'moving') return {};
  const { tone, does } = chainMarks[head.state];
  return { chainTrouble: { mark: { tone, word: `The chain ${head.chain} ${does}` }, because: head.because } };
}

export interface GroupView {
  /** Empty for services without a group. */
  readonly name: string;
  readonly services: readonly ServiceView[];
}

/** Groups in the order of their first service; services without a group come first, under no name. */
export function groupViews(frame: Frame): readonly GroupView[] {
  const groups = new Map<string, ServiceView[]>([['', []]]);
  for (const service of frame.snapshot?.services ?? []) {
    const name = service.group ?? '';
    groups.set(name, [...(groups.get(name) ?? []), serviceView(service, frame)]);
  }
  return [...groups]
    .filter(([, services]) => services.length > 0)
    .map(([name, services]) => ({ name, services }));
}

/** The one sentence at the top. */
export function overall(frame: Frame): Overall {
  const { snapshot } = frame;
  const fresh = freshness(frame);
  if (!snapshot || fresh.kind === 'none') return noData(frame);
  if (fresh.kind === 'stale') return staleData(fresh, frame);
  const services = snapshot.services;
  if (services.length === 0)
    return { mark: unknownMark, sentence: 'Nothing is watched yet', details: 'No service is public.' };
  if (fresh.kind === 'waiting')
    return {
      mark: unknownMark,
      sentence: 'Waiting for the first answers',
      details: `Watching began ${formatAgo(fresh.since, frame.now)}; no probe has reported yet.`,
    };
  return worst(services, snapshot.incidents.filter(isOpen).length);
}

function noData(frame: Frame): Overall {
  return {
    mark: unknownMark,
    sentence: 'No data yet',
    details:
      frame.lostAt === undefined
        ? 'This page is waiting for its first report.'
        : `This page is waiting for its first report; the collector has not answered for ${formatSpan(frame.now - frame.lostAt)}.`,
  };
}

function staleData(fresh: Freshness & { kind: 'stale' | 'fresh' }, frame: Frame): Overall {
  const cause =
    frame.lostAt === undefined
      ? 'The probes are silent.'
      : `The collector has not answered for ${formatSpan(frame.now - frame.lostAt)}.`;
  return {
    mark: unknownMark,
    sentence: `No current data since ${formatInstant(fresh.since)}`,
    details: `${cause} What is shown below is ${formatSpan(fresh.ageMs)} old and says nothing about now.`,
  };
}

const severity = ['down', 'partial', 'degraded', 'unknown', 'maintenance', 'up'] as const;

/** The worst mark that occurs names the sentence; the details count each kind of trouble. */
function worst(services: readonly PublicService[], open: number): Overall {
  const marks = services.map((service) => serviceMark(service, false));
  const count = (tone: Mark['tone']) => marks.filter((mark) => mark.tone === tone).length;
  const tone = severity.find((tone) => count(tone) > 0) ?? 'unknown';
  const mark = marks.find((mark) => mark.tone === tone) ?? unknownMark;
  const names = services.filter((_, index) => marks[index]?.tone === tone).map((service) => service.name);
  const others = severity
    .filter((other) => other !== 'up')
    .filter((other) => other !== tone && count(other) > 0)
    .map((other) => `${count(other)} ${otherWords[other]}`);
  const upText =
    tone === 'up' || count('unknown') === services.length
      ? ''
      : `${count('up')} of ${plural(services.length, 'service')} operational`;
  const openText = open > 0 ? plural(open, 'open incident') : '';
  // Several services are of one chain.
  const chains = new Set(
    services.flatMap(({ head }) =>
      head && head.state !== 'moving' ? `the chain ${head.chain} ${chainMarks[head.state].does}` : [],
    ),
  );
  return {
    mark,
    sentence: sentences[tone](names, services.length),
    details:
      [upText, ...others, ...chains, openText].filter(Boolean).join(', ') ||
      (tone === 'unknown' ? 'Nobody can tell whether they are up; each service below says why.' : ''),
  };
}

const otherWords = {
  down: 'down',
  partial: 'with a partial outage',
  degraded: 'degraded',
  unknown: 'without current data',
  maintenance: 'under maintenance',
} as const;

type Sentence = (names: readonly string[], of: number) => string;
const sentences: Readonly<Record<Mark['tone'], Sentence>> = {
  up: () => 'All systems operational',
  maintenance: (names) => `Maintenance: ${list(names)}`,
  unknown: (names, of) => (names.length === of ? 'No current data' : `No current data for ${list(names)}`),
  degraded: (names) => `Degraded performance: ${list(names)}`,
  partial: (names) => `Partial outage: ${list(names)}`,
  down: (names, of) => (names.length === of && of > 1 ? 'All services are down' : `Outage: ${list(names)}`),
};

/** `A`, `A and B`, `A, B and 3 more`. */
export function list(names: readonly string[]): string {
  if (names.length <= 2) return names.join(' and ');
  if (names.length === 3) return `${names[0]}, ${names[1]} and ${names[2]}`;
  return `${names[0]}, ${names[1]} and ${names.length - 2} more`;
}

export function isOpen(incident: PublicIncident): boolean {
  return incident.phase !== 'resolved';
}

export interface IncidentView {
  readonly id: string;
  readonly title: string;
  readonly mark: Mark;
  readonly phase: string;
  readonly open: boolean;
  readonly startedAt: number;
  /** `, resolved after 27 min`; empty while it is open. */
  readonly length: string;
  readonly services: readonly { readonly id: string; readonly name: string }[];
  readonly nodes: readonly string[];
  /** Newest first. */
  readonly updates: readonly {
    readonly id: string;
    readonly at: number;
    readonly phase: string;
    readonly body: string;
  }[];
  readonly latest?: IncidentView['updates'][number];
}

export function incidentView(incident: PublicIncident, frame: Frame): IncidentView {
  const known = new Map(frame.snapshot?.services.map((service) => [service.id, service.name]));
  const updates = incident.updates
    .map((update) => ({ ...update, phase: phaseWords[update.phase] }))
    .toSorted((a, b) => b.at - a.at);
  const latest = updates[0];
  return {
    id: incident.id,
    title: incident.title,
    mark: impactMarks[incident.impact],
    phase: phaseWords[incident.phase],
    open: isOpen(incident),
    startedAt: incident.startedAt,
    length:
      incident.resolvedAt === undefined
        ? ''
        : `, resolved after ${formatSpan(incident.resolvedAt - incident.startedAt)}`,
    // A service may have left the configuration since: then it has no page to lead to.
    services: incident.services.flatMap((id) => (known.has(id) ? [{ id, name: known.get(id) ?? id }] : [])),
    nodes: incident.nodes,
    updates,
    ...(latest ? { latest } : {}),
  };
}

export interface RegionView {
  readonly id: string;
  readonly name: string;
  readonly probes: number;
  readonly heardAt?: number;
  readonly silent: boolean;
  /** The collector does not answer: who is heard now, nobody here knows. */
  readonly unsure: boolean;
  /** Why what it sees can not be believed; not said on stale data. */
  readonly unwell?: { readonly mark: Mark; readonly since: number; readonly because: string };
}

export function regionViews(frame: Frame): readonly RegionView[] {
  const { snapshot, now } = frame;
  const known = freshness(frame).kind === 'fresh' && frame.lostAt === undefined;
  return (snapshot?.regions ?? []).map(({ id, name, probes, heardAt, state, since, because }) => ({
    id,
    name,
    probes,
    ...(heardAt === undefined ? {} : { heardAt }),
    // Once the collector is gone, no probe falls silent for that.
    silent: heardAt !== undefined && (frame.lostAt ?? now) - heardAt > (snapshot?.staleAfterMs ?? 0),
    unsure: frame.lostAt !== undefined,
    ...(known && state !== 'well' && since !== undefined && because !== undefined
      ? { unwell: { mark: regionMarks[state], since, because } }
      : {}),
  }));
}

export interface Overview {
  readonly overall: Overall;
  readonly open: readonly IncidentView[];
  /** Active, or to begin within a week. */
  readonly maintenance: readonly MaintenanceView[];
  readonly groups: readonly GroupView[];
  readonly regions: readonly RegionView[];
  readonly holds: string;
}

export function overview(frame: Frame): Overview {
  return {
    overall: overall(frame),
    open: (frame.snapshot?.incidents ?? []).filter(isOpen).map((incident) => incidentView(incident, frame)),
    maintenance: notices(frame),
    groups: groupViews(frame),
    regions: regionViews(frame),
    holds: frame.snapshot?.holds ?? '',
  };
}

export interface MonthView {
  /** `November 2026` */
  readonly name: string;
  readonly incidents: readonly IncidentView[];
}

/** Incidents by the UTC month in which they began, newest first. */
export function months(frame: Frame): readonly MonthView[] {
  const sorted = (frame.snapshot?.incidents ?? []).toSorted((a, b) => b.startedAt - a.startedAt);
  const byMonth = new Map<string, IncidentView[]>();
  for (const incident of sorted) {
    const name = formatMonth(incident.startedAt);
    byMonth.set(name, [...(byMonth.get(name) ?? []), incidentView(incident, frame)]);
  }
  return [...byMonth].map(([name, incidents]) => ({ name, incidents }));
}
