import type { Incident, Phase } from '@highwater/config/domain.ts';
import type { Config } from '@highwater/config/model.ts';
import type { PublicIncident } from '@highwater/config/public.ts';
import { DAY_MS, type Instant } from '@highwater/config/time.ts';

const MAX_INCIDENTS = 100;
const KEPT_MS = 90 * DAY_MS;

const phaseWords: Readonly<Record<Phase, string>> = {
  investigating: 'This is being investigated.',
  identified: 'The cause is known.',
  monitoring: 'A remedy is in place and being watched.',
  resolved: 'This is over.',
};

/** What the public may read of an incident; undefined when it concerns nothing public. */
export function publicIncident(
  incident: Incident,
  names: ReadonlyMap<string, string>,
): PublicIncident | undefined {
  const services = incident.services.filter((id) => names.has(id));
  if (incident.impact === 'none' || services.length === 0) return undefined;
  // Texts of a story that also tells of private services may name them.
  const mixed = services.length < incident.services.length;
  const { id, title, impact, phase, startedAt, updatedAt, resolvedAt } = incident;
  return {
    id,
    title: mixed ? `Trouble with ${services.map((each) => names.get(each)).join(', ')}` : title,
    impact,
    phase,
    startedAt,
    updatedAt,
    ...(resolvedAt === undefined ? {} : { resolvedAt }),
    services,
    nodes: incident.nodes.filter((node) => names.has(node.slice(0, node.indexOf('/')))),
    updates: incident.updates.map((update) => ({
      id: update.id,
      at: update.at,
      phase: update.phase,
      body: mixed ? phaseWords[update.phase] : update.body,
    })),
  };
}

/** Newest first: all that are open, and those of the last 90 days, at most 100. */
export function publicIncidents(
  config: Config,
  incidents: readonly Incident[],
  now: Instant,
): PublicIncident[] {
  const names = new Map(config.services.filter((s) => s.visibility === 'public').map((s) => [s.id, s.name]));
  return incidents
    .filter(({ phase, startedAt }) => phase !== 'resolved' || startedAt > now - KEPT_MS)
    .sort(
      (a, b) => Number(b.phase !== 'resolved') - Number(a.phase !== 'resolved') || b.startedAt - a.startedAt,
    )
    .flatMap((incident) => publicIncident(incident, names) ?? [])
    .slice(0, MAX_INCIDENTS)
    .sort((a, b) => b.startedAt - a.startedAt);
}
