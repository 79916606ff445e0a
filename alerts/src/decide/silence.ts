/** Whether the collector is silent. Its silence is told like an incident of its own. Pure. */
import type { Incident } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { collectorKey } from './route.ts';
import type { LadderEvent } from './ladder.ts';

export interface Hearing {
  /** When this process began to ask. */
  readonly askingSince: Instant;
  /** When the collector last answered this process; absent before the first answer. */
  readonly answeredAt?: Instant;
  /** The incident of its silence, while that is open. */
  readonly open?: Incident;
}

type SilenceEvent = Extract<LadderEvent, { readonly incident: Incident }>;

/** Opens an incident after `limitMs` without an answer (CONTRACTS: two minutes), resolves it when one comes. */
export function silence(hearing: Hearing, limitMs: number, now: Instant): SilenceEvent | undefined {
  const { askingSince, answeredAt, open } = hearing;
  if (open) {
    if (answeredAt === undefined || answeredAt <= open.updatedAt) return undefined;
    return { type: 'resolved', at: now, incident: heardAgain(open, answeredAt) };
  }
  const heardAt = answeredAt ?? askingSince;
  if (now - heardAt < limitMs) return undefined;
  const id = `collector-silent-${heardAt}`;
  const body = `No answer from the collector for ${formatDuration(limitMs)}. While it is silent nothing is judged, no DNS is moved and no other alert can come. Look at its process, disk and network.`;
  const incident: Incident = {
    id,
    key: collectorKey,
    title: 'The collector does not answer',
    impact: 'major',
    phase: 'investigating',
    startedAt: heardAt,
    updatedAt: now,
    services: [],
    nodes: [],
    updates: [{ id: `${id}-1`, at: now, phase: 'investigating', body }],
  };
  return { type: 'opened', at: now, incident };
}

function heardAgain(open: Incident, at: Instant): Incident {
  const body = 'The collector answers again; alerts go on from where its feed stopped.';
  const update = { id: `${open.id}-2`, at, phase: 'resolved' as const, body };
  return { ...open, phase: 'resolved', updatedAt: at, resolvedAt: at, updates: [...open.updates, update] };
}
