/** Which minutes a contradiction makes be judged again, in steps that end, however much is void and whatever minutes it names. */
import type { Batch } from '@highwater/config/proof/batch.ts';
import { beforeEach, expect, it } from 'vitest';
import { type MemoryStore, memoryStore } from '../testing/memory-store.ts';
import { blobs, blocksOf, clockAt, commit, declare, FIRST, smallConfig } from '../testing/small-house.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { LOG_SHARD, watch } from '../watched.ts';
import { openSlots } from './slots.ts';
import { type Ground, keepGround } from './ground.ts';
import { earliestOf, type VoidWork, voidSteps, withVoid } from './void-work.ts';

const monitor = 'web/main/http';
let store: MemoryStore;
let hash: string;

beforeEach(async () => {
  store = memoryStore();
  hash = await declare(
    store,
    smallConfig(() => 30_000),
  );
});

const say = (number: number, more: { ageS?: number; minute?: number } = {}): Promise<void> => {
  const { minute = FIRST + number, ...rest } = more;
  const lines = [`${monitor} ${minute * 60_000 + 1_000} ok 100 - h=70`];
  return commit(store, hash, { probe: 1, epoch: 0, number, lines, ...rest });
};

const ground = (): Promise<Ground> => keepGround(store).advance();

/** What is known after all commits, taken up at once. */
async function worksOf(known: readonly VoidWork[] = []): Promise<readonly VoidWork[]> {
  const on = await ground();
  const rows = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(0, 10_000));
  return rows.reduce((works, row) => withVoid(works, on, row), known);
}

/** All of its steps: the minutes of each. */
async function stepsOf(work: VoidWork, most: number, last = FIRST + 10_000): Promise<number[][]> {
  const first = earliestOf(await ground());
  const bounds = { first, last, most, isOurs: (service: string) => service === 'web' };
  const steps: number[][] = [];
  for (let left = work; left.next !== undefined;) {
    const step = await store.read(LOG_SHARD, (tx) => voidSteps(tx, [left], bounds));
    steps.push(step.stretches.flatMap((each) => minutesOf(each)));
    left = JSON.parse(JSON.stringify(step.left[0])) as VoidWork;
    if (steps.length > 1_000) throw new Error('no end');
  }
  return steps;
}

const minutesOf = ({ first, last }: Batch['minutes']): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);

it('each minute from the number on, once, and no step is longer than it may be', async () => {
  for (let number = 0; number < 600; number += 1) await say(number);
  await say(10, { ageS: 7 });
  const [work] = await worksOf();
  if (work === undefined) throw new Error('nothing is void');
  const steps = await stepsOf(work, 50);
  expect(Math.max(...steps.map(({ length }) => length))).toBe(50);
  const wanted = new Set(minutesOf({ first: FIRST + 10, last: FIRST + 599 }));
  expect(new Set(steps.flat())).toEqual(wanted);
  // The number with two texts has its minute once: they say the same one.
  expect(steps.flat()).toHaveLength(wanted.size);
});

it('a lower number later asks only for what is new; the same number again for nothing', async () => {
  for (let number = 0; number < 20; number += 1) await say(number);
  await say(10, { ageS: 7 });
  const done = (await worksOf()).map(({ next: _, ...rest }) => rest);
  await say(10, { ageS: 8 });
  expect(await worksOf(done)).toEqual(done);
  await say(7, { ageS: 7 });
  const [work] = await worksOf(done);
  if (work === undefined) throw new Error('nothing is void');
  expect(await stepsOf(work, 50)).toEqual([[7, 8, 9].map((number) => FIRST + number)]);
});

it('a text that names a minute of long ago is in it, and a minute that has no slot yet is not', async () => {
  for (let number = 0; number < 5; number += 1) await say(number);
  await say(2, { ageS: 7, minute: FIRST - 100_000 });
  await say(4, { ageS: 7, minute: FIRST + 1 });
  const [work] = await worksOf();
  if (work === undefined) throw new Error('nothing is void');
  expect((await stepsOf(work, 50, FIRST + 3)).flat()).toEqual([FIRST + 2, FIRST + 3, FIRST + 1]);
});

it('more minutes than a beat judges again are gone on with after a restart, to the same end', async () => {
  const config = smallConfig(() => 30_000);
  const clock = clockAt(() => (FIRST + 700) * MINUTE_MS);
  const open = () => openSlots(watch(config), store, blobs, clock);
  for (let number = 0; number < 600; number += 1) await say(number);
  const slots = open();
  await slots.beat();
  await slots.flush();
  await say(3, { ageS: 7 });
  await slots.beat();
  expect(slots.owes()).toBe(true);
  let beats = 0;
  // What is in memory alone is lost each time.
  for (let next = open(); ; next = open()) {
    await next.beat();
    beats += 1;
    if (!next.owes()) break;
  }
  expect(beats).toBeLessThan(5);
  const afresh = openSlots(watch(config), store.copy(), blobs, clock);
  do await afresh.beat();
  while (afresh.owes());
  const counted = open();
  await counted.beat();
  expect(await blocksOf(counted)).toEqual(await blocksOf(afresh));
});
