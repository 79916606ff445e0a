/** From a frame to the page of one service. Pure. */
import { faultFromId, faultMeanings, isRefusal, isWholeProbe } from '@highwater/config/faults.ts';
import type { PublicNode, PublicService } from '@highwater/config/public.ts';
import { highestOf } from './charts/draw.ts';
import { sparkline } from './charts/sparkline.ts';
import { figuresView, nodeFigures, type FiguresView, type NodeFigures } from './figures.ts';
import { formatCount, formatRatio, formatSpan, formatTenths, plural } from './format.ts';
import { freshness, type Frame } from './frame.ts';
import { chainView, type ChainView, finalizedText } from './chain.ts';
import { maintainedSince, maintenanceOf, nodeMarkUnder, type MaintenanceView } from './maintenance.ts';
import { methodViews, type MethodView } from './methods.ts';
import { periodOf } from './numbers.ts';
import { addressOf, type Selection } from './selection.ts';
import {
  historyView,
  incidentView,
  lagText,
  lastKnown,
  nodeBecause,
  nodeMark,
  regionViews,
  serviceBecause,
  serviceMark,
  type Fact,
  type HistoryView,
  type IncidentView,
  type RegionView,
  uptimeView,
  type UptimeView,
} from './view.ts';
import { statusMarks, type Mark } from './words.ts';

export interface AnswerView {
  readonly region: string;
  readonly mark: Mark;
  readonly latency: string;
  readonly at?: number;
  /** `target.http.timeout`; empty when nothing is wrong. */
  readonly fault: string;
}

export interface CheckView {
  readonly id: string;
  /** `head`, `head over IPv6`. */
  readonly name: string;
  readonly mark: Mark;
  readonly because: string;
  readonly answers: readonly AnswerView[];
  /** What each fault that occurs means, once, in a sentence. */
  readonly meanings: readonly string[];
}

export interface LatencyView {
  readonly region: string;
  readonly path: string;
  /** Medians of an hour. */
  readonly latest: string;
  readonly highest: string;
  /** The same in a sentence. */
  readonly text: string;
}

export interface NodeDetail {
  readonly id: string;
  readonly zone: string;
  readonly mark: Mark;
  readonly because: string;
  readonly since?: number;
  readonly facts: readonly Fact[];
  readonly checks: readonly CheckView[];
  readonly latency: readonly LatencyView[];
  readonly history: HistoryView;
  readonly figures?: NodeFigures;
}

/** A node of many: what says whether to look at it. */
export interface NodeRow {
  readonly id: string;
  readonly href: string;
  readonly isChosen: boolean;
  readonly mark: Mark;
  /** Empty of one that is well. */
  readonly because: string;
  readonly lag: string;
  readonly uptime: UptimeView;
}

/** Of a service with more nodes than these, one is shown at a time. */
export const SIDE_BY_SIDE = 6;

export interface ServiceDetail {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mark: Mark;
  readonly because: string;
  readonly since?: number;
  readonly facts: readonly Fact[];
  readonly history: HistoryView;
  /** The head of its chain; absent without one. */
  readonly chain?: ChainView;
  readonly methods: readonly MethodView[];
  /** All of few; of many the one that was chosen. */
  readonly nodes: readonly NodeDetail[];
  /** All of many; empty of few. */
  readonly list: readonly NodeRow[];
  readonly figures?: FiguresView;
  /** Those that watch it. */
  readonly regions: readonly RegionView[];
  /** Active and planned. */
  readonly maintenance: readonly MaintenanceView[];
  /** Those that name it, newest first. */
  readonly incidents: readonly IncidentView[];
}

/** Undefined when there is no such service, or it has no such node, method or region. */
export function serviceDetail(
  id: string,
  frame: Frame,
  selection: Selection = {},
): ServiceDetail | undefined {
  const service = frame.snapshot?.services.find((service) => service.id === id);
  if (!service) return undefined;
  const { node, method, region } = selection;
  if (node !== undefined && !service.nodes.some(({ id }) => id === node)) return undefined;
  const numbers = frame.details?.get(id);
  const figures = numbers && figuresView(numbers, selection, regionNames(frame));
  if (figures === undefined && (numbers ?? method ?? region) !== undefined) return undefined;
  const stale = freshness(frame).kind === 'stale';
  const areMany = service.nodes.length > SIDE_BY_SIDE;
  const nodes = areMany ? service.nodes.filter(({ id }) => id === node) : service.nodes;
  const chain = chainView(areMany ? { ...service, nodes: [] } : service, frame, stale);
  return {
    id,
    name: service.name,
    description: service.description ?? '',
    mark: serviceMark(service, stale),
    because: serviceBecause(service, stale),
    ...serviceSince(service, frame, stale),
    facts: serviceFacts(service),
    ...(chain ? { chain } : {}),
    ...(figures ? { figures } : {}),
    methods: methodViews(nodes),
    history: historyView(service, frame.now),
    nodes: nodes.map((node) => ({
      ...nodeDetail(node, frame, stale),
      mark: nodeMarkUnder(nodeMark(node, stale), service, node.id, frame),
      ...(numbers ? { figures: nodeFigures(numbers, node.id) } : {}),
    })),
    list: areMany ? service.nodes.map((node) => nodeRow(node, service, frame, selection)) : [],
    regions: regionViews(frame).filter(({ id }) => watchesIt(service, id)),
    maintenance: maintenanceOf(id, frame),
    incidents: (frame.snapshot?.incidents ?? [])
      .filter((incident) => incident.services.includes(id))
      .map((incident) => incidentView(incident, frame)),
  };
}

function regionNames(frame: Frame): (id: string) => string {
  const names = new Map(frame.snapshot?.regions.map((region) => [region.id, region.name]));
  return (id) => names.get(id) ?? id;
}

function nodeRow(node: PublicNode, service: PublicService, frame: Frame, selection: Selection): NodeRow {
  const stale = freshness(frame).kind === 'stale';
  const counted = periodOf(frame.details?.get(service.id), `${service.id}/${node.id}`, '90d');
  return {
    id: node.id,
    href: addressOf(service.id, { ...selection, node: node.id }, 'nodes'),
    isChosen: node.id === selection.node,
    mark: nodeMarkUnder(nodeMark(node, stale), service, node.id, frame),
    because: !stale && node.status === 'up' ? '' : nodeBecause(node, stale),
    lag: node.lagBlocks === undefined ? '' : lagText(node) || 'level',
    uptime: uptimeView(counted?.uptime ?? node.uptime),
  };
}

function watchesIt({ nodes }: PublicService, region: string): boolean {
  return nodes.some(({ checks }) =>
    checks.some((check) => check.regions.some((vote) => vote.region === region)),
  );
}

/** When the status began; not said of one that is no longer known. */
function since(of: { since?: number | undefined }, stale: boolean): { since?: number } {
  return of.since === undefined || stale ? {} : { since: of.since };
}

/** When what the mark says began: behind `Under maintenance` that is the maintenance, and not the verdict. */
function serviceSince(service: PublicService, frame: Frame, stale: boolean): { since?: number } {
  if (service.component !== 'under_maintenance') return since(service, stale);
  return since({ since: maintainedSince(service.id, frame) }, stale);
}

function serviceFacts({ objectiveRatio }: PublicService): readonly Fact[] {
  return objectiveRatio === undefined ? [] : [{ name: 'Objective', value: formatRatio(objectiveRatio) }];
}

function nodeDetail(node: PublicNode, frame: Frame, stale: boolean): NodeDetail {
  const regionName = regionNames(frame);
  // All regions of a node share one scale.
  const highest = highestOf(node.latency.map((series) => series.hourlyTenths));
  return {
    id: node.id,
    zone: node.zone,
    mark: nodeMark(node, stale),
    because: nodeBecause(node, stale),
    ...since(node, stale),
    facts: nodeFacts(node, frame),
    checks: node.checks.map((check) => ({
      id: check.id,
      name: checkName(check),
      mark: stale ? statusMarks.unknown : statusMarks[check.status],
      because: stale ? lastKnown(statusMarks[check.status].word) : check.because,
      answers: check.regions.map((vote) => ({
        region: regionName(vote.region),
        mark: stale ? statusMarks.unknown : answerMark(vote),
        latency: vote.latencyTenths === undefined ? '' : formatTenths(vote.latencyTenths),
        ...(vote.at === undefined ? {} : { at: vote.at }),
        // In words below the check: its id says nothing of the node.
        fault: isOfProbe(vote) ? '' : (vote.fault ?? ''),
      })),
      meanings: meanings(check.regions),
    })),
    latency: node.latency.map((series) =>
      latencyView(regionName(series.region), series.hourlyTenths, highest),
    ),
    history: historyView(node, frame.now),
  };
}

function checkName({ id, family }: PublicNode['checks'][number]): string {
  return family === undefined ? id : `${id.replace(/\.v[46]$/, '')} over IPv${family}`;
}

type Vote = PublicNode['checks'][number]['regions'][number];

/** A trouble of the region's probe, and none of the check. */
function isOfProbe({ status, fault }: Vote): boolean {
  const known = fault === undefined ? undefined : faultFromId(fault);
  return status === 'unknown' && known !== undefined && isWholeProbe(known);
}

function answerMark(vote: Vote): Mark {
  if (isSkipped(vote)) return { tone: 'unknown', word: 'Skipped' };
  return isOfProbe(vote) ? { tone: 'unknown', word: 'No answer that counts' } : statusMarks[vote.status];
}

/** A refusal where the check has `refusals: skip`. */
function isSkipped({ status, fault }: Vote): boolean {
  const known = fault === undefined ? undefined : faultFromId(fault);
  return status === 'unknown' && known !== undefined && isRefusal(known);
}

/** Each fault once; where an answer does not count, that it doesn't. */
function meanings(votes: readonly Vote[]): readonly string[] {
  const sentences = votes.flatMap((vote) => {
    const means = vote.fault === undefined ? undefined : faultMeanings[vote.fault]?.means;
    if (means === undefined) return [];
    if (isSkipped(vote)) return `Skipped: ${means} It counts neither way.`;
    return isOfProbe(vote) ? `No answer that counts: ${means}` : means;
  });
  return [...new Set(sentences)];
}

function nodeFacts(node: PublicNode, frame: Frame): readonly Fact[] {
  const { height, finalizedHeight, headAt } = node;
  const lag = node.lagBlocks === undefined ? '' : lagText(node) || 'level with the agreed head';
  return [
    ...(height === undefined ? [] : [{ name: 'Height', value: formatCount(height) }]),
    ...(lag ? [{ name: 'Lag', value: lag }] : []),
    ...(finalizedHeight === undefined ? [] : [{ name: 'Finalized', value: finalizedText(node) }]),
    ...(headAt === undefined
      ? []
      : [{ name: 'Age of its newest block', value: formatSpan(frame.now - headAt) }]),
  ];
}

/** One region's hours as a line with gaps where nothing was measured. */
export function latencyView(
  region: string,
  hours: readonly (number | null)[],
  highestOfAll: number,
): LatencyView {
  const measured = hours.filter((value) => value !== null);
  const words =
    measured.length === 0
      ? { latest: '', highest: '' }
      : {
          latest: formatTenths(measured.at(-1) ?? 0),
          highest: formatTenths(Math.max(...measured)),
        };
  const gaps = hours.length - measured.length;
  return {
    region,
    path: sparkline(hours, highestOfAll),
    ...words,
    text:
      measured.length === 0
        ? `${region}: nothing measured in ${plural(hours.length, 'hour')}.`
        : `${region}, medians of the last ${plural(hours.length, 'hour')}: latest ${words.latest}, highest ${words.highest}` +
          (gaps > 0 ? `, nothing measured in ${plural(gaps, 'hour')}.` : '.'),
  };
}
