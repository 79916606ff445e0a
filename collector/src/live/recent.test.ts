import type { Observation } from '@highwater/config/domain.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { expect, it } from 'vitest';
import { openRecent } from './recent.ts';

const line = parseLine('web/main/http 8 ok 12 -') as Observation;
const frame = (pos: number, lines = 1) => ({
  pos,
  probe: 'eu-1',
  receivedAt: pos,
  observations: Array<Observation>(lines).fill(line),
});
const positions = (frames: readonly { readonly pos: number }[]) => frames.map(({ pos }) => pos);

it('gives what follows without a gap, whatever the order in which it came', () => {
  const recent = openRecent();
  for (const pos of [5, 4, 6, 8]) recent.add(frame(pos));
  expect(positions(recent.after(2, 9))).toEqual([]);
  expect(positions(recent.after(3, 9))).toEqual([4, 5, 6]);
  expect(positions(recent.after(3, 2))).toEqual([4, 5]);
  expect(positions(recent.after(5, 9))).toEqual([6]);
  // What was passed is gone: whoever goes back reads the store.
  expect(positions(recent.after(3, 9))).toEqual([]);
  expect(positions(recent.after(7, 9))).toEqual([8]);
});

it('holds so many lines and lets go of the oldest', () => {
  const recent = openRecent(10);
  for (const pos of [1, 2, 3]) recent.add(frame(pos, 4));
  expect(positions(recent.after(0, 9))).toEqual([]);
  expect(positions(recent.after(1, 9))).toEqual([2, 3]);
  recent.add(frame(4, 11));
  expect(positions(recent.after(3, 9))).toEqual([]);
});
