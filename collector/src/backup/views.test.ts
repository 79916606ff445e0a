/** What of a restored store is fitted to leaves that came after the backup. */
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import { formatMaintLeaf, type MaintLeaf } from '@highwater/config/proof/leaves.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { refitViews } from './views.ts';

const origin = 'status.example.com/log';
const operator = generateSigningKey(origin);
const now = Date.UTC(2026, 5, 1);
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

async function log(leaf: MaintLeaf): Promise<string> {
  const note = operator.sign(formatMaintLeaf(leaf));
  const hash = leafHashOfNote(note, sha256);
  await store.transact(LOG_SHARD, (tx) => tx.addCommit({ kind: 'maint', at: now, note, hash }));
  return hash;
}

const shown = () =>
  store.read(LOG_SHARD, async (tx) => (await tx.listState('maintenance')).map(({ value }) => value));

it.each([
  ['earlier', [50, 30], 30],
  ['later', [30, 50], 30],
])('of two ends of a maintenance the first counts, also where it was declared %s', async (_, ends, from) => {
  const leaf = await log({ act: 'declare', origin, from: 10, last: 90, subjects: ['web'] });
  for (const end of ends) await log({ act: 'cancel', origin, from: end, leaf });
  await refitViews(store, now, true);
  expect(await shown()).toMatchObject([{ from: 10, last: 90, of: ['web'], cancelled: { from } }]);
  // The same where the backup knew a part of it.
  await refitViews(store, now, true);
  expect(await shown()).toMatchObject([{ cancelled: { from } }]);
});

it('each assignment is made anew, under a number that no count has come to', async () => {
  const made = { number: 7, tasks: 'of before', note: '', body: '' };
  await store.transact(LOG_SHARD, (tx) => tx.putState('assignment', 'eu-1', 0, made));
  await refitViews(store, now, true);
  const row = await store.read(LOG_SHARD, (tx) => tx.getState('assignment', 'eu-1'));
  expect(row?.value).toEqual({ ...made, number: now / 1_000, tasks: '' });
});
