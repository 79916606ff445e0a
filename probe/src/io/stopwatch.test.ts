import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PhaseName, stopwatch, totalTenths } from './stopwatch.ts';

describe('a stopwatch', () => {
  it('charges time to the phase that runs', () => {
    let ms = 1_000;
    const watch = stopwatch('resolve', () => ms);
    ms += 1.24;
    watch.start('connect');
    ms += 10;
    watch.start('firstByte');
    ms += 0.5;
    expect(watch.running).toBe('firstByte');
    expect(watch.phases()).toEqual({ resolve: 12, connect: 100, tls: 0, firstByte: 5, transfer: 0 });
  });

  it('gives parts that are never negative and sum to the rounded total', () => {
    const order: readonly PhaseName[] = ['resolve', 'connect', 'tls', 'firstByte', 'transfer'];
    const phase = fc.constantFrom(...order);
    const step = fc.tuple(phase, fc.double({ min: 0, max: 5_000, noNaN: true }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        let ms = 0;
        const watch = stopwatch('resolve', () => ms);
        for (const [name, took] of steps) {
          watch.start(name);
          ms += took;
        }
        const phases = watch.phases();
        for (const name of order) expect(phases[name]).toBeGreaterThanOrEqual(0);
        expect(Math.abs(totalTenths(phases) - ms * 10)).toBeLessThanOrEqual(0.51);
      }),
    );
  });
});
