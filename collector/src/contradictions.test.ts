/** Two batches under one number, by the real ingest: evidence, no slot from there on, one alarm. */
import { join } from 'node:path';
import { generateSigningKey, sha256 } from '@highwater/config/keys.ts';
import type { Config } from '@highwater/config/model.ts';
import { projectConfig } from '@highwater/config/project.ts';
import { nextDueAt, phaseMs } from '@highwater/config/proof/due.ts';
import { formatProjection } from '@highwater/config/proof/projection.ts';
import { HOUR_MS, MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openAlarms } from './alarms.ts';
import { acknowledge } from './answers/acknowledge.ts';
import { openContradictions } from './contradictions.ts';
import { type BatchIngest, batchIngest } from './ingest/batches.ts';
import { declareLeaves } from './leaves/leaves.ts';
import { slotOfByte } from './slots/byte.ts';
import { decodeDay } from './slots/day.ts';
import { openSlots, type Slots } from './slots/slots.ts';
import type { Blobs } from './store/blobs/blobs.ts';
import { folderBlobs } from './store/blobs/folder.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { acknowledging } from './testing/acknowledging.ts';
import { testHouse } from './testing/config.ts';
import { dropDataDir, newDataDir } from './testing/house.ts';
import { player, type Player, type SignedBatch } from './testing/player.ts';
import { HOUSE_SHARD, LOG_SHARD, watch } from './watched.ts';

const first = 29_000_001;
const monitor = 'web/main/http';
const random = { seed: '00'.repeat(16), salt: '11'.repeat(16) };
const { config, keys } = testHouse(20_000);
const operator = generateSigningKey(config.origin);
let now = 0;
const clock = { now: () => now, monotonic: () => now };
let folder: string;
let store: Store;
let blobs: Blobs;
beforeEach(() => {
  now = (first - 1) * MINUTE_MS;
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const declare = (declared: Config): Promise<string> =>
  declareLeaves(
    store,
    blobs,
    watch(declared),
    operator,
    formatProjection(projectConfig(declared, random, sha256)),
    now,
  );

function openIngest(): BatchIngest {
  const nothing = { committed: () => undefined, closed: () => undefined, conflict: () => undefined };
  return batchIngest(watch(config), store, clock, nothing);
}

/** What a probe saw of the site in a minute: it is up. */
function linesOf(probe: string, minute: number): string[] {
  const lines: string[] = [];
  const phase = phaseMs(random.seed, monitor, probe, 20_000, sha256);
  for (let at = nextDueAt(minute * MINUTE_MS - 1, phase, 20_000); at < (minute + 1) * MINUTE_MS;) {
    lines.push(`${monitor} ${at} ok 100 -`);
    at = nextDueAt(at, phase, 20_000);
  }
  return lines;
}

async function send(
  ingest: BatchIngest,
  by: Player,
  minute: number,
  configHash: string,
): Promise<SignedBatch> {
  by.frame(linesOf(by.id, minute));
  const made = by.batch({ config: configHash, minute });
  expect(await ingest.accept(made.note, Object.fromEntries(made.bodies))).toMatchObject({ status: 200 });
  return made;
}

async function slotsFrom(slots: Slots, minute: number, count: number): Promise<string[]> {
  const day = Math.floor(minute / MINUTES_PER_DAY);
  const shard = watch(config).shardOf.get('web') ?? '';
  const block = await slots.block(shard, 'slots', day, 'web/main');
  const found = block === undefined ? undefined : decodeDay(block).get('');
  return Array.from(
    { length: count },
    (_, i) => slotOfByte(found?.slots[(minute % MINUTES_PER_DAY) + i] ?? 0)?.state ?? 'none',
  );
}

it('both become leaves, the epoch counts for nothing from there, and one person is told once', async () => {
  const configHash = await declare(config);
  const ingest = openIngest();
  const slots = openSlots(watch(config), store, blobs, clock);
  const contradictions = openContradictions(watch(config), store, clock);
  const [eu, us] = [player(config.origin, keys.eu), player(config.origin, keys.us)];
  const made: SignedBatch[] = [];
  for (let minute = first; minute < first + 4; minute += 1) {
    now = (minute + 1) * MINUTE_MS + 20_000;
    made.push(await send(ingest, eu, minute, configHash));
    await send(ingest, us, minute, configHash);
  }
  await slots.beat();
  expect(await contradictions.beat()).toBe(false);
  expect(await slotsFrom(slots, first, 4)).toEqual(['up', 'up', 'up', 'up']);

  const twice = made[2];
  if (twice === undefined) throw new Error('no third batch');
  const size = await store.read(LOG_SHARD, (tx) => tx.commitSize());
  expect((await ingest.accept(eu.contradict(twice), {})).status).toBe(409);
  const leaves = await store.read(LOG_SHARD, (tx) => tx.batches('eu-1', 0, 2));
  expect(leaves.map(({ index }) => index >= size)).toEqual([false, true]);
  // As after a kill right here: who comes back looks at what was committed.
  const anew = openSlots(watch(config), store, blobs, clock);
  await anew.beat();
  expect(await slotsFrom(anew, first, 4)).toEqual(['up', 'up', 'unknown', 'unknown']);
  expect(await openContradictions(watch(config), store, clock).beat()).toBe(true);
  expect(await contradictions.beat()).toBe(false);
  const [alarm, ...others] = await openAlarms(store);
  expect(others).toEqual([]);
  expect(alarm?.key).toMatch(/^contradiction eu-1 [0-9a-f]{8}$/);
  for (const { hash } of leaves) expect(alarm?.because).toContain(hash);
  expect(alarm?.because).toContain('number 2');

  // A lower number of the same epoch voids more, and is no second alarm; neither is it one once it was taken up.
  const lower = made[1];
  if (lower === undefined) throw new Error('no second batch');
  expect((await ingest.accept(eu.contradict(lower), {})).status).toBe(409);
  await slots.beat();
  expect(await slotsFrom(slots, first, 4)).toEqual(['up', 'unknown', 'unknown', 'unknown']);
  expect(await contradictions.beat()).toBe(false);
  expect(await acknowledge(acknowledging(store, clock), alarm?.id ?? '', 'ana')).toBe('acknowledged');
  expect(await contradictions.beat()).toBe(false);
  expect(await openAlarms(store)).toEqual([]);
});

it('however many epochs a key contradicts itself in, it is one alarm; told again once it was taken up', async () => {
  const configHash = await declare(config);
  const ingest = openIngest();
  const slots = openSlots(watch(config), store, blobs, clock);
  const contradictions = openContradictions(watch(config), store, clock);
  now = (first + 1) * MINUTE_MS;
  const contradict = async (epoch: number): Promise<void> => {
    const eu = player(config.origin, keys.eu, epoch);
    const made = await send(ingest, eu, first, configHash);
    expect((await ingest.accept(eu.contradict(made), {})).status).toBe(409);
    await slots.beat();
  };
  const told = () => store.read(HOUSE_SHARD, (tx) => tx.outboxSize());
  await contradict(3);
  expect(await contradictions.beat()).toBe(true);
  expect(await told()).toBe(1);
  for (const epoch of [4, 5, 6]) await contradict(epoch);
  expect(await contradictions.beat()).toBe(false);
  now += HOUR_MS;
  // What is open says so, and is no second message.
  expect(await contradictions.beat()).toBe(true);
  expect(await contradictions.beat()).toBe(false);
  expect(await told()).toBe(1);
  const [alarm, ...others] = await openAlarms(store);
  expect(others).toEqual([]);
  expect(alarm?.because).toMatch(/^Epoch 6, number 0: .* in 4 epochs; this is the newest/);

  expect(await acknowledge(acknowledging(store, clock), alarm?.id ?? '', 'ana')).toBe('acknowledged');
  now += HOUR_MS;
  expect(await contradictions.beat()).toBe(false);
  await contradict(7);
  expect(await contradictions.beat()).toBe(true);
  expect((await openAlarms(store))[0]?.because).toContain('in 5 epochs');
});

it.each(['another key', 'no such probe'])('it is over when there is %s', async (how) => {
  const configHash = await declare(config);
  const ingest = openIngest();
  const eu = player(config.origin, keys.eu);
  now = (first + 1) * MINUTE_MS;
  const made = await send(ingest, eu, first, configHash);
  expect((await ingest.accept(eu.contradict(made), {})).status).toBe(409);
  await openSlots(watch(config), store, blobs, clock).beat();
  expect(await openContradictions(watch(config), store, clock).beat()).toBe(true);
  expect(await openAlarms(store)).toHaveLength(1);

  const { vkey } = generateSigningKey('eu-1');
  const probes = config.probes.flatMap((probe) => {
    if (probe.id !== 'eu-1') return [probe];
    return how === 'another key' ? [{ ...probe, key: vkey }] : [];
  });
  const next = { ...config, probes };
  await declare(next);
  expect(await openContradictions(watch(next), store, clock).beat()).toBe(true);
  expect(await openAlarms(store)).toEqual([]);
  expect(await openContradictions(watch(next), store, clock).beat()).toBe(false);
});
