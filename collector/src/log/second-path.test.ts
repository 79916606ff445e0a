/** The second path alone: what it reads back has to begin with the tree that was signed. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { secondRoot } from './second-path.ts';
import { type Bench, bench, noteOf, rootOf } from './testing.ts';

let house: Bench;
beforeEach(async () => {
  house = await bench();
});
afterEach(() => house.close());

it.each([1, 255, 257, 290])('refuses another root than the signed one at size %s', async (oldSize) => {
  await house.commit(300);
  const log = await house.open();
  while (await log.beat());
  const notes = Array.from({ length: 300 }, (_, i) => noteOf(i));
  const parts = { blobs: house.blobs, year: 2026, oldSize, newSize: 300 };
  const oldRoot = rootOf(notes.slice(0, oldSize));
  expect(await secondRoot({ ...parts, oldRoot })).toBe(rootOf(notes));
  const other = rootOf(notes.slice(1, oldSize + 1));
  await expect(secondRoot({ ...parts, oldRoot: other })).rejects.toThrow();
});
