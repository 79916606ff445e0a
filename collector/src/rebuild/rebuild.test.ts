/** Views of a store that real calls have filled, made again: equal to the byte, and what differs is found and mended. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPacking } from '../packing/packing.ts';
import { folderBlobs } from '../store/blobs/folder.ts';
import type { PackRow } from '../store/store.ts';
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts';
import { lockFolder } from '../store/sqlite/open.ts';
import { testHouse } from '../testing/config.ts';
import { fill } from '../testing/filled.ts';
import { dropDataDir, newDataDir } from '../testing/house.ts';
import { LOG_SHARD } from '../watched.ts';
import { type Rebuilt, rebuildViews, scratchFolder } from './rebuild.ts';

/** Eight minutes before a midnight. */
const FROM = 20_000 * MINUTES_PER_DAY - 8;
const house = testHouse(20_000);
const shard = 'chain:devnet';
const now = (FROM + 60) * MINUTE_MS;
let dataDir: string;

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

const rebuild = (isCheck: boolean, config = house.config): Promise<Rebuilt> =>
  rebuildViews({ dataDir, config, now, isCheck, progress: () => undefined });

async function inStore<T>(work: (store: ReturnType<typeof openSqliteStore>) => Promise<T>): Promise<T> {
  await using store = openSqliteStore(join(dataDir, 'collector'));
  return work(store);
}

beforeAll(async () => {
  dataDir = newDataDir();
  await fill(dataDir, house, { from: FROM, minutes: 20, random: randomFrom(7) });
});
afterAll(() => dropDataDir(dataDir));

describe('views made again', () => {
  it('are equal to the byte, of every view, and twice', async () => {
    const rebuilt = await rebuild(true);
    expect(rebuilt).toMatchObject({ shards: 2, days: 2, keptDays: 0, differences: [] });
    const views = ['slots', 'totals', 'heads', 'latency', 'latency-days'] as const;
    const counts = await inStore((store) =>
      store.read(shard, async (tx) => {
        const rows = [];
        for (const view of views) rows.push((await tx.blocks(view, 0, 2 ** 40)).length > 0);
        return rows;
      }),
    );
    expect(counts).toEqual(views.map(() => true));
    expect(await rebuild(false)).toEqual(rebuilt);
    expect(existsSync(scratchFolder(dataDir))).toBe(false);
  });

  it('tell what was changed, is missing or does not belong, and put it right', async () => {
    await inStore((store) =>
      store.transact(shard, async (tx) => {
        const [slots] = await tx.blocks('slots', 0, 2 ** 40);
        const [month] = await tx.blocks('totals', 0, 2 ** 40);
        const [hour] = await tx.blocks('latency', 0, 2 ** 40);
        if (slots === undefined || month === undefined || hour === undefined) throw new Error('no blocks');
        const other = Uint8Array.from(slots.block);
        other.set([(other.at(-1) ?? 0) ^ 1], other.length - 1);
        await tx.putBlock('slots', slots.period, slots.subject, other);
        await tx.dropBlock('totals', month.period, month.subject);
        await tx.dropBlock('latency', hour.period, hour.subject);
        await tx.putBlock('heads', 19_000, 'rpc/a', Uint8Array.of(1));
        await tx.putBlock('latency-days', 30_000, 'rpc/a', Uint8Array.of(1));
        await tx.putBlock('slots', slots.period, 'nobody', Uint8Array.of(1));
      }),
    );
    const found = (await rebuild(true)).differences;
    expect(found.map(({ view, found: how }) => `${view} ${how}`).sort()).toEqual([
      'heads extra',
      'latency missing',
      'latency-days extra',
      'slots changed',
      'slots extra',
      'totals missing',
    ]);
    expect(found.every((each) => each.shard === shard)).toBe(true);
    // Looking changed nothing.
    expect((await rebuild(true)).differences).toEqual(found);
    expect((await rebuild(false)).differences).toEqual(found);
    expect((await rebuild(true)).differences).toEqual([]);
  });

  it('keep the days whose bodies are gone, also in their month', async () => {
    const day = FROM / MINUTES_PER_DAY;
    const all = async (): Promise<unknown> =>
      inStore((store) => store.read(shard, (tx) => tx.blocks('totals', 0, 2 ** 40)));
    const before = await all();
    await inStore((store) =>
      store.transact(LOG_SHARD, async (tx) => tx.dropBodies(await tx.heldBefore(Math.ceil(day), 10_000))),
    );
    expect(await rebuild(true)).toMatchObject({ days: 2, keptDays: 1, differences: [] });
    // What can be made again still is.
    await inStore((store) =>
      store.transact(shard, async (tx) => {
        for (const { period, subject } of await tx.blocks('totals', 0, 2 ** 40)) {
          await tx.putBlock('totals', period, subject, Uint8Array.of(1));
        }
      }),
    );
    await rebuild(false);
    expect((await rebuild(true)).differences).toEqual([]);
    expect(await all()).toEqual(before);
  });
});

describe('a pack that is damaged', () => {
  let folder: string;
  const again = (isCheck: boolean): Promise<Rebuilt> =>
    rebuildViews({ dataDir: folder, config: house.config, now, isCheck, progress: () => undefined });
  const opened = () => openSqliteStore(join(folder, 'collector'));
  const blocks = async (): Promise<unknown> => {
    await using store = opened();
    return store.read(shard, async (tx) => {
      const all = [];
      for (const view of ['slots', 'totals', 'heads', 'latency', 'latency-days'] as const)
        all.push(await tx.blocks(view, 0, 2 ** 40));
      return all;
    });
  };
  const packs = async (): Promise<readonly PackRow[]> => {
    await using store = opened();
    return store.read(LOG_SHARD, (tx) => tx.packsBefore(2 ** 40, 100));
  };

  beforeEach(async () => {
    folder = newDataDir();
    await fill(folder, house, { from: FROM, minutes: 20, random: randomFrom(8) });
    const at = join(folder, 'collector');
    await using store = openSqliteStore(at);
    const later = now + 3 * 86_400_000;
    const clock = { now: () => later, monotonic: () => later };
    const figures = {
      objects: 0,
      lines: 0,
      bytes: 0,
      bodyBytes: 0,
      failed: 0,
      droppedPacks: 0,
      droppedBlocks: 0,
    };
    const blobs = folderBlobs(join(at, 'blobs'));
    await openPacking(at, store, blobs, clock, pino({ level: 'silent' }), figures).turn();
  });
  afterEach(() => dropDataDir(folder));

  it.each<[string, (file: string) => void]>([
    [
      'by one bit of what it holds',
      (file) => {
        const bytes = readFileSync(file);
        const at = bytes.length - 20;
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    [
      'by one bit of its beginning',
      (file) => {
        const bytes = readFileSync(file);
        bytes[0] = (bytes[0] ?? 0) ^ 1;
        writeFileSync(file, bytes);
      },
    ],
    ['by its end', (file) => writeFileSync(file, readFileSync(file).subarray(0, -1))],
    ['and is not there', (file) => rmSync(file)],
  ])('keeps its day as it was counted, and is told: %s', async (_, damage) => {
    expect(await again(true)).toMatchObject({ keptDays: 0, damaged: [], differences: [] });
    const [pack] = await packs();
    if (pack === undefined) throw new Error('nothing was packed');
    const before = await blocks();
    damage(join(folder, 'collector', 'blobs', pack.blob));
    const { service, day, blob } = pack;
    for (const isCheck of [true, false]) {
      const rebuilt = await again(isCheck);
      expect(rebuilt).toMatchObject({ keptDays: 1, differences: [] });
      expect(rebuilt.damaged).toEqual([{ service, day, pack: blob, says: expect.any(String) as string }]);
    }
    expect(await blocks()).toEqual(before);
  });
});

describe('nothing is done', () => {
  const bytes = (): Map<string, string> =>
    new Map(
      readdirSync(join(dataDir, 'collector'), { recursive: true, encoding: 'utf8' })
        .map((name) => join(dataDir, 'collector', name))
        .filter((path) => statSync(path).isFile() && !/-(?:wal|shm)$/.test(path))
        .map((path) => [path, readFileSync(path).toString('base64')]),
    );

  it('while the collector runs', async () => {
    const lock = lockFolder(join(dataDir, 'collector', 'lock.db'));
    const before = bytes();
    await expect(rebuild(false)).rejects.toMatchObject({
      name: 'RebuildProblem',
      remedy: 'stop it first',
    });
    expect(bytes()).toEqual(before);
    lock.close();
  });

  it('where there is no store', async () => {
    const empty = newDataDir();
    await expect(
      rebuildViews({ dataDir: empty, config: house.config, now, isCheck: true, progress: () => undefined }),
    ).rejects.toMatchObject({ name: 'RebuildProblem', remedy: 'name the data folder with --data' });
    expect(readdirSync(empty)).toEqual([]);
    dropDataDir(empty);
  });
});
