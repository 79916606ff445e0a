/** What an alarm is called where incidents have ids: as a thread of messages, and by people who acknowledge it. */

/** What the ids of alarms begin with, and those of no incident. */
export const alarmThreads = 'alarm-';

/** The same for one key always, so that one that comes back goes on in its thread. `contradiction eu-1 7` -> `alarm-contradiction-eu-1-7` */
export function alarmId(key: string): string {
  return `${alarmThreads}${key.toLowerCase().replace(/[^a-z0-9._-]+/g, '-')}`;
}
