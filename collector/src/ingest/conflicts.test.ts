import { join } from 'node:path';
import { formatBatchText } from '@highwater/config/proof/batch.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { testHouse } from '../testing/config.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { player, type SignedBatch } from '../testing/player.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { type BatchIngest, batchIngest } from './batches.ts';

const minute = 29_000_000;
const clock = { now: () => minute * MINUTE_MS, monotonic: () => 0 };
let folder: string;
let store: Store;
let ingest: BatchIngest;
let counted = 0;
const { config, keys } = testHouse();
beforeEach(() => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  counted = 0;
  ingest = batchIngest(watch(config), store, folderBlobs(join(folder, 'blobs')), clock, {
    committed: () => undefined,
    closed: () => undefined,
    conflict: () => (counted += 1),
  });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

it('contradictions of an epoch are kept up to sixteen, and past that only of a lower number', async () => {
  const eu = player(config.origin, keys.eu);
  const made = [0, 1].map(() => eu.batch({ config: ZERO_HASH, minute }));
  for (const { note } of made) expect((await ingest.accept(note, {})).status).toBe(200);
  const size = (): Promise<number> => store.read(LOG_SHARD, (tx) => tx.commitSize());
  const contradict = async (of: SignedBatch | undefined, boundMs: number): Promise<number> => {
    if (of === undefined) throw new Error('no such batch');
    const note = eu.sign(formatBatchText({ ...of.batch, clock: { boundMs, ageS: 0 } }));
    expect((await ingest.accept(note, {})).status).toBe(409);
    return size();
  };
  const [first, second] = made;
  for (let i = 1; i <= 16; i += 1) expect(await contradict(second, 100 + i)).toBe(2 + i);
  expect(await contradict(second, 200)).toBe(18);
  expect(await contradict(first, 201)).toBe(19);
  expect(await contradict(first, 202)).toBe(19);
  expect(counted).toBe(19);
});
