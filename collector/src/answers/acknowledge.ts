import type { Incident } from '@highwater/config/domain.ts';
import type { Clock } from '@highwater/config/time.ts';
import { acknowledgeAlarmIn } from '../alarms.ts';
import type { Store } from '../store/store.ts';
import { HOUSE_SHARD } from '../watched.ts';

/** Acknowledges an incident or an alarm: an event of the feed, once for each time that it was opened and each person. */
export async function acknowledge(
  store: Store,
  clock: Clock,
  incidentId: string,
  by: string,
): Promise<'unknown' | 'over' | 'acknowledged'> {
  return store.transact(HOUSE_SHARD, async (tx) => {
    const incident = (await tx.getState('incident', incidentId))?.value as Incident | undefined;
    if (incident === undefined) return acknowledgeAlarmIn(tx, clock.now(), incidentId, by);
    if (incident.phase === 'resolved') return 'over';
    const payload = { type: 'alert.acknowledged', incidentId, by };
    await tx.addOutbox(`ack/${incidentId}/${by}/${clock.now()}`, 'feed', payload);
    return 'acknowledged';
  });
}
