import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Rows } from './rows.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';

interface Value {
  readonly word: string;
  readonly fleeting: number;
}

let folder: string;
let store: Store;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-rows-'));
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

async function keep<T>(rows: Rows<T>): Promise<void> {
  await store.transact('s', (tx) => rows.save(tx));
  rows.kept();
}
const stored = () => store.read('s', (tx) => tx.listState('c'));

describe('rows held in memory', () => {
  it('are written when their essence has changed, and only it is written', async () => {
    const rows = new Rows<Value>('c', ({ word }) => ({ word }));
    for (const [word, fleeting] of [
      ['a', 1],
      ['a', 2],
      ['b', 3],
    ] as const) {
      rows.set('k', { word, fleeting });
      await keep(rows);
    }
    expect(await stored()).toEqual([{ key: 'k', version: 2, value: { word: 'b' } }]);
    expect(rows.get('k')).toEqual({ word: 'b', fleeting: 3 });
  });

  it('are not written again after a load when nothing has changed', async () => {
    const first = new Rows<Value>('c', (value) => value);
    first.set('k', { word: 'a', fleeting: 1 });
    await keep(first);
    const second = new Rows<Value>('c', (value) => value);
    await store.read('s', (tx) => second.load(tx));
    second.set('k', { word: 'a', fleeting: 1 });
    await keep(second);
    expect(await stored()).toMatchObject([{ version: 1 }]);
    second.set('k', { word: 'b', fleeting: 1 });
    await keep(second);
    expect(await stored()).toMatchObject([{ version: 2, value: { word: 'b' } }]);
  });

  it('without an essence are written each time they are set', async () => {
    const rows = new Rows<number>('c');
    for (const value of [1, 1, 2]) {
      rows.set('k', value);
      await keep(rows);
    }
    await keep(rows);
    expect(await stored()).toEqual([{ key: 'k', version: 3, value: 2 }]);
  });

  it('are due from their time on until they are set anew', () => {
    const rows = new Rows<number>('c');
    rows.set('a', 1, 10);
    rows.set('b', 1, 20);
    rows.set('c', 1);
    expect([9, 10, 10, 20].map((now) => rows.due(now))).toEqual([[], ['a'], ['a'], ['a', 'b']]);
    rows.set('a', 2, 30);
    rows.set('b', 2, null);
    expect([29, 30].map((now) => rows.due(now))).toEqual([[], ['a']]);
    rows.set('a', 3, 40);
    rows.set('c', 3, 35);
    expect([34, 35, 40].map((now) => rows.due(now))).toEqual([[], ['c'], ['a', 'c']]);
  });
});
