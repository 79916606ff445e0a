import { generateSigningKey } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { formatBatchText } from '@highwater/config/proof/batch.ts';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
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
const openIngest = (declared: Config): BatchIngest =>
  batchIngest(watch(declared), store, clock, {
    committed: () => undefined,
    closed: () => undefined,
    conflict: () => (counted += 1),
  });
beforeEach(() => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  counted = 0;
  ingest = openIngest(config);
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

it('a second text is refused however often it comes, and is one leaf', async () => {
  const eu = player(config.origin, keys.eu);
  const made = eu.batch({ config: ZERO_HASH, minute });
  const other = eu.contradict(made);
  expect((await ingest.accept(made.note, {})).status).toBe(200);
  // Its first refusal was lost on the way.
  for (let i = 0; i < 3; i += 1) expect((await ingest.accept(other, {})).status).toBe(409);
  expect(await store.read(LOG_SHARD, (tx) => tx.commitSize())).toBe(2);
  expect(await ingest.accept(made.note, {})).toMatchObject({
    status: 200,
    body: { result: 'held', index: 0 },
  });
});

it('what another key of the same probe signs under the same number is no contradiction', async () => {
  const eu = player(config.origin, keys.eu);
  const [first, second] = [0, 1].map(() => eu.batch({ config: ZERO_HASH, minute }));
  if (first === undefined || second === undefined) throw new Error('no batches');
  for (const { note } of [first, second]) expect((await ingest.accept(note, {})).status).toBe(200);
  const key = generateSigningKey('eu-1');
  const renewed = config.probes.map((probe) => (probe.id === 'eu-1' ? { ...probe, key: key.vkey } : probe));
  const after = openIngest({ ...config, probes: renewed });
  const note = key.sign(formatBatchText({ ...second.batch, clock: { boundMs: 100, ageS: 0 } }));
  expect(await after.accept(note, {})).toMatchObject({ status: 200, body: { result: 'accepted', index: 2 } });
  expect(counted).toBe(0);
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
