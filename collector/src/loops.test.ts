import { describe, expect, it } from 'vitest';
import { pace } from './loops.ts';

describe('pace', () => {
  it('lets the first through at once and keeps the next ones apart', async () => {
    // Were the first held too, it would be held for longer than a test may take.
    await pace(3_600_000, new AbortController().signal)();
    const paced = pace(60, new AbortController().signal);
    const start = performance.now();
    await paced();
    await paced();
    await paced();
    // Timers may be a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(117);
  });

  it('lets go when the signal aborts', async () => {
    const ending = new AbortController();
    const paced = pace(60_000, ending.signal);
    await paced();
    const waiting = paced();
    ending.abort();
    await waiting;
  });
});
