/** Whether too few regions are heard to agree on anything. Told like an incident of its own. Pure. */
import type { Incident } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { LadderEvent } from './ladder.ts';
import { blindKey } from './route.ts';

export interface SilentProbe {
  readonly probe: string;
  readonly region: string;
  readonly since: Instant;
}

/** A region by id, with the ids of its probes as declared; none where probes are made at start. */
export type RegionProbes = Readonly<Record<string, readonly string[]>>;

type BlindEvent = Extract<LadderEvent, { readonly incident: Incident }>;

/**
 * Opens an incident while fewer than floor(R / 2) + 1 of R regions are heard (CONTRACTS "In force", "Monitor"):
 * every verdict is unknown then, which is no outage, so nothing else would tell. A region is silent when all its
 * probes are.
 */
export function blindness(
  regions: RegionProbes,
  silent: readonly SilentProbe[],
  open: Incident | undefined,
  now: Instant,
): BlindEvent | undefined {
  const all = Object.keys(regions);
  const heard = all.filter((region) => !isSilent(regions[region] ?? [], region, silent));
  const enough = Math.floor(all.length / 2) + 1;
  const blind = all.length > 0 && heard.length < enough;
  if (open) return blind ? undefined : { type: 'resolved', at: now, incident: seesAgain(open, now) };
  if (!blind) return undefined;
  const since = Math.max(...silent.map((probe) => probe.since));
  const id = `regions-silent-${since}`;
  const quiet = silent.map(({ probe, region }) => `${probe} in ${region}`).join(', ');
  const body = `${heard.length} of ${all.length} regions heard, ${enough} needed. Until then every verdict is unknown: nothing is judged, no DNS is moved. Silent: ${quiet}. Look at these probes and their networks.`;
  const incident: Incident = {
    id,
    key: blindKey,
    title: 'Too few regions are heard',
    impact: 'major',
    phase: 'investigating',
    startedAt: since,
    updatedAt: now,
    services: [],
    nodes: [],
    updates: [{ id: `${id}-1`, at: now, phase: 'investigating', body }],
  };
  return { type: 'opened', at: now, incident };
}

function isSilent(declared: readonly string[], region: string, silent: readonly SilentProbe[]): boolean {
  const quiet = silent.filter((entry) => entry.region === region).map(({ probe }) => probe);
  return declared.length === 0 ? quiet.length > 0 : declared.every((probe) => quiet.includes(probe));
}

function seesAgain(open: Incident, at: Instant): Incident {
  const body = 'Enough regions are heard again.';
  const update = { id: `${open.id}-2`, at, phase: 'resolved' as const, body };
  return { ...open, phase: 'resolved', updatedAt: at, resolvedAt: at, updates: [...open.updates, update] };
}
