import { describe, expect, it } from 'vitest';
import type { Heard } from './silence.ts';
import { listen, wakeAt } from './silence.ts';

const heard = (at: number): Heard => ({ 'eu-1': { region: 'eu', at } });

describe('a probe', () => {
  it('falls silent two minutes after it was last heard, once', () => {
    expect(wakeAt({}, heard(1_000))).toBe(121_000);
    expect(listen({}, heard(1_000), 120_999)).toEqual([{}, []]);
    const [state, effects] = listen({}, heard(1_000), 121_000);
    expect(effects).toEqual([{ type: 'silent', probe: 'eu-1', region: 'eu', since: 1_000 }]);
    expect(listen(state, heard(1_000), 500_000)).toEqual([state, []]);
    expect(wakeAt(state, heard(1_000))).toBeNull();
  });

  it('is heard again, with since when it was silent', () => {
    const [silent] = listen({}, heard(1_000), 121_000);
    expect(listen(silent, heard(400_000), 400_100)).toEqual([
      {},
      [{ type: 'heard', probe: 'eu-1', region: 'eu', since: 1_000 }],
    ]);
  });

  it('is forgotten when it is no longer enrolled', () => {
    const [silent] = listen({}, heard(1_000), 121_000);
    expect(listen(silent, {}, 130_000)).toEqual([{}, []]);
  });

  it('wakes for the first that falls silent', () => {
    expect(wakeAt({}, { a: { region: 'eu', at: 5_000 }, b: { region: 'us', at: 4_000 } })).toBe(124_000);
    expect(wakeAt({}, {})).toBeNull();
  });
});
