import Database from 'better-sqlite3';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { newLadder } from './decide/escalate.ts';
import { openStore } from './store.ts';

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'highwater-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

const incident = {
  id: 'i',
  key: 'service:a',
  title: 't',
  impact: 'major',
  phase: 'investigating',
  startedAt: 0,
  updatedAt: 0,
  services: [],
  nodes: [],
  updates: [],
} as const;
const message = {
  thread: 'i',
  key: 'k',
  reason: 'first',
  impact: 'major',
  title: 't',
  lines: [],
  at: 1,
} as const;

it('keeps cursor, ladders, messages and receipts over a restart', () => {
  using dir = folder();
  const store = openStore(dir.path, 1);
  expect(store.cursor()).toBeUndefined();
  const ladder = newLadder(incident, 5);
  store.transact(() => {
    store.moveCursor(7);
    store.saveLadder(ladder, 9, 5);
    store.enqueue('ops', message, 5);
    store.keepReceipt('ops', 'i', 'r', 5);
  });
  store.close();
  const again = openStore(dir.path, 2);
  expect(again.cursor()).toBe(7);
  expect(again.ladder('i')).toEqual(ladder);
  expect(again.dueLadders(8)).toEqual([]);
  expect(again.dueLadders(9)).toEqual([ladder]);
  expect(again.nextPending('ops', 5)).toMatchObject({ message, attempt: 0, nextAt: 5 });
  expect(again.receipt('ops', 'i')).toBe('r');
  again.close();
});

it('takes all of a transaction back when a part of it fails', () => {
  using dir = folder();
  const store = openStore(dir.path, 1);
  const failing = () =>
    store.transact(() => {
      store.moveCursor(7);
      store.enqueue('ops', message, 5);
      throw new Error('no');
    });
  expect(failing).toThrow('no');
  expect(store.cursor()).toBeUndefined();
  expect(store.pending('ops')).toBe(0);
  store.close();
});

it('takes a key once', () => {
  using dir = folder();
  const store = openStore(dir.path, 1);
  store.enqueue('ops', message, 5);
  store.enqueue('ops', message, 6);
  expect(store.pending('ops')).toBe(1);
  store.close();
});

it('refuses a file of a newer version, and says so', () => {
  using dir = folder();
  openStore(dir.path, 1).close();
  const db = new Database(join(dir.path, 'alerts', 'alerts.db'));
  db.prepare('INSERT INTO migrations VALUES (99, 1)').run();
  db.close();
  expect(() => openStore(dir.path, 2)).toThrow(/newer version/);
});

it('forgets what is over and old, and nothing that is open', () => {
  using dir = folder();
  const store = openStore(dir.path, 1);
  store.saveLadder({ ...newLadder(incident, 1), state: 'over' }, null, 1);
  store.saveLadder(newLadder({ ...incident, id: 'open' }, 1), null, 1);
  store.enqueue('ops', message, 1);
  store.enqueue('ops', { ...message, key: 'k2', thread: 'open' }, 1);
  store.finish(1, 'delivered', 'delivered', 1);
  store.keepReceipt('ops', 'i', 'r', 1);
  store.keepReceipt('ops', 'open', 'r', 1);
  store.forget(10);
  expect(store.ladder('i')).toBeUndefined();
  expect(store.ladder('open')).toBeDefined();
  expect(store.receipt('ops', 'i')).toBeUndefined();
  expect(store.receipt('ops', 'open')).toBe('r');
  expect(store.pending('ops')).toBe(1);
  store.close();
});

it('is readable by this user alone', () => {
  using dir = folder();
  openStore(dir.path, 1).close();
  expect(statSync(join(dir.path, 'alerts')).mode & 0o077).toBe(0);
});

it('sends incidents before alarms of the house, and nothing before its time', () => {
  using dir = folder();
  const store = openStore(dir.path, 1);
  for (let n = 0; n < 500; n += 1) {
    store.enqueue('ops', { ...message, thread: `alarm-contradiction-eu-1-${n}`, key: `a${n}` }, 1);
  }
  store.enqueue('ops', { ...message, thread: 'inc-1', key: 'i1' }, 5);
  store.enqueue('ops', { ...message, thread: 'inc-1', key: 'i2' }, 6);
  const next = (now: number) => store.nextPending('ops', now);
  const first = next(10);
  expect(first?.key).toBe('i1');
  store.tryLater(first?.seq ?? 0, 'busy', 20);
  // It keeps its order within its thread, and holds nobody else up meanwhile.
  expect(next(10)?.key).toBe('a0');
  expect(next(20)?.key).toBe('i1');
  store.finish(first?.seq ?? 0, 'delivered', 'ok', 20);
  expect(next(20)?.key).toBe('i2');
  store.close();
});
