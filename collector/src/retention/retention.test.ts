import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Blobs } from '../store/blobs/blobs.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import type { Store, View } from '../store/store.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { dropOldBlocks } from './blocks.ts';
import { dropOldPacks, keptFrom, recomputableUntil } from './bodies.ts';

const DAY_MS = 86_400_000;
let folder: string;
let store: Store;
let blobs: Blobs;
beforeEach(() => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  blobs = folderBlobs(join(folder, 'blobs'));
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

const kept = (): Promise<number> => store.read(LOG_SHARD, (tx) => keptFrom(tx, 3 * DAY_MS));
const days = async (): Promise<number[]> =>
  (await store.read(LOG_SHARD, (tx) => tx.packsBefore(999, 999))).map(({ day }) => day);

async function addPacks(): Promise<void> {
  for (const day of [10, 11, 12]) {
    const blob = `packed/1970-01-${day + 1}/rpc/0123456789abcdef0123456789abcdef`;
    await blobs.putIfAbsent(blob, Buffer.from('x'));
    const row = { service: 'rpc', day, part: 0, blob, commits: [], lines: 1, bytes: 1, bodyBytes: 1 };
    await store.transact(LOG_SHARD, (tx) => tx.addPack(row));
  }
}

describe('packs older than retention.bodies', () => {
  it('go when all of their day is older, object and row, and the store says from when on bodies are kept', async () => {
    await addPacks();
    expect(await kept()).toBe(3);
    // Five days are kept: of day 10 a part is younger until day 16 begins.
    expect(await dropOldPacks(store, blobs, 5 * DAY_MS, 16 * DAY_MS - 1)).toBe(0);
    expect([await days(), await kept()]).toEqual([[10, 11, 12], 3]);
    expect(await dropOldPacks(store, blobs, 5 * DAY_MS, 17 * DAY_MS)).toBe(2);
    expect([await days(), await kept()]).toEqual([[12], 12]);
    expect(existsSync(join(folder, 'blobs/packed/1970-01-12/rpc/0123456789abcdef0123456789abcdef'))).toBe(
      false,
    );
    expect(existsSync(join(folder, 'blobs/packed/1970-01-13/rpc/0123456789abcdef0123456789abcdef'))).toBe(
      true,
    );
  });

  it('that lost their object in a crash go all the same', async () => {
    await addPacks();
    const failing: Blobs = {
      ...blobs,
      async remove(name) {
        await blobs.remove(name);
        throw new Error('killed');
      },
    };
    await expect(dropOldPacks(store, failing, 5 * DAY_MS, 17 * DAY_MS)).rejects.toThrow('killed');
    // Promised no more before it went.
    expect([await days(), await kept()]).toEqual([[10, 11, 12], 12]);
    expect(await dropOldPacks(store, blobs, 5 * DAY_MS, 17 * DAY_MS)).toBe(2);
    expect(await days()).toEqual([12]);
  });
});

it.each<[View, number, number]>([
  ['slots', 100, 101],
  ['latency-days', 100, 101],
  ['latency', 100 * 24 + 23, 101 * 24],
  ['heads', 100 * 24 + 23, 101 * 24],
  // Days 90 to 119 are April 1970.
  ['totals', 1970 * 12 + 2, 1970 * 12 + 3],
])('blocks of %s go by their own periods', async (view, gone, stays) => {
  for (const period of [gone, stays]) {
    await store.transact('s', (tx) => tx.putBlock(view, period, 'rpc', Uint8Array.of(1)));
  }
  expect(await dropOldBlocks(store, ['s'], 90 * DAY_MS, 191 * DAY_MS)).toBe(1);
  const left = await store.read('s', (tx) => tx.blocks(view, 0, 1e6));
  expect(left.map(({ period }) => period)).toEqual([stays]);
});

it.each<[View, number, number, number]>([
  // Within 90 days nothing goes; beyond, what charts are made of goes before slots.
  ['latency', 365, 90, 24],
  ['heads', 365, 90, 24],
  ['latency-days', 1_825, 400, 1],
  // Never longer than slots.
  ['latency-days', 100, 100, 1],
  ['slots', 1_825, 1_825, 1],
])('blocks of %s, with slots for %i days, stay for %i', async (view, slots, stays, aDay) => {
  const now = 4_000;
  const first = (now - stays) * aDay;
  for (const period of [first - 1, first]) {
    await store.transact('s', (tx) => tx.putBlock(view, period, 'rpc', Uint8Array.of(1)));
  }
  expect(await dropOldBlocks(store, ['s'], slots * DAY_MS, now * DAY_MS)).toBe(1);
  const left = await store.read('s', (tx) => tx.blocks(view, 0, 1e6));
  expect(left.map(({ period }) => period)).toEqual([first]);
});

it.each([
  ['2026-11', 31, '2020-01-01', '2020-01-01', '2026-12-02'],
  ['2024-02', 390, '2020-01-01', '2020-01-01', '2025-02-25'],
  // Of the month in which it began there is what came since.
  ['2026-11', 31, '2026-11-21T18:00:00Z', '2026-11-21', '2026-12-22'],
  ['2026-11', 31, '2026-11-30T23:59:59Z', '2026-11-30', '2026-12-31'],
  // It has nothing of a month before, and not all of one whose first days are gone.
  ['2026-10', 390, '2026-11-01', '2026-11-01', undefined],
  ['2026-11', 390, '2020-01-01', '2026-11-01', '2027-11-26'],
  ['2026-11', 390, '2020-01-01', '2026-11-02', undefined],
  ['2026-11', 390, '2026-11-21', '2026-11-22', undefined],
  ['2026-12', 31, '2026-11-21', '2026-11-21', '2027-01-01'],
])(
  'of %s, kept for %i days since %s, from %s on, all is there until %s',
  (month, days, start, kept, until) => {
    const startedAt = Date.parse(start);
    const from = Math.floor(Date.parse(kept) / DAY_MS);
    const found = recomputableUntil(month, days * DAY_MS, { from, startedAt });
    expect(found && new Date(found).toISOString().slice(0, 10)).toBe(until);
  },
);

it.each(['2026', '2026-13', '2026-00', '2026-1', 'x'])('%s is no month', (month) => {
  expect(recomputableUntil(month, 1, { from: 0, startedAt: 0 })).toBeUndefined();
});
