import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { generateSigningKey } from '@highwater/config/keys.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import { expect, it } from 'vitest';
import { player } from '../testing/player.ts';
import { afterBatch, waitingLines } from './rebuild.ts';

const minute = 29_000_000;
const lineAt = (dueMinute: number) => `web/main/http ${dueMinute * MINUTE_MS} ok 12 -`;

/** What is awaited after the batch of `minute`, by the minutes of the lines that came in frames beside its own. */
it.each<[string, number, boolean]>([
  ['of the next minute', 1, true],
  ['ten minutes ahead', 10, true],
  ['further ahead, by a clock that was wrong', 11, false],
  ['a year ahead', 525_600, false],
  ['two hours old', -119, true],
  ['older', -120, false],
])('a line %s (%i minutes) is awaited: %o', (_, off, isAwaited) => {
  const probe = player('status.example.com/log', generateSigningKey('eu-1'));
  const frames = [[lineAt(minute + off)], [lineAt(minute)]].map((lines, frame) => ({
    ...{ pos: 10 + frame, probe: 'eu-1', epoch: 0, frame, receivedAt: minute * MINUTE_MS },
    note: probe.frame(lines),
  }));
  const only = (line: string) => line === lineAt(minute);
  const { batch, bodies } = probe.batch({ config: ZERO_HASH, minute, only });
  const taken = new Map([...bodies].map(([id, text]) => [id, new Set(text.split('\n'))]));
  const spool = afterBatch(batch, taken, frames, waitingLines(frames, undefined), undefined, minute);
  // Frames before the floor are not read again, nor are those kept whose position is passed.
  const read = frames.filter(({ frame }) => frame >= spool.floor);
  expect(waitingLines(read, spool)).toHaveLength(isAwaited ? 1 : 0);
  expect([spool.floor, spool.pos]).toEqual(isAwaited ? [0, 9] : [2, 11]);
});
