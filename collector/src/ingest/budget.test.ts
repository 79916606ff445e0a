import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Monitor } from '@highwater/config/model.ts';
import { type Bucket, filled, type Rate, waitMs, without } from './bucket.ts';
import { openBudget, ratesFor } from './budget.ts';

const MINUTE_MS = 60_000;
const monitor = (id: string, intervalMs: number): Monitor => ({
  id,
  service: id.split('/')[0] ?? '',
  node: 'n',
  check: 'c',
  kind: 'http',
  intervalMs,
  timeoutMs: 1_000,
  confirm: { fall: 1, rise: 1, recheckAfterMs: 1_000 },
  regions: ['eu'],
  counts: true,
  settings: {},
  target: { url: 'https://a.example', headers: {}, allowPrivate: false },
});
const few = ratesFor({ monitors: [monitor('a/n/c', 60_000)] });

describe('a bucket', () => {
  it('gives in any span no more than its burst and what came in', () => {
    fc.assert(
      fc.property(
        fc.record({ burst: fc.integer({ min: 1, max: 100 }), perMinute: fc.integer({ min: 1, max: 100 }) }),
        fc.array(fc.tuple(fc.integer({ min: -1_000, max: 30_000 }), fc.integer({ min: 1, max: 100 }))),
        (rate: Rate, steps) => {
          let bucket: Bucket | undefined;
          let [now, latest, taken] = [0, 0, 0];
          for (const [ms, wanted] of steps) {
            now += ms;
            latest = Math.max(latest, now);
            const amount = Math.min(wanted, rate.burst);
            const full = filled(bucket, rate, now);
            const wait = waitMs(full, rate, amount);
            if (wait === 0) {
              taken += amount;
              bucket = without(full, amount);
            } else {
              bucket = full;
              // What it says is true: then there is enough, and a little sooner there is not.
              expect(waitMs(filled(full, rate, full.at + wait), rate, amount)).toBeLessThanOrEqual(1);
              if (wait > 2)
                expect(waitMs(filled(full, rate, full.at + wait - 2), rate, amount)).toBeGreaterThan(0);
            }
          }
          expect(taken).toBeLessThanOrEqual(rate.burst + (latest / MINUTE_MS) * rate.perMinute + 1e-6);
        },
      ),
    );
  });

  it('that one thing does not fit into is paid off', () => {
    const rate = { burst: 10, perMinute: 10 };
    const bucket = filled(undefined, rate, 0);
    expect(waitMs(bucket, rate, 30)).toBe(0);
    const owing = without(bucket, 30);
    expect(waitMs(owing, rate, 1)).toBe(2 * MINUTE_MS + 6_000);
  });
});

describe('the budget of a probe', () => {
  it('lets a backlog of two days through at once, and what is live for ever', () => {
    const budget = openBudget();
    const batch = { leaves: 1, 'leaf-bytes': 900, 'body-bytes': 20_000, epochs: 0 };
    for (let n = 0; n < 2_880; n += 1) expect(budget.take('a', few, batch, 0)).toBeUndefined();
    for (let minute = 1; minute < 5_000; minute += 1) {
      for (let n = 0; n < 2; n += 1) expect(budget.take('a', few, batch, minute * MINUTE_MS)).toBeUndefined();
    }
  });

  it.each([
    ['leaves', { leaves: 1 }, 3_000, 2_000],
    ['leaf-bytes', { leaves: 1, 'leaf-bytes': 65_536 }, 512, 7_500],
    ['epochs', { leaves: 1, epochs: 1 }, 20, 600_000],
    ['body-bytes', { leaves: 1, 'body-bytes': 1_048_576 }, 512, 30_000],
    ['frame-bytes', { 'frame-bytes': 1_048_576 }, 512, 30_000],
  ])('%s: so many at once, then it says when', (lacking, amounts, atOnce, wait) => {
    const budget = openBudget();
    for (let n = 0; n < atOnce; n += 1) expect(budget.take('a', few, amounts, 0)).toBeUndefined();
    expect(budget.take('a', few, amounts, 0)).toEqual({ lacking, waitMs: wait });
    // Another key has its own; what was refused took nothing.
    expect(budget.take('b', few, amounts, 0)).toBeUndefined();
    expect(budget.take('a', few, amounts, wait)).toBeUndefined();
    expect(budget.take('a', few, amounts, wait)).toMatchObject({ lacking });
  });

  it('is what the configuration needs, where that is more', () => {
    const monitors = Array.from({ length: 10_000 }, (_, n) => monitor(`s${n}/n/c`, 10_000));
    const rates = ratesFor({ monitors });
    // 60,000 lines a minute of 60 bytes, in 29 batches of 350 services each.
    expect(rates.leaves.perMinute).toBeGreaterThan(2 * 29);
    expect(rates['leaf-bytes'].perMinute).toBeGreaterThan(2 * 10_000 * 100);
    expect(rates['body-bytes'].perMinute).toBeGreaterThan(2 * 60_000 * 60);
    expect(rates['frame-bytes'].perMinute).toBeGreaterThan(2 * 60_000 * (60 + 256));
    expect(rates.epochs).toEqual(few.epochs);
  });
});
