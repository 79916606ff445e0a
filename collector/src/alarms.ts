/**
 * What a person has to look at and that is no incident of what is watched: kept in HOUSE_SHARD (core `alarm`, by its
 * key), told by the feed, listed for operators, never public. The row and the outbox row that becomes the event are
 * one transaction, so an alarm is told once each time that it is raised, whatever is killed when.
 */
import { alarmId } from '@highwater/config/alarm.ts';
import type { Clock, Instant } from '@highwater/config/time.ts';
import type { Alarm, OperatorStatus } from '@highwater/config/wire.ts';
import type { ReadTx, Store, Tx } from './store/store.ts';
import { HOUSE_SHARD } from './watched.ts';

/** `alarm` in the house's shard, by key; stays when it is cleared. */
export interface AlarmState {
  readonly alarm: Alarm;
  readonly raisedAt: Instant;
  readonly clearedAt?: Instant;
  /** It tells what happened, not what lasts: over once somebody has taken it up. */
  readonly untilAcknowledged?: boolean;
  /** How often it has happened by then, where it is counted. */
  readonly count?: number;
  readonly countedAt?: Instant;
  readonly acknowledged?: { readonly by: string; readonly at: Instant };
}

export async function alarmAt(
  tx: ReadTx,
  key: string,
): Promise<{ state: AlarmState; version: number } | undefined> {
  const row = await tx.getState('alarm', key);
  return row && { state: row.value as AlarmState, version: row.version };
}

/** In a transaction of HOUSE_SHARD. One that is open stays as it was first told. Returns whether it is new. */
export async function raiseAlarmIn(
  tx: Tx,
  now: Instant,
  alarm: Alarm,
  untilAcknowledged = false,
  count?: number,
): Promise<boolean> {
  const row = await alarmAt(tx, alarm.key);
  if (row !== undefined && row.state.clearedAt === undefined) return false;
  const state: AlarmState = {
    alarm,
    raisedAt: now,
    ...(untilAcknowledged ? { untilAcknowledged } : {}),
    ...(count === undefined ? {} : { count, countedAt: now }),
  };
  const version = await tx.putState('alarm', alarm.key, row?.version ?? 0, state);
  await tx.addOutbox(`alarm/${alarm.key}/${version}`, 'feed', { type: 'alarm.raised', alarm });
  return true;
}

/** In a transaction of HOUSE_SHARD: what an open one lists has become more; it is not told again. */
export async function moreOfAlarmIn(tx: Tx, now: Instant, alarm: Alarm, count: number): Promise<void> {
  const row = await alarmAt(tx, alarm.key);
  if (row === undefined) return;
  await tx.putState('alarm', alarm.key, row.version, { ...row.state, alarm, count, countedAt: now });
}

/** In a transaction of HOUSE_SHARD. Returns whether it was open. */
export async function clearAlarmIn(tx: Tx, now: Instant, key: string): Promise<boolean> {
  const row = await alarmAt(tx, key);
  if (row === undefined || row.state.clearedAt !== undefined) return false;
  const version = await tx.putState('alarm', key, row.version, { ...row.state, clearedAt: now });
  await tx.addOutbox(`alarm/${key}/${version}`, 'feed', { type: 'alarm.cleared', key });
  return true;
}

/** In a transaction of HOUSE_SHARD: somebody has taken up an open one. Nothing where no open one has the id. */
export async function acknowledgeAlarmIn(tx: Tx, now: Instant, id: string, by: string): Promise<void> {
  const rows = (await tx.listState('alarm')).map((row) => ({ ...row, state: row.value as AlarmState }));
  const row = rows.find(({ key }) => alarmId(key) === id);
  if (row === undefined || row.state.clearedAt !== undefined) return;
  const state = { ...row.state, acknowledged: { by, at: now } };
  await tx.putState('alarm', row.key, row.version, state);
  if (state.untilAcknowledged === true) await clearAlarmIn(tx, now, row.key);
}

/** Opens an alarm unless one of its key is open; told within a beat of the stories. Returns whether it is new. */
export async function raiseAlarm(
  store: Store,
  clock: Clock,
  alarm: Alarm,
  untilAcknowledged = false,
): Promise<boolean> {
  return store.transact(HOUSE_SHARD, (tx) => raiseAlarmIn(tx, clock.now(), alarm, untilAcknowledged));
}

/** Ends the alarm of a key; nothing when there is none. Returns whether it was open. */
export async function clearAlarm(store: Store, clock: Clock, key: string): Promise<boolean> {
  return store.transact(HOUSE_SHARD, (tx) => clearAlarmIn(tx, clock.now(), key));
}

/** More are not listed: what people can take up, whoever makes there be many. */
const MAX_LISTED = 100;

/** Those that are open, oldest first, as operators see them; the oldest hundred. */
export async function openAlarms(store: Store): Promise<OperatorStatus['alarms']> {
  const rows = await store.read(HOUSE_SHARD, (tx) => tx.listState('alarm'));
  return rows
    .map(({ value }) => value as AlarmState)
    .filter(({ clearedAt }) => clearedAt === undefined)
    .sort((a, b) => a.raisedAt - b.raisedAt)
    .slice(0, MAX_LISTED)
    .map(({ alarm, raisedAt, acknowledged }) => ({
      ...alarm,
      id: alarmId(alarm.key),
      since: raisedAt,
      ...(acknowledged === undefined ? {} : { acknowledged }),
    }));
}
