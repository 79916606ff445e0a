/** A damaged block holds nothing up: it is told, and is as if it were not there. */
import { beforeEach, expect, it } from 'vitest';
import type { View } from '../store/store.ts';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import {
  blobs,
  blocksOf,
  clockAt,
  commit,
  declare,
  keys,
  linesOf,
  NOW,
  watched,
} from '../testing/small-house.ts';
import { type DamagedBlock, onDamagedBlock } from './readable.ts';
import { openSlots, type Slots } from './slots.ts';

const shard = 'chain:devnet';
const clock = clockAt(() => NOW);
let store: MemoryStore;
let configHash: string;
const opened = (): Slots => openSlots(watched, store, blobs, clock);

async function say(probe: number, choice: number, epoch = 0): Promise<void> {
  for (const [minute, lines] of Map.groupBy(linesOf([choice]), (line) => line.minute)) {
    const own = lines.filter((line) => line.probe === probe).map(({ text }) => text);
    await commit(store, configHash, { probe, epoch, number: minute, lines: own });
  }
}

beforeEach(async () => {
  store = memoryStore();
  configHash = await declare(store);
  await say(0, 1);
});

it.each<View>(['slots', 'totals', 'latency', 'latency-days', 'heads'])(
  'of %s is told once, the others go on, and no part takes the place of a day',
  async (view) => {
    expect(keys.length).toBeGreaterThan(1);
    const first = opened();
    await first.beat();
    await first.flush();
    const before = await blocksOf(first);
    const rows = await store.read(shard, (tx) => tx.blocks(view, 0, 2 ** 40));
    const row = rows.find(({ subject }) => subject.startsWith('rpc/a'));
    if (row === undefined) throw new Error(`nothing of ${view}`);
    const { period, subject } = row;
    const damaged = Uint8Array.of(view === 'heads' ? 255 : 7, 255, 255);
    await store.transact(shard, (tx) => tx.putBlock(view, period, subject, damaged));
    const told: DamagedBlock[] = [];
    onDamagedBlock(store, (each) => told.push(each));

    const again = opened();
    const place = `${view} ${period} ${subject}`;
    // Also before anything is followed.
    const shown = await again.block(shard, view, period, subject);
    if (view !== 'totals') expect(shown).toBeUndefined();
    told.length = 0;
    await again.beat();
    const now = await blocksOf(again);
    // A month is added up again; of the others nothing is there.
    if (view === 'totals') expect(now[place]).toBe(before[place]);
    else expect(now[place]).toBeUndefined();
    expect({ ...now, [place]: '' }).toEqual({ ...before, [place]: '' });
    await say(1, 3);
    await again.beat();
    await again.flush();
    expect(Object.keys(await blocksOf(again)).length).toBeGreaterThan(Object.keys(before).length - 2);
    expect(told).toEqual([{ view, period, subject, says: expect.any(String) as string }]);
    const kept = await store.read(shard, (tx) => tx.block(view, period, subject));
    if (view === 'slots') expect(kept).toEqual(damaged);
    if (view === 'totals') expect(kept).not.toEqual(damaged);
    if (view !== 'slots') return;
    // Nor is a part of the day added up.
    const totals = (all: Record<string, string>): [string, string][] =>
      Object.entries(all).filter(([each]) => each.startsWith('totals') && each.endsWith(` ${subject}`));
    expect(totals(before)).toEqual([expect.anything(), expect.anything()]);
    expect(totals(await blocksOf(again))).toEqual(expect.arrayContaining(totals(before).slice(0, 1)));
  },
);
