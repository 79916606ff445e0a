import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SpoolState } from './ingest/rebuild.ts';
import { dropOldFrames } from './retention.ts';
import { openSqliteStore } from './store/sqlite/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { testHouse } from './testing/config.ts';
import { dropDataDir, newDataDir } from './testing/house.ts';
import { LOG_SHARD, watch } from './watched.ts';

const { config } = testHouse();
const watched = watch({ ...config, retention: { ...config.retention, hotMs: 100 } });
let folder: string;
let store: Store;
beforeEach(async () => {
  folder = newDataDir();
  store = openSqliteStore(folder);
  // Five frames at 10, 20, … 50; what a probe that was heard has in batches ends at position 3.
  await store.transact(LOG_SHARD, async (tx) => {
    for (let frame = 1; frame <= 5; frame += 1) {
      await tx.addFrame({ probe: 'eu-1', epoch: 0, frame, receivedAt: frame * 10, note: 'n' });
    }
    await tx.putState('heard', 'eu-1', 0, {});
    await tx.putState('spool', 'eu-1', 0, { epoch: 0, floor: 4, taken: {}, pos: 3 } satisfies SpoolState);
  });
});
afterEach(async () => {
  await store[Symbol.asyncDispose]();
  dropDataDir(folder);
});

/** Now, last position that the shards have taken in, positions that stay. */
const rows: [number, number, number[]][] = [
  [100, 5, [1, 2, 3, 4, 5]],
  [131, 5, [4, 5]],
  [121, 5, [3, 4, 5]],
  [199, 5, [4, 5]],
  [199, 2, [3, 4, 5]],
  [245, 5, [5]],
  [300, 5, []],
];

describe('frames are let go', () => {
  it.each(rows)('at %i, taken in up to %i: %j stay', async (now, position, stay) => {
    await dropOldFrames(watched, store, position, { now: () => now, monotonic: () => now });
    const left = await store.read(LOG_SHARD, (tx) => tx.framesAfter(0, 99));
    expect(left.map(({ pos }) => pos)).toEqual(stay);
  });

  it('one whose lines are in no batch holds back its own alone, and not for ever', async () => {
    await store.transact(LOG_SHARD, async (tx) => {
      await tx.addFrame({ probe: 'us-1', epoch: 0, frame: 1, receivedAt: 12, note: 'n' });
      await tx.putState('heard', 'us-1', 0, {});
    });
    const left = async (now: number): Promise<string[]> => {
      await dropOldFrames(watched, store, 6, { now: () => now, monotonic: () => now });
      const frames = await store.read(LOG_SHARD, (tx) => tx.framesAfter(0, 99));
      return frames.map(({ probe, pos }) => `${probe} ${pos}`);
    };
    expect(await left(131)).toEqual(['eu-1 4', 'eu-1 5', 'us-1 6']);
    expect(await left(212)).toEqual(['eu-1 4', 'eu-1 5', 'us-1 6']);
    expect(await left(213)).toEqual(['eu-1 4', 'eu-1 5']);
  });
});
