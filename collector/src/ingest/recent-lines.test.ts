import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { expect, it } from 'vitest';
import type { FrameRow } from '../store/store.ts';
import { openRecentLines } from './recent-lines.ts';

const key = generateSigningKey('eu-1');
const kept = ['web/main/http 1 ok 12 -'];

/** A frame of the store, and how often its note was looked at. */
function rowAt(pos: number): { row: FrameRow; read: () => number } {
  let reads = 0;
  const text = formatFrameText({
    origin: 'test.example/log',
    probe: 'eu-1',
    epoch: 0,
    frame: pos,
    lines: kept,
  });
  const row = {
    ...{ pos, probe: 'eu-1', epoch: 0, frame: pos, receivedAt: 1 },
    get note() {
      reads += 1;
      return key.sign(text);
    },
  };
  return { row, read: () => reads };
}

it('gives the lines of a frame that came lately without its note, of any other by it', () => {
  const recent = openRecentLines();
  const [known, unknown] = [rowAt(1), rowAt(2)];
  recent.add(1, kept, 300);
  expect([recent.of(known.row), known.read()]).toEqual([kept, 0]);
  expect([recent.of(unknown.row), unknown.read()]).toEqual([kept, 1]);
});

it('keeps no more than its bytes, the newest', () => {
  const recent = openRecentLines(1_000);
  const rows = [1, 2, 3, 4].map(rowAt);
  for (const { row } of rows) recent.add(row.pos, kept, 300);
  for (const { row } of rows) expect(recent.of(row)).toEqual(kept);
  expect(rows.map(({ read }) => read())).toEqual([1, 1, 0, 0]);
  const small = openRecentLines(10);
  small.add(1, kept, 300);
  const { row, read } = rowAt(1);
  expect([small.of(row), read()]).toEqual([kept, 1]);
});
