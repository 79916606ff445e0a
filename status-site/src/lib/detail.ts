/** From a frame to the page of one service. Pure. */
import { faultMeanings } from '@highwater/config/faults.ts';
import type { PublicNode, PublicService } from '@highwater/config/public.ts';
import { formatCount, formatRatio, formatSpan, formatTenths, plural } from './format.ts';
import { freshness, type Frame } from './frame.ts';
import {
  historyView,
  incidentView,
  lagText,
  lastKnown,
  nodeBecause,
  nodeMark,
  serviceBecause,
  serviceMark,
  type HistoryView,
  type IncidentView,
} from './view.ts';
import { statusMarks, type Mark } from './words.ts';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

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
  readonly mark: Mark;
  readonly because: string;
  readonly answers: readonly AnswerView[];
  /** What each fault that occurs means, once, in a sentence. */
  readonly meanings: readonly string[];
}

export interface LatencyView {
  readonly region: string;
  /** SVG paths: one for each stretch without a gap, in a box of 240 by 40. */
  readonly path: string;
  readonly latest: string;
  readonly mean: string;
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
}

export interface ServiceDetail {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly mark: Mark;
  readonly because: string;
  readonly since?: number;
  readonly facts: readonly Fact[];
  readonly history: HistoryView;
  readonly nodes: readonly NodeDetail[];
  /** Those that name it, newest first. */
  readonly incidents: readonly IncidentView[];
}

/** Undefined when the snapshot has no such service. */
export function serviceDetail(id: string, frame: Frame): ServiceDetail | undefined {
  const service = frame.snapshot?.services.find((service) => service.id === id);
  if (!service) return undefined;
  const stale = freshness(frame).kind === 'stale';
  return {
    id,
    name: service.name,
    description: service.description ?? '',
    mark: serviceMark(service, stale),
    because: serviceBecause(service, stale),
    ...since(service, stale),
    facts: serviceFacts(service, frame),
    history: historyView(service, frame.now),
    nodes: service.nodes.map((node) => nodeDetail(node, frame, stale)),
    incidents: (frame.snapshot?.incidents ?? [])
      .filter((incident) => incident.services.includes(id))
      .map((incident) => incidentView(incident, frame)),
  };
}

/** When the status began; not said of one that is no longer known. */
function since(of: { since?: number | undefined }, stale: boolean): { since?: number } {
  return of.since === undefined || stale ? {} : { since: of.since };
}

function serviceFacts(service: PublicService, frame: Frame): readonly Fact[] {
  const { head, objectiveRatio } = service;
  return [
    ...(head
      ? [
          { name: 'Chain', value: head.chain },
          { name: 'Agreed height', value: formatCount(head.height) },
          { name: 'Age of its newest block', value: formatSpan(frame.now - head.at) },
          { name: 'Agreed from', value: plural(head.nodes, 'node') },
        ]
      : []),
    ...(objectiveRatio === undefined ? [] : [{ name: 'Objective', value: formatRatio(objectiveRatio) }]),
  ];
}

function nodeDetail(node: PublicNode, frame: Frame, stale: boolean): NodeDetail {
  const names = new Map(frame.snapshot?.regions.map((region) => [region.id, region.name]));
  const regionName = (id: string) => names.get(id) ?? id;
  return {
    id: node.id,
    zone: node.zone,
    mark: nodeMark(node, stale),
    because: nodeBecause(node, stale),
    ...since(node, stale),
    facts: nodeFacts(node, frame),
    checks: node.checks.map((check) => ({
      id: check.id,
      mark: stale ? statusMarks.unknown : statusMarks[check.status],
      because: stale ? lastKnown(statusMarks[check.status].word) : check.because,
      answers: check.regions.map((vote) => ({
        region: regionName(vote.region),
        mark: stale ? statusMarks.unknown : statusMarks[vote.status],
        latency: vote.latencyTenths === undefined ? '' : formatTenths(vote.latencyTenths),
        ...(vote.at === undefined ? {} : { at: vote.at }),
        fault: vote.fault ?? '',
      })),
      meanings: meanings(check.regions.flatMap((vote) => vote.fault ?? [])),
    })),
    latency: node.latency.map((series) =>
      latencyView(regionName(series.region), series.hourlyTenths, scaleOf(node)),
    ),
    history: historyView(node, frame.now),
  };
}

function meanings(faults: readonly string[]): readonly string[] {
  return [...new Set(faults)].flatMap((fault) => faultMeanings[fault]?.means ?? []);
}

function nodeFacts(node: PublicNode, frame: Frame): readonly Fact[] {
  const lag = node.lagBlocks === undefined ? '' : lagText(node.lagBlocks) || 'level with the agreed head';
  return [
    ...(node.height === undefined ? [] : [{ name: 'Height', value: formatCount(node.height) }]),
    ...(lag ? [{ name: 'Lag', value: lag }] : []),
    ...(node.headAt === undefined
      ? []
      : [{ name: 'Age of its newest block', value: formatSpan(frame.now - node.headAt) }]),
  ];
}

export const CHART_WIDTH = 240;
export const CHART_HEIGHT = 40;

/** All regions of a node share one scale, from 0 to the highest hour, so that lines can be compared. */
function scaleOf(node: PublicNode): number {
  return Math.max(1, ...node.latency.flatMap((series) => series.hourlyTenths.map((value) => value ?? 0)));
}

/** One region's hours as a line with gaps where nothing was measured. */
export function latencyView(
  region: string,
  hours: readonly (number | null)[],
  highestOfAll: number,
): LatencyView {
  const measured = hours.filter((value) => value !== null);
  const sum = measured.reduce((total, value) => total + value, 0);
  const words =
    measured.length === 0
      ? { latest: '', mean: '', highest: '' }
      : {
          latest: formatTenths(measured.at(-1) ?? 0),
          mean: formatTenths(sum / measured.length),
          highest: formatTenths(Math.max(...measured)),
        };
  const gaps = hours.length - measured.length;
  return {
    region,
    path: linePath(hours, highestOfAll),
    ...words,
    text:
      measured.length === 0
        ? `${region}: nothing measured in ${plural(hours.length, 'hour')}.`
        : `${region}, hourly means of the last ${plural(hours.length, 'hour')}: mean ${words.mean}, highest ${words.highest}` +
          (gaps > 0 ? `, nothing measured in ${plural(gaps, 'hour')}.` : '.'),
  };
}

function linePath(hours: readonly (number | null)[], highest: number): string {
  const step = CHART_WIDTH / Math.max(1, hours.length - 1);
  const top = 2;
  return hours
    .map((value, index) => {
      if (value === null) return '';
      const y = CHART_HEIGHT - 1 - (value / highest) * (CHART_HEIGHT - 1 - top);
      const point = `${round(index * step)} ${round(y)}`;
      const begins = hours[index - 1] === null || index === 0;
      const alone = begins && (hours[index + 1] === null || index === hours.length - 1);
      return begins ? `M${point}${alone ? 'h1' : ''}` : `L${point}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
