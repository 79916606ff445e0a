import { generateSigningKey } from '@highwater/config/keys.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { openMaintenances } from './maintenance.ts';

const key = generateSigningKey('test.example/log');
const now = Date.UTC(2026, 10, 21, 12);
const clock = { now: () => now, monotonic: () => 0 };
let folder: string;
let store: Store;
beforeEach(() => {
  folder = newDataDir();
  store = openSqliteStore(folder);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const opened = () => openMaintenances(store, clock, { key, origin: key.name }, () => undefined);

describe('a maintenance', () => {
  /** Names of nodes as long as they can be. */
  const names = (count: number): string[] =>
    Array.from({ length: count }, (_, i) => `${'s'.repeat(64)}/${String(i).padStart(64, 'n')}`);

  it('of as many as an entry of the log holds is declared, and of one more refused with the way out', async () => {
    const maintenances = await opened();
    const declare = (count: number) =>
      maintenances.declare({ title: 'All', of: names(count), forMs: 10 * MINUTE_MS });
    expect(await declare(1_000)).toMatchObject({
      result: 'wrong',
      error: expect.stringContaining('of: it has 1000 names') as string,
      remedy: 'declare several, each of some of them',
    });
    expect((await declare(492)).result).toBe('wrong');
    expect(await store.read(LOG_SHARD, (tx) => tx.commitSize())).toBe(0);
    expect(maintenances.all()).toEqual([]);
    expect((await declare(491)).result).toBe('declared');
    const [leaf] = await store.read(LOG_SHARD, (tx) => tx.leaves());
    const bytes = utf8(leaf?.note ?? '').length;
    // The next name would have been one too many.
    expect(bytes).toBeLessThanOrEqual(65_535);
    expect(bytes + 133).toBeGreaterThan(65_535);
  });
});
