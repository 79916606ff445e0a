/** An alarm of the collector as an incident: told by the same ladders. Pure. */
import { alarmId } from '@highwater/config/alarm.ts';
import type { Incident } from '@highwater/config/domain.ts';
import type { Instant } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import type { LadderEvent } from './ladder.ts';
import { alarmKey } from './route.ts';

type AlarmEvent = Extract<LadderEvent, { readonly incident: Incident }>;

/** Told again in its thread where one of this key was over. Impact major: a person has to look. */
export function alarmRaised({ key, title, because, remedy }: Alarm, at: Instant): AlarmEvent {
  const id = alarmId(key);
  const incident: Incident = {
    id,
    key: `${alarmKey}${key}`,
    title,
    impact: 'major',
    phase: 'investigating',
    startedAt: at,
    updatedAt: at,
    services: [],
    nodes: [],
    updates: [{ id: `${id}-${at}`, at, phase: 'investigating', body: because }],
    remedy,
  };
  return { type: 'reopened', at, incident };
}

export function alarmOver(open: Incident, at: Instant): AlarmEvent {
  const body = 'The collector has cleared the alarm.';
  const update = { id: `${open.id}-${at}-over`, at, phase: 'resolved' as const, body };
  const incident: Incident = {
    ...open,
    phase: 'resolved',
    updatedAt: at,
    resolvedAt: at,
    updates: [...open.updates, update],
  };
  return { type: 'resolved', at, incident };
}
