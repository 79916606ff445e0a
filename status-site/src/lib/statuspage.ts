/**
 * The Statuspage v2 shapes, so that readers written for that API read this page too: services are
 * components, groups are group rows. The rule for unknown and stale is CONTRACTS "Statuspage words".
 */
import type {
  PublicIncident,
  PublicMaintenance,
  PublicService,
  PublicSnapshot,
} from '@highwater/config/public.ts';
import { createHash } from 'node:crypto';
import { formatInstant, formatIso } from './format.ts';
import { freshness, siteUrl, type Frame } from './frame.ts';
import { maintainedSince, maintenanceUrl, stateOf, stepsOf, type MaintenanceState } from './maintenance.ts';
import { isOpen } from './view.ts';
import type { Component } from './words.ts';

export type Indicator = 'none' | 'minor' | 'major' | 'critical' | 'maintenance';
const MAX_INCIDENTS = 50;

/** Stable and opaque: the same thing keeps its id for as long as its own name stays. */
export function opaqueId(kind: 'page' | 'component' | 'group', name: string): string {
  return createHash('sha256').update(`${kind}\0${name}`).digest('hex').slice(0, 12);
}

export interface ComponentState {
  readonly status: Component;
  readonly description: string | null;
  /** The word comes from silence, not from a verdict. */
  readonly silent: boolean;
}

/**
 * What a component says: unknown keeps the last word until it is stale, then, and before the first verdict,
 * it is degraded and says since when there is no data. Nothing is operational on stale data.
 */
export function componentState(service: PublicService, frame: Frame): ComponentState {
  const since = silentSince(service, frame);
  if (since === undefined)
    return { status: service.component, description: service.description ?? null, silent: false };
  const description = `No current data since ${formatInstant(since)}`;
  return { status: 'degraded_performance', description, silent: true };
}

/** Since when nothing is known of it; undefined while its last word holds. */
function silentSince(service: PublicService, frame: Frame): number | undefined {
  const fresh = freshness(frame);
  if (fresh.kind === 'none') return frame.now;
  if (fresh.kind !== 'fresh') return fresh.since;
  if (service.status !== 'unknown') return undefined;
  // What is declared is known, whatever is seen.
  if (service.component === 'under_maintenance') return undefined;
  const { since } = service;
  if (since === undefined) return frame.snapshot?.startedAt;
  // The collector itself says so when there was never a verdict, or the last word has lapsed.
  if (service.component === 'degraded_performance') return since;
  return frame.now - since > (frame.snapshot?.staleAfterMs ?? 0) ? since : undefined;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly status: Component;
  readonly created_at: string;
  readonly updated_at: string;
  readonly position: number;
  readonly description: string | null;
  readonly showcase: boolean;
  readonly start_date: string | null;
  readonly group_id: string | null;
  readonly page_id: string;
  readonly group: boolean;
  readonly only_show_if_degraded: boolean;
  readonly components?: readonly string[];
}

const severity: readonly Component[] = [
  'operational',
  'under_maintenance',
  'degraded_performance',
  'partial_outage',
  'major_outage',
];

function worstOf(statuses: readonly Component[]): Component {
  return severity[Math.max(0, ...statuses.map((status) => severity.indexOf(status)))] ?? 'operational';
}

function rows(snapshot: PublicSnapshot, frame: Frame): readonly Row[] {
  const page_id = pageId(snapshot);
  const created_at = formatIso(snapshot.startedAt);
  const base = { created_at, showcase: true, start_date: null, page_id, only_show_if_degraded: false };
  const components: Row[] = snapshot.services.map((service, index) => {
    const { status, description } = componentState(service, frame);
    return {
      ...base,
      id: opaqueId('component', service.id),
      name: service.name,
      status,
      // A maintenance that began later than what the checks say is what changed last.
      updated_at: formatIso(
        Math.max(service.since ?? snapshot.startedAt, maintainedSince(service.id, frame) ?? 0),
      ),
      position: index + 1,
      description,
      group_id: service.group === undefined ? null : opaqueId('group', service.group),
      group: false,
    };
  });
  const names = [...new Set(snapshot.services.flatMap((service) => service.group ?? []))];
  const groups: Row[] = names.map((name, index) => {
    const id = opaqueId('group', name);
    const members = components.filter((component) => component.group_id === id);
    return {
      ...base,
      id,
      name,
      status: worstOf(members.map((member) => member.status)),
      updated_at:
        members
          .map((member) => member.updated_at)
          .toSorted()
          .at(-1) ?? created_at,
      position: components.length + index + 1,
      description: null,
      group_id: null,
      group: true,
      components: members.map((member) => member.id),
    };
  });
  return [...components, ...groups];
}

function pageId(snapshot: PublicSnapshot): string {
  return opaqueId('page', snapshot.site.url);
}

function pageRow(frame: Frame) {
  const { snapshot } = frame;
  return {
    id: snapshot ? pageId(snapshot) : opaqueId('page', siteUrl(frame)),
    name: snapshot?.site.name ?? 'Status',
    url: siteUrl(frame),
    time_zone: 'Etc/UTC',
    updated_at: formatIso(changedAt(frame)),
  };
}

/** When a status, an incident or a maintenance last changed: an answer that says the same keeps its ETag. */
function changedAt({ snapshot, now }: Frame): number {
  if (!snapshot) return 0;
  return Math.max(
    snapshot.startedAt,
    ...snapshot.services.map((service) => service.since ?? 0),
    ...snapshot.incidents.map((incident) => incident.updatedAt),
    ...snapshot.maintenance.flatMap((one) => stepsOf(one, now).map(({ at }) => at)),
  );
}

const rank: Readonly<Record<Indicator, number>> = {
  none: 0,
  maintenance: 1,
  minor: 2,
  major: 3,
  critical: 4,
};
const indicatorOf: Readonly<Record<Component, Indicator>> = {
  operational: 'none',
  under_maintenance: 'maintenance',
  degraded_performance: 'minor',
  partial_outage: 'minor',
  major_outage: 'major',
};

function statusRow(frame: Frame): { indicator: Indicator; description: string } {
  const { snapshot } = frame;
  if (!snapshot) return { indicator: 'minor', description: 'No data yet' };
  const open = snapshot.incidents.filter(isOpen);
  const states = snapshot.services.map((service) => componentState(service, frame));
  const candidates: readonly Indicator[] = [
    freshness(frame).kind === 'fresh' ? 'none' : 'minor',
    ...states.map((state) => indicatorOf[state.status]),
    ...open.map((incident) => incident.impact),
  ];
  const indicator = candidates.reduce((worst, one) => (rank[one] > rank[worst] ? one : worst));
  return { indicator, description: describe(indicator, states, frame) };
}

/** The sentences that readers of that API know, and an honest one where there is no data. */
function describe(indicator: Indicator, states: readonly ComponentState[], frame: Frame): string {
  const fresh = freshness(frame);
  if (fresh.kind === 'stale') return `No current data since ${formatInstant(fresh.since)}`;
  if (fresh.kind === 'waiting') return 'Waiting for the first answers';
  const down = states.filter((state) => state.status === 'major_outage').length;
  const partial = states.some((state) => state.status === 'partial_outage');
  const silent = states.filter((state) => state.silent).length;
  if (down > 0) return down === states.length ? 'Major Service Outage' : 'Partial System Outage';
  if (partial) return 'Partial System Outage';
  if (silent > 0) return `No current data for ${silent} of ${states.length} services`;
  return descriptions[indicator];
}

const descriptions: Readonly<Record<Indicator, string>> = {
  none: 'All Systems Operational',
  maintenance: 'Service Under Maintenance',
  minor: 'Partially Degraded Service',
  major: 'Major Service Outage',
  critical: 'Major Service Outage',
};

function incidentRow(incident: PublicIncident, components: readonly Row[], frame: Frame) {
  const page_id = frame.snapshot ? pageId(frame.snapshot) : '';
  const ids = new Set(incident.services.map((id) => opaqueId('component', id)));
  const affected = components.filter((component) => ids.has(component.id));
  const monitoring = incident.updates.find((update) => update.phase === 'monitoring');
  return {
    id: incident.id,
    name: incident.title,
    status: incident.phase,
    created_at: formatIso(incident.startedAt),
    updated_at: formatIso(incident.updatedAt),
    monitoring_at: monitoring ? formatIso(monitoring.at) : null,
    resolved_at: incident.resolvedAt === undefined ? null : formatIso(incident.resolvedAt),
    impact: incident.impact,
    shortlink: `${siteUrl(frame)}/incidents/${incident.id}`,
    started_at: formatIso(incident.startedAt),
    page_id,
    incident_updates: incident.updates
      .toSorted((a, b) => b.at - a.at)
      .map((update) => ({
        ...updateRow(update.id, incident.id, update.at),
        status: update.phase,
        body: update.body,
      })),
    components: affected,
  };
}

/** What all updates have, whatever they are of. */
function updateRow(id: string, incident_id: string, at: number) {
  const time = formatIso(at);
  return {
    id,
    incident_id,
    created_at: time,
    updated_at: time,
    display_at: time,
    affected_components: null,
    deliver_notifications: true,
    custom_tweet: null,
    tweet_id: null,
  };
}

/** The answers by path under /api/v2/, without `.json`. */
export const statuspageAnswers: Readonly<Record<string, (frame: Frame) => object>> = {
  summary: (frame) => ({
    page: pageRow(frame),
    components: allRows(frame),
    incidents: incidents(frame, isOpen),
    scheduled_maintenances: maintenances(frame, ['active', 'planned']),
    status: statusRow(frame),
  }),
  status: (frame) => ({ page: pageRow(frame), status: statusRow(frame) }),
  components: (frame) => ({ page: pageRow(frame), components: allRows(frame) }),
  incidents: (frame) => ({ page: pageRow(frame), incidents: incidents(frame, () => true) }),
  'incidents/unresolved': (frame) => ({ page: pageRow(frame), incidents: incidents(frame, isOpen) }),
  'scheduled-maintenances': (frame) => maintenanceAnswer(frame, ['planned', 'active', 'over', 'cancelled']),
  'scheduled-maintenances/upcoming': (frame) => maintenanceAnswer(frame, ['planned']),
  'scheduled-maintenances/active': (frame) => maintenanceAnswer(frame, ['active']),
};

function maintenanceAnswer(frame: Frame, states: readonly MaintenanceState[]) {
  return { page: pageRow(frame), scheduled_maintenances: maintenances(frame, states) };
}

function allRows(frame: Frame): readonly Row[] {
  return frame.snapshot ? rows(frame.snapshot, frame) : [];
}

function incidents(frame: Frame, which: (incident: PublicIncident) => boolean) {
  const components = allRows(frame);
  return (frame.snapshot?.incidents ?? [])
    .filter(which)
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .slice(0, MAX_INCIDENTS)
    .map((incident) => incidentRow(incident, components, frame));
}

/** The newest fifty, the last to begin first. */
function maintenances(frame: Frame, states: readonly MaintenanceState[]) {
  const components = allRows(frame);
  return (frame.snapshot?.maintenance ?? [])
    .filter((one) => states.includes(stateOf(one, frame.now)))
    .toSorted((a, b) => b.startsAt - a.startsAt)
    .slice(0, MAX_INCIDENTS)
    .map((one) => maintenanceRow(one, components, frame));
}

/** The shape of an incident with the hours it is planned for. Of a node the service is the component. */
function maintenanceRow(one: PublicMaintenance, components: readonly Row[], frame: Frame) {
  const ids = new Set(one.of.map((subject) => opaqueId('component', subject.split('/')[0] ?? '')));
  const steps = stepsOf(one, frame.now).toReversed();
  const completed = steps.find(({ status }) => status === 'completed');
  return {
    id: one.id,
    name: one.title,
    status: steps[0]?.status ?? 'scheduled',
    created_at: formatIso(one.declaredAt),
    updated_at: formatIso(steps[0]?.at ?? one.declaredAt),
    monitoring_at: null,
    resolved_at: completed ? formatIso(completed.at) : null,
    impact: 'maintenance',
    shortlink: maintenanceUrl(one.id, frame),
    started_at: formatIso(one.startsAt),
    page_id: frame.snapshot ? pageId(frame.snapshot) : '',
    incident_updates: steps.map((step) => ({
      ...updateRow(step.id, one.id, step.at),
      status: step.status,
      body: step.body,
    })),
    components: components.filter((component) => ids.has(component.id)),
    scheduled_for: formatIso(one.startsAt),
    scheduled_until: formatIso(one.endsAt),
  };
}
