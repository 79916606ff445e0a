import { afterEach, beforeEach, expect, it } from 'vitest';
import { pino } from 'pino';
import { clearAlarm, openAlarms, raiseAlarm, raiseAlarmIn } from './alarms.ts';
import { acknowledge } from './answers/acknowledge.ts';
import { carryOut } from './effects.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { acknowledging } from './testing/acknowledging.ts';
import { dropDataDir, newDataDir } from './testing/house.ts';
import { HOUSE_SHARD } from './watched.ts';

let at = 0;
const clock = { now: () => (at += 1), monotonic: () => 0 };
const alarm = { key: 'log refused', title: 'Nothing is signed', because: 'why', remedy: 'do this' };
const id = 'alarm-log-refused';
let folder: string;
let store: Store;
beforeEach(() => {
  at = 1_000;
  folder = newDataDir();
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

async function events(): Promise<string[]> {
  await carryOut(store, HOUSE_SHARD, clock, pino({ level: 'silent' }));
  const rows = await store.read(HOUSE_SHARD, (tx) => tx.eventsAfter(0, 100));
  return rows.map(({ body }) => String(body['type']));
}

it('one of a key is open at a time, and each raising and clearing is one event', async () => {
  expect(await raiseAlarm(store, clock, alarm)).toBe(true);
  expect(await raiseAlarm(store, clock, { ...alarm, because: 'other words' })).toBe(false);
  expect(await openAlarms(store)).toEqual([{ ...alarm, id, since: 1_001 }]);
  expect(await events()).toEqual(['alarm.raised']);
  expect(await clearAlarm(store, clock, alarm.key)).toBe(true);
  expect(await clearAlarm(store, clock, alarm.key)).toBe(false);
  expect(await clearAlarm(store, clock, 'never raised')).toBe(false);
  expect(await openAlarms(store)).toEqual([]);
  expect(await raiseAlarm(store, clock, alarm)).toBe(true);
  expect(await events()).toEqual(['alarm.raised', 'alarm.cleared', 'alarm.raised']);
});

it('a transaction that fails has told nothing', async () => {
  const failed = store.transact(HOUSE_SHARD, async (tx) => {
    await raiseAlarmIn(tx, 1, alarm);
    throw new Error('the disk');
  });
  await expect(failed).rejects.toThrow('the disk');
  expect(await openAlarms(store)).toEqual([]);
  expect(await events()).toEqual([]);
});

it('taken up by somebody it stays open, unless it tells what is past', async () => {
  expect(await acknowledge(acknowledging(store, clock), id, 'ana')).toBe('unknown');
  await raiseAlarm(store, clock, alarm);
  await store.transact(HOUSE_SHARD, (tx) => raiseAlarmIn(tx, 2, { ...alarm, key: 'past' }, true));
  expect(await acknowledge(acknowledging(store, clock), id, 'ana')).toBe('acknowledged');
  expect(await acknowledge(acknowledging(store, clock), 'alarm-past', 'ana')).toBe('acknowledged');
  expect(await acknowledge(acknowledging(store, clock), 'alarm-past', 'ana')).toBe('over');
  const open = await openAlarms(store);
  expect(open.map((each) => [each.key, each.acknowledged?.by])).toEqual([[alarm.key, 'ana']]);
  expect(await events()).toEqual([
    'alarm.raised',
    'alarm.raised',
    'alert.acknowledged',
    'alert.acknowledged',
    'alarm.cleared',
  ]);
});
