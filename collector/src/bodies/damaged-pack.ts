/** What people are told of a pack that is damaged, or not there. */
import { DAY_MS } from '@highwater/config/time.ts';
import type { Alarm } from '@highwater/config/wire.ts';
import type { PackRow } from '../store/store.ts';

export function damagedPack(
  { service, day, blob }: Pick<PackRow, 'service' | 'day' | 'blob'>,
  says: string,
): Alarm {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
  return {
    key: `pack-damaged ${blob}`,
    title: `Observations of ${service} on ${date} can not be read`,
    because: `The pack blobs/${blob} in the collector's folder is damaged or not there: ${says}. What was counted of that day stays as it is; what comes late for it is not counted.`,
    remedy:
      'Look at the disk. Take the file out of a backup, and stop the collector and run `highwater rebuild`; without one acknowledge this: the evidence of that day is lost.',
  };
}
