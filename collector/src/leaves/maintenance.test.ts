import { generateSigningKey } from '@highwater/config/keys.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refitViews } from '../backup/views.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { annotate } from './annotations.ts';
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
      maintenances.declare({ title: 'All', of: names(count), forMs: 10 * MINUTE_MS }, true);
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

  const hour = (title: string, body?: string) => ({
    title,
    ...(body === undefined ? {} : { body }),
    of: ['rpc'],
    forMs: 60 * MINUTE_MS,
  });

  it.each<[string, string, string | undefined]>([
    ['a title', 'New disks', undefined],
    ['a body of several lines', 'New disks', 'Both restart.\n\n  Then all is well.'],
    ['an empty body', 'New disks', ''],
    ['all that there is room for', 'x'.repeat(200), 'y'.repeat(1_797)],
    ['words in other scripts', 'صيانة', 'नमस्ते \u200d 👩\u200d🔧'],
  ])('with %s is the same again from the log alone', async (_, title, body) => {
    const first = await opened();
    expect((await first.declare(hour(title, body), true)).result).toBe('declared');
    const before = first.all();
    await store.transact(LOG_SHARD, (tx) => tx.deleteState('maintenance', before[0]?.id ?? ''));
    expect((await opened()).all()).toEqual([]);
    await refitViews(store, now, true);
    expect((await opened()).all()).toEqual(before);
  });

  it('whose words the page does not show has them in no leaf', async () => {
    const first = await opened();
    await first.declare(hour('A secret'), false);
    const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
    expect(leaves.map(({ kind }) => kind)).toEqual(['maint']);
    await store.transact(LOG_SHARD, (tx) => tx.deleteState('maintenance', first.all()[0]?.id ?? ''));
    await refitViews(store, now, true);
    expect((await opened()).all()).toMatchObject([{ title: 'Maintenance', of: ['rpc'] }]);
  });

  it('does not take the words of another one, nor a remark that came later', async () => {
    const first = await opened();
    await first.declare(hour('A secret'), false);
    await first.declare({ ...hour('Shown'), of: ['web'] }, true);
    const of = { hash: first.all().find(({ title }) => title === 'A secret')?.leaf ?? '' };
    await annotate(store, clock, { key, origin: key.name }, of, 'It took long.');
    const ids = first.all().map(({ id }) => id);
    await store.transact(LOG_SHARD, async (tx) => {
      for (const id of ids) await tx.deleteState('maintenance', id);
    });
    await refitViews(store, now, true);
    const after = (await opened()).all();
    expect(after.map(({ of: [subject], title }) => [subject, title]).sort()).toEqual([
      ['rpc', 'Maintenance'],
      ['web', 'Shown'],
    ]);
  });

  it.each([
    ['turn the direction', hour('a\u202eb'), 'turns the direction'],
    ['isolate a direction', hour('T', 'a\u2066b'), 'turns the direction'],
    ['end an isolate', hour('a\u2069b'), 'turns the direction'],
    ['have half a character', hour('a\ud800b'), 'not seen'],
    ['have the other half', hour('T', 'a\udc00'), 'not seen'],
    ['are not seen', hour('T', 'a\u200bb'), 'is not seen'],
    ['are too long', hour('x'.repeat(200), 'y'.repeat(1_798)), 'have 2001 characters in the log'],
    ['have too many lines', hour('T', `y${'\ny'.repeat(600)}`), 'at most 2000'],
  ])('of words that %s is refused, and nothing is written', async (_, request, error) => {
    const maintenances = await opened();
    expect(await maintenances.declare(request, true)).toMatchObject({
      result: 'wrong',
      error: expect.stringContaining(error) as string,
    });
    expect(await store.read(LOG_SHARD, (tx) => tx.commitSize())).toBe(0);
  });
});
