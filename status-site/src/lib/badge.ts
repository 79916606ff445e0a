/** Badges: what they say. The picture is drawn by badge-maker, the JSON is what shields.io's endpoint reads. */
import type { PublicService } from '@highwater/config/public.ts';
import { formatCount, formatTenths } from './format.ts';
import { freshness, type Frame } from './frame.ts';
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
    const label = 'uptime 90d';
    const { figure, atLeast } = service.uptime;
    const color = stale ? 'lightgrey' : uptimeColor(service);
    if (figure !== undefined) return { label, message: figure.replaceAll(' ', ''), color };
    return atLeast === undefined
      ? noData(label)
      : { label, message: `≥ ${atLeast.replaceAll(' ', '')}`, color };
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

/** Against its own objective where it has one; without one no colour judges it. */
function uptimeColor(service: PublicService): string {
  const { objectiveRatio, uptime } = service;
  const percent = Number.parseFloat(uptime.figure ?? uptime.atLeast ?? '');
  if (objectiveRatio === undefined || Number.isNaN(percent)) return 'blue';
  return percent >= objectiveRatio * 100 ? 'brightgreen' : 'orange';
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

export type BadgeAnswer = { readonly badge: Badge } | { readonly status: 400 | 404; readonly error: string };

/** The badge of one metric (default `status`), or why there is none. */
export function badgeFor(id: string, metric: string | null, frame: Frame): BadgeAnswer {
  const name = metric ?? 'status';
  const draw = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  if (!draw) return { status: 400, error: `metric must be one of ${Object.keys(metrics).join(', ')}` };
  const service = frame.snapshot?.services.find((service) => service.id === id);
  if (!service) {
    // Before the first snapshot nobody can say which services there are.
    return frame.snapshot ? { status: 404, error: 'no service has this name' } : { badge: noData('status') };
  }
  return { badge: draw(service, freshness(frame).kind !== 'fresh') };
}
