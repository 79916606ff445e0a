import { describe, expect, it } from 'vitest';
import type { Listening } from './silence.ts';
import { listen, listenedSince, wakeAt } from './silence.ts';

const heard = (at: number, since = 0): Listening => ({ heard: { 'eu-1': { region: 'eu', at } }, since });

describe('a probe', () => {
  it('falls silent a minute and a half after it was last heard, once', () => {
    expect(wakeAt({}, heard(1_000))).toBe(91_000);
    expect(listen({}, heard(1_000), 90_999)).toEqual([{}, []]);
    const [state, effects] = listen({}, heard(1_000), 91_000);
    expect(effects).toEqual([{ type: 'silent', probe: 'eu-1', region: 'eu', since: 1_000 }]);
    expect(listen(state, heard(1_000), 500_000)).toEqual([state, []]);
    expect(wakeAt(state, heard(1_000))).toBeNull();
  });

  it('is heard again, with since when it was silent', () => {
    const [silent] = listen({}, heard(1_000), 91_000);
    expect(listen(silent, heard(400_000), 400_100)).toEqual([
      {},
      [{ type: 'heard', probe: 'eu-1', region: 'eu', since: 1_000 }],
    ]);
  });

  it('is forgotten when it is no longer enrolled', () => {
    const [silent] = listen({}, heard(1_000), 91_000);
    expect(listen(silent, { heard: {}, since: 0 }, 130_000)).toEqual([{}, []]);
  });

  it('wakes for the first that falls silent', () => {
    const two = { a: { region: 'eu', at: 5_000 }, b: { region: 'us', at: 4_000 } };
    expect(wakeAt({}, { heard: two, since: 0 })).toBe(94_000);
    expect(wakeAt({}, { heard: two, since: 4_500 })).toBe(94_500);
    expect(wakeAt({}, { heard: {}, since: 0 })).toBeNull();
  });
});

/** Silent before, last receipt, listening since, now, silent after. */
const absences: [boolean, number, number, number, boolean][] = [
  // The listener was away for an hour: it waits a minute and a half for the probe before it calls it silent.
  [false, 1_000, 3_600_000, 3_600_000, false],
  [false, 1_000, 3_600_000, 3_689_999, false],
  [false, 1_000, 3_600_000, 3_690_000, true],
  [false, 3_650_000, 3_600_000, 3_690_000, false],
  // A silence that was told of goes on until the probe is heard: no word of it for the listener's restart.
  [true, 1_000, 3_600_000, 3_600_000, true],
  [true, 1_000, 3_600_000, 3_690_000, true],
  [true, 3_610_000, 3_600_000, 3_610_500, false],
];

describe('while nobody listened', () => {
  it.each(absences)(
    'silent %j, heard at %i, listening since %i, at %i: silent %j',
    (was, at, since, now, is) => {
      const state = was ? { 'eu-1': { region: 'eu', since: 1_000 } } : {};
      const [next, effects] = listen(state, heard(at, since), now);
      expect(Object.keys(next)).toEqual(is ? ['eu-1'] : []);
      const type = is ? 'silent' : 'heard';
      expect(effects.map((effect) => effect.type)).toEqual(was === is ? [] : [type]);
    },
  );

  it('listening begins with the first beat, and anew after a gap between beats', () => {
    const first = listenedSince(undefined, 1_000);
    expect(first).toEqual({ since: 1_000, beat: 1_000 });
    const second = listenedSince(first, 30_999);
    expect(second).toEqual({ since: 1_000, beat: 30_999 });
    expect(listenedSince(second, 60_999)).toEqual({ since: 60_999, beat: 60_999 });
  });
});
