/** Stores of before there was a log: all that was acknowledged is taken up, a bounded part at a time. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { MERGE_ENTRIES } from './merge.ts';
import { type Bench, bench, filesOf, noteOf, rootOf } from './testing.ts';

let house: Bench;
beforeEach(async () => {
  house = await bench();
});
afterEach(() => house.close());

it('takes up 70,000 commits, of which each merge takes a bounded number and ends with a whole bundle', async () => {
  const total = 70_000;
  const notes = Array.from({ length: total }, (_, i) => noteOf(i));
  for (let i = 0; i < total; i += 10_000) await house.commit(10_000);
  const sizes: number[] = [];
  const log = await house.open();
  while (await log.beat()) sizes.push(log.status().size);
  expect(sizes.at(-1)).toBe(total);
  expect(sizes.length).toBe(Math.ceil(total / MERGE_ENTRIES));
  for (const [i, size] of sizes.slice(0, -1).entries()) {
    expect([size % 256, size - (sizes[i - 1] ?? 0) <= MERGE_ENTRIES]).toEqual([0, true]);
  }
  expect(log.status()).toMatchObject({ root: rootOf(notes), pending: 0 });
  const wanted = filesOf(notes);
  for (const [path, bytes] of wanted) {
    expect(Buffer.compare(house.files.get(`log/2026/${path}`) ?? Buffer.of(), bytes), path).toBe(0);
  }
  // What is left over is partial forms of the right edge alone, which readers of older checkpoints may ask for.
  const edge = [...wanted.keys()]
    .filter((path) => path.includes('.p/'))
    .map((path) => path.replace(/\/\d+$/, ''));
  const left = [...house.files.keys()].filter((path) => !wanted.has(path.slice('log/2026/'.length)));
  expect(left.filter((path) => !edge.some((each) => path.startsWith(`log/2026/${each}/`)))).toEqual([
    'log/2026/checkpoint',
  ]);
}, 60_000);

it('bounds a merge by bytes too', async () => {
  const large = (index: number): string => `${index} ${'x'.repeat(60_000)}`;
  await house.commit(600, large);
  const log = await house.open();
  const sizes: number[] = [];
  while (await log.beat()) sizes.push(log.status().size);
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.at(-1)).toBe(600);
  expect(log.status().root).toBe(rootOf(Array.from({ length: 600 }, (_, i) => large(i))));
});
