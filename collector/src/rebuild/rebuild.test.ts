/** Views of a store that real calls have filled, made again: equal to the byte, and what differs is found and mended. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MINUTE_MS, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
          await tx.putBlock('totals', period, `${subject}-other`, Uint8Array.of(1));
        }
      }),
    ).catch(() => undefined);
    await rebuild(false);
    expect((await rebuild(true)).differences).toEqual([]);
    expect(await all()).toEqual(before);
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
