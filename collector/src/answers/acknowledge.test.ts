/** Acknowledgements: one leaf each, and the house knows of it, whatever is killed when. */
import type { Incident } from '@highwater/config/domain.ts';
import { parseActionLeaf } from '@highwater/config/proof/action-leaf.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clearAlarm, openAlarms, raiseAlarm, raiseAlarmIn } from '../alarms.ts';
import { carryOut } from '../effects.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { acknowledging } from '../testing/acknowledging.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { HOUSE_SHARD, LOG_SHARD } from '../watched.ts';
import { acknowledge, type Acknowledging, carryAcknowledgements } from './acknowledge.ts';

const START = Date.UTC(2026, 10, 21, 12);
const alarm = { key: 'log refused', title: 'Nothing is signed', because: 'why', remedy: 'do this' };
const alarmId = 'alarm-log-refused';
const incidentId = 'mi91~service~web';
let now: number;
const clock = { now: () => now, monotonic: () => 0 };
let folder: string;
let store: Store;
let parts: Acknowledging;
beforeEach(() => {
  now = START;
  folder = newDataDir();
  store = openSqliteStore(folder);
  parts = acknowledging(store, clock);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

async function put(more: Partial<Incident>): Promise<void> {
  const incident: Incident = {
    id: incidentId,
    key: 'service:web',
    title: 'Web is down',
    impact: 'major',
    phase: 'investigating',
    startedAt: START - 60_000,
    updatedAt: START,
    services: ['web'],
    nodes: [],
    updates: [],
    ...more,
  };
  await store.transact(HOUSE_SHARD, async (tx) => {
    const row = await tx.getState('incident', incident.id);
    await tx.putState('incident', incident.id, row?.version ?? 0, incident);
  });
}

async function leaves() {
  const rows = await store.read(LOG_SHARD, (tx) => tx.leaves());
  return rows.map(({ kind, note, at }) => {
    const parsed = parseNote(note);
    if ('error' in parsed) throw new Error(parsed.error);
    expect([kind, at]).toEqual(['action', now]);
    expect(parsed.signatures.map(({ name }) => name)).toEqual([parts.signing.origin]);
    return parseActionLeaf(parsed.text);
  });
}

async function events(): Promise<unknown[]> {
  await carryOut(store, HOUSE_SHARD, clock, pino({ level: 'silent' }));
  const rows = await store.read(HOUSE_SHARD, (tx) => tx.eventsAfter(0, 100));
  return rows.map(({ body }) => body).filter(({ type }) => type === 'alert.acknowledged');
}

const leaf = (subject: string) => ({
  origin: 'test.example/log',
  by: 'operator',
  what: 'acknowledge',
  subject,
  at: START,
  evidence: [],
});

it('is a leaf without a name, and an event with one', async () => {
  await put({});
  expect(await acknowledge(parts, incidentId, 'ana')).toBe('acknowledged');
  expect(await leaves()).toEqual([leaf(incidentId)]);
  expect(await events()).toEqual([{ type: 'alert.acknowledged', incidentId, by: 'ana' }]);
  const [row] = await store.read(LOG_SHARD, (tx) => tx.leaves());
  expect(row?.note).not.toContain('ana');
});

it('repeated it is told again, and is one leaf; by somebody else, or of what was opened again, it is another', async () => {
  const count = async (): Promise<number> => (await store.read(LOG_SHARD, (tx) => tx.leaves())).length;
  await put({});
  for (const [by, leavesThen] of [
    ['ana', 1],
    ['ana', 1],
    ['bob', 2],
    ['ana', 2],
  ] as const) {
    now += 1;
    expect(await acknowledge(parts, incidentId, by)).toBe('acknowledged');
    expect([by, await count()]).toEqual([by, leavesThen]);
  }
  expect(await events()).toHaveLength(4);

  await put({ phase: 'resolved', resolvedAt: now + 10 });
  expect(await acknowledge(parts, incidentId, 'ana')).toBe('over');
  const update = { id: 'u', at: now + 10, phase: 'resolved', body: 'Web is up again.' } as const;
  await put({ updates: [update] });
  now += 20;
  await acknowledge(parts, incidentId, 'ana');
  await acknowledge(parts, incidentId, 'ana');
  expect(await count()).toBe(3);

  await raiseAlarm(store, clock, alarm);
  now += 1;
  await acknowledge(parts, alarmId, 'ana');
  await acknowledge(parts, alarmId, 'ana');
  expect(await count()).toBe(4);
  await clearAlarm(store, clock, alarm.key);
  now += 1;
  await raiseAlarm(store, clock, alarm);
  now += 1;
  await acknowledge(parts, alarmId, 'ana');
  expect(await count()).toBe(5);
});

it('of two in one millisecond there is one leaf, since a log holds none twice', async () => {
  await put({});
  await Promise.all(['ana', 'bob'].map((by) => acknowledge(parts, incidentId, by)));
  expect(await leaves()).toEqual([leaf(incidentId)]);
  expect(await events()).toHaveLength(2);
});

it.each<[string, Partial<Incident>]>([
  ['a private service', { services: ['web', 'secret'] }],
  ['a node of one', { nodes: ['secret/a'] }],
  ['an id that is no word', { id: 'mi91~service~wéb' }],
  ['an id that is too long', { id: 'x'.repeat(257) }],
])('of %s the leaf has a salted hash', async (_, more) => {
  await put(more);
  expect(await acknowledge(parts, more.id ?? incidentId, 'ana')).toBe('acknowledged');
  expect(await leaves()).toEqual([leaf(expect.stringMatching(/^h:[0-9a-f]{64}$/) as string)]);
});

it('writes nothing of what is unknown or over', async () => {
  expect(await acknowledge(parts, incidentId, 'ana')).toBe('unknown');
  await put({ phase: 'resolved' });
  expect(await acknowledge(parts, incidentId, 'ana')).toBe('over');
  expect(await leaves()).toEqual([]);
  expect(await events()).toEqual([]);
});

/** A store whose process dies at its `nth` transaction, before or after that is kept. */
function dying(nth: number, kept: boolean): Store {
  let count = 0;
  return {
    ...store,
    read: (shard, work) => store.read(shard, work),
    async transact(shard, work) {
      count += 1;
      if (count < nth) return store.transact(shard, work);
      if (count === nth && kept) await store.transact(shard, work);
      throw new Error('killed');
    },
  };
}

const moments = [1, 2, 3].flatMap((nth) => [false, true].map((kept) => [nth, kept] as const));
it.each(moments)(
  'killed at transaction %i (kept: %s) all of it is there after the next start, or nothing',
  async (nth, kept) => {
    await put({});
    await store.transact(HOUSE_SHARD, (tx) => raiseAlarmIn(tx, now, alarm, true));
    for (const id of [incidentId, alarmId])
      await expect(acknowledge({ ...parts, store: dying(nth, kept) }, id, 'ana')).rejects.toThrow('killed');
    // Twice: the second turn finds nothing to do.
    await carryAcknowledgements(store, clock);
    expect(await carryAcknowledgements(store, clock)).toBe(0);
    const [isThere, ids] = [nth > 1 || kept, [incidentId, alarmId]];
    expect(await leaves()).toEqual(isThere ? ids.map(leaf) : []);
    expect(await events()).toEqual(
      isThere ? ids.map((each) => ({ type: 'alert.acknowledged', incidentId: each, by: 'ana' })) : [],
    );
    expect(await openAlarms(store)).toHaveLength(isThere ? 0 : 1);
  },
);
