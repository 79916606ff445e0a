/** Our own API: what the pages say of services, as data. Times are Unix ms, ratios and minutes integers as in the snapshot. */
import type { PublicService } from '@highwater/config/public.ts';
import { freshness, siteUrl, type Frame } from './frame.ts';
import { componentState } from './statuspage.ts';

/** How old it all is; on every answer, since a status without its age says nothing. */
function about(frame: Frame) {
  const { snapshot } = frame;
  const fresh = freshness(frame);
  return {
    site: { name: snapshot?.site.name ?? 'Status', url: siteUrl(frame) },
    observedAt: snapshot?.observedAt ?? null,
    generatedAt: snapshot?.generatedAt ?? null,
    staleAfterMs: snapshot?.staleAfterMs ?? null,
    stale: fresh.kind === 'stale',
  };
}

function brief(service: PublicService, frame: Frame) {
  const stale = freshness(frame).kind === 'stale';
  return {
    id: service.id,
    name: service.name,
    description: service.description ?? null,
    group: service.group ?? null,
    /** Unknown on stale data; `lastKnown` is what was said then. */
    status: stale ? 'unknown' : service.status,
    lastKnown: service.status,
    component: componentState(service, frame).status,
    since: stale ? null : (service.since ?? null),
    because: service.because,
    head: service.head ?? null,
    uptime: service.uptime,
    objectiveRatio: service.objectiveRatio ?? null,
    url: `${siteUrl(frame)}/services/${service.id}`,
  };
}

/** GET /api/services.json */
export function servicesAnswer(frame: Frame) {
  return {
    ...about(frame),
    holds: frame.snapshot?.holds ?? null,
    regions: frame.snapshot?.regions ?? [],
    services: (frame.snapshot?.services ?? []).map((service) => ({
      ...brief(service, frame),
      nodes: service.nodes.map((node) => node.id),
    })),
  };
}

/** GET /api/services/ID.json; undefined when there is no such service. */
export function serviceAnswer(id: string, frame: Frame) {
  const service = frame.snapshot?.services.find((service) => service.id === id);
  if (!service) return undefined;
  const stale = freshness(frame).kind === 'stale';
  const nodes = service.nodes.map((node) => ({
    ...node,
    lastKnown: node.status,
    status: stale ? 'unknown' : node.status,
  }));
  return {
    ...about(frame),
    service: { ...brief(service, frame), days: service.days, nodes },
    /** Numbers and charts, with a `generatedAt` of their own; null as long as they never came. */
    detail: frame.details?.get(id) ?? null,
  };
}
