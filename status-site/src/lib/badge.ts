/** Badges: what they say. The picture is drawn by badge-maker, the JSON is what shields.io's endpoint reads. */
import type { PublicServiceDetail } from '@highwater/config/public-detail.ts';
import type { PublicService, PublicUptime } from '@highwater/config/public.ts';
import { formatCount, formatTenths } from './format.ts';
import { freshness, type Frame } from './frame.ts';
import { periodOf } from './numbers.ts';
import { serviceMark } from './view.ts';
import type { Tone } from './words.ts';

export interface Badge {
  readonly label: string;
  /** Never empty: shields refuses that. */
  readonly message: string;
  readonly color: string;
}

const noData = (label: string): Badge => ({ label, message: 'no data', color: 'lightgrey' });

const colors: Readonly<Record<Tone, string>> = {
  up: 'brightgreen',
  degraded: 'yellow',
  partial: 'orange',
  down: 'red',
  unknown: 'lightgrey',
  maintenance: 'blue',
};

const messages: Readonly<Record<Tone, string>> = {
  up: 'up',
  degraded: 'degraded',
  partial: 'partial outage',
  down: 'down',
  unknown: 'no data',
  maintenance: 'maintenance',
};

const answered: ReadonlySet<string> = new Set(['up', 'degraded']);

type Metric = (service: PublicService, stale: boolean) => Badge;

/** What can be asked of a service. What is of now says `no data` when the data is stale; uptime is history. */
export const metrics: Readonly<Record<string, Metric>> = {
  status(service, stale) {
    const { tone } = serviceMark(service, stale);
    return { label: service.name, message: messages[tone], color: colors[tone] };
  },
  uptime(service, stale) {
    return uptimeBadge('90d', service.uptime, service, stale);
  },
  latency(service, stale) {
    const tenths = service.nodes.flatMap((node) =>
      node.checks.flatMap((check) =>
        check.regions.flatMap((vote) => (answered.has(vote.status) ? (vote.latencyTenths ?? []) : [])),
      ),
    );
    const middle = median(tenths);
    if (stale || middle === undefined) return noData('latency');
    return { label: 'latency', message: formatTenths(middle), color: 'blue' };
  },
  height(service, stale) {
    if (stale || !service.head) return noData('height');
    return { label: 'height', message: formatCount(service.head.height), color: 'blue' };
  },
};

function uptimeBadge(
  period: string,
  uptime: PublicUptime,
  { objectiveRatio }: PublicService,
  stale: boolean,
): Badge {
  const label = `uptime ${period}`;
  const { figure, atLeast } = uptime;
  const text = figure ?? atLeast;
  if (text === undefined) return noData(label);
  const message = (figure === undefined ? '≥ ' : '') + text.replaceAll(' ', '');
  return { label, message, color: stale ? 'lightgrey' : uptimeColor(text, objectiveRatio) };
}

/** Against its own objective where it has one; without one no colour judges it. */
function uptimeColor(text: string, objectiveRatio: number | undefined): string {
  const percent = Number.parseFloat(text);
  if (objectiveRatio === undefined || Number.isNaN(percent)) return 'blue';
  // Both are whole millionths: as fractions 99.96 % would be below 0.9996.
  const isHeld = Math.round(percent * 10_000) >= Math.round(objectiveRatio * 1_000_000);
  return isHeld ? 'brightgreen' : 'orange';
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

export type BadgeAnswer = { readonly badge: Badge } | { readonly status: 400 | 404; readonly error: string };

const periodPattern = /^(24h|7d|30d|90d|[0-9]{4}-(0[1-9]|1[0-2]))$/;

/** The badge of one metric (default `status`), of uptime by period (default `90d`), or why there is none. */
export function badgeFor(
  id: string,
  metric: string | null,
  frame: Frame,
  period: string | null = null,
): BadgeAnswer {
  const name = metric ?? 'status';
  const draw = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (!draw) return { status: 400, error: `metric must be one of ${Object.keys(metrics).join(', ')}` };
  if (period !== null && (name !== 'uptime' || !periodPattern.test(period)))
    return { status: 400, error: 'period is of uptime, and one of 24h, 7d, 30d, 90d or a month as 2026-11' };
  const service = frame.snapshot?.services.find((service) => service.id === id);
  if (!service) {
    // Before the first snapshot nobody can say which services there are.
    return frame.snapshot ? { status: 404, error: 'no service has this name' } : { badge: noData('status') };
  }
  const stale = freshness(frame).kind !== 'fresh';
  if (period !== null) return periodBadge(period, service, frame.details?.get(id), stale);
  return { badge: draw(service, stale) };
}

function periodBadge(
  period: string,
  service: PublicService,
  detail: PublicServiceDetail | undefined,
  stale: boolean,
): BadgeAnswer {
  const counted =
    periodOf(detail, service.id, period)?.uptime ?? (period === '90d' ? service.uptime : undefined);
  if (counted !== undefined) return { badge: uptimeBadge(period, counted, service, stale) };
  // Months that are not counted are without number.
  if (detail !== undefined) return { status: 404, error: 'this period is not counted' };
  return { badge: noData(`uptime ${period}`) };
}
