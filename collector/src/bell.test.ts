import { describe, expect, it } from 'vitest';
import { bell } from './bell.ts';

const never = new AbortController().signal;

describe('a bell', () => {
  it('wakes whoever waits', async () => {
    const it = bell();
    const waiting = Promise.all([it.next(0, 60_000, never), it.next(0, 60_000, never)]);
    it.ring();
    await expect(waiting).resolves.toHaveLength(2);
  });

  it('does not lose a ring between the look and the wait', async () => {
    const it = bell();
    const seen = it.rung();
    it.ring();
    await expect(it.next(seen, 60_000, never)).resolves.toBeUndefined();
  });

  it('ends the wait at its time, and when the signal has aborted', async () => {
    await expect(bell().next(0, 1, never)).resolves.toBeUndefined();
    await expect(bell().next(0, 60_000, AbortSignal.abort())).resolves.toBeUndefined();
  });
});
