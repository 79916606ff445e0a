import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_CREDIBLE_AHEAD,
  MAX_TOLD_WAIT_MS,
  MAX_WAIT_MS,
  type WitnessAction,
  type WitnessAnswer,
  type WitnessEvent,
  type WitnessPlan,
  decideWitness,
  startPlan,
  wakeAt,
} from './witness-plan.ts';

const NOW = 1_800_000_000_000;
const none: WitnessAction = { kind: 'none' };

/** A plan after events, each a second after the one before, and what the last of them made. */
function after(
  start: WitnessPlan,
  events: readonly WitnessEvent[],
  everyMs = 0,
): [WitnessPlan, WitnessAction] {
  return events.reduce<[WitnessPlan, WitnessAction]>(
    ([plan], event, index) => decideWitness(plan, event, NOW + index * 1_000, everyMs),
    [start, none],
  );
}

const published = (size: number): WitnessEvent => ({ kind: 'published', size });
const due: WitnessEvent = { kind: 'due' };
const answered = (answer: WitnessAnswer, jitter = 1): WitnessEvent => ({ kind: 'answered', answer, jitter });
const cosigned = answered({ kind: 'cosigned' });
const says = (size: number) => answered({ kind: 'size', size });
const inconsistent = answered({ kind: 'inconsistent' });
const failed = answered({ kind: 'failed', because: 'no answer' });

describe('what a witness is asked', () => {
  it.each<[string, WitnessPlan, readonly WitnessEvent[], WitnessAction]>([
    ['nothing before a checkpoint', startPlan(), [due], none],
    [
      'the first checkpoint, from nothing',
      startPlan(),
      [published(5), due],
      { kind: 'ask', old: 0, size: 5 },
    ],
    [
      'after a start the same one again: it may know more',
      startPlan(5),
      [published(5), due],
      { kind: 'ask', old: 5, size: 5 },
    ],
    [
      'a later one, from what it cosigned',
      startPlan(5),
      [published(9), due],
      { kind: 'ask', old: 5, size: 9 },
    ],
    ['nothing while it is being asked', startPlan(), [published(5), due, published(6), due], none],
    ['nothing once it cosigned the newest', startPlan(), [published(5), due, cosigned, due], none],
    [
      'the newest alone, of many that came meanwhile',
      startPlan(),
      [published(5), due, published(6), published(9), cosigned, due],
      { kind: 'ask', old: 5, size: 9 },
    ],
    [
      'the same with the size that it says (behind: it lost its memory)',
      startPlan(7),
      [published(9), due, says(3), due],
      { kind: 'ask', old: 3, size: 9 },
    ],
    [
      'the same with the size that it says (ours: an answer was lost)',
      startPlan(3),
      [published(9), due, says(9), due],
      { kind: 'ask', old: 9, size: 9 },
    ],
    [
      'nothing at once when it says another size each time',
      startPlan(3),
      [published(9), due, says(4), due, says(5), due],
      none,
    ],
    ['nothing while it waits after a failure', startPlan(), [published(5), due, failed, due], none],
    ['nothing when what it cosigned is more than there is', startPlan(9), [published(5), due], none],
  ])('%s', (_, start, events, action) => {
    // All at one moment: no wait is over.
    const [, made] = events.reduce<[WitnessPlan, WitnessAction]>(
      ([plan], event) => decideWitness(plan, event, NOW, 0),
      [start, none],
    );
    expect(made).toEqual(action);
  });

  it.each<[string, WitnessPlan, readonly WitnessEvent[], WitnessAction]>([
    ['a cosignature', startPlan(), [published(5), due, cosigned], { kind: 'cosigned', size: 5 }],
    [
      'of a checkpoint that is no longer the newest',
      startPlan(),
      [published(5), due, published(6), cosigned],
      { kind: 'cosigned', size: 5 },
    ],
    ['a larger size than ours, once', startPlan(), [published(5), due, says(6)], none],
    [
      'a larger size than ours, once: it is asked again at once',
      startPlan(),
      [published(5), due, says(6), due],
      { kind: 'ask', old: 0, size: 5 },
    ],
    [
      'a larger size than ours, twice',
      startPlan(),
      [published(5), due, says(6), due, says(7)],
      { kind: 'ahead', size: 7 },
    ],
    [
      'a larger size than ours, and a smaller one between',
      startPlan(),
      [published(5), due, says(6), due, says(3), due, says(6)],
      none,
    ],
    [
      'the largest size that is believed',
      startPlan(),
      [published(5), due, says(6), due, says(5 + MAX_CREDIBLE_AHEAD)],
      { kind: 'ahead', size: 5 + MAX_CREDIBLE_AHEAD },
    ],
    [
      'a size that can not be',
      startPlan(),
      [published(5), due, says(6), due, says(6 + MAX_CREDIBLE_AHEAD)],
      { kind: 'absurd', size: 6 + MAX_CREDIBLE_AHEAD },
    ],
    ['a size that is ours by now', startPlan(), [published(5), due, published(6), says(6)], none],
    ['less published than it cosigned before', startPlan(9), [published(5)], { kind: 'ahead', size: 9 }],
    [
      'our own size, with another root',
      startPlan(5),
      [published(5), due, says(5)],
      { kind: 'forked', size: 5 },
    ],
    ['a proof refused', startPlan(5), [published(9), due, inconsistent], { kind: 'forked', size: 5 }],
    ['a proof refused where none is needed', startPlan(), [published(9), due, inconsistent], none],
    ['the size that it was told', startPlan(5), [published(9), due, says(5)], none],
    ['an answer that nobody waits for', startPlan(5), [published(9), cosigned], none],
  ])('%s comes of its answer', (_, start, events, action) => {
    expect(after(start, events)[1]).toEqual(action);
  });

  it('a failure leaves what is known as it was, and says why', () => {
    const [plan] = after(startPlan(5, NOW - 9), [published(9), due, failed]);
    expect(plan).toMatchObject({ cosigned: 5, cosignedAt: NOW - 9, old: 5, error: 'no answer', failures: 1 });
    expect(plan.asking).toBeUndefined();
    const [well] = after(plan, [due, due, due, due, cosigned]);
    expect(well.error).toBeUndefined();
    expect(well).toMatchObject({ cosigned: 9, covered: true, failures: 0 });
  });
});

describe('when a witness is asked again', () => {
  const failing = (count: number, answer: WitnessAnswer, jitter: number): number => {
    let plan = decideWitness(startPlan(), published(5), NOW, 0)[0];
    let now = NOW;
    for (let i = 0; i < count; i += 1) {
      now = Math.max(now, wakeAt(plan) ?? 0);
      plan = decideWitness(decideWitness(plan, due, now, 0)[0], answered(answer, jitter), now, 0)[0];
    }
    return (wakeAt(plan) ?? 0) - now;
  };

  it.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [6, 32_000],
    [7, MAX_WAIT_MS],
    [5_000, MAX_WAIT_MS],
  ])('after %d failures within %d ms, and half of it at least', (count, waitMs) => {
    const answer = { kind: 'failed', because: 'no answer' } as const;
    expect(failing(count, answer, 1)).toBe(waitMs);
    expect(failing(count, answer, 0)).toBe(waitMs / 2);
  });

  it.each([
    [120_000, 120_000],
    [10, 500],
    [MAX_TOLD_WAIT_MS * 100, MAX_TOLD_WAIT_MS],
  ])('told to wait %d ms it waits %d ms', (waitMs, waited) => {
    expect(failing(1, { kind: 'failed', because: 'busy', waitMs }, 0)).toBe(waited);
  });

  it('a witness that is asked seldom gets the newest checkpoint when its time comes', () => {
    const [plan] = after(startPlan(), [published(5), due, cosigned, published(6), published(7)], 600_000);
    const at = NOW + 2_000 + 600_000;
    expect(wakeAt(plan)).toBe(at);
    expect(decideWitness(plan, due, at - 1, 600_000)[1]).toEqual(none);
    expect(decideWitness(plan, due, at, 600_000)[1]).toEqual({ kind: 'ask', old: 5, size: 7 });
  });
});

describe('whatever a witness answers', () => {
  const sizes = fc.integer({ min: 0, max: 40 });
  const answers: fc.Arbitrary<WitnessEvent> = fc
    .oneof(
      fc.constant<WitnessAnswer>({ kind: 'cosigned' }),
      sizes.map((size): WitnessAnswer => ({ kind: 'size', size })),
      fc.constant<WitnessAnswer>({ kind: 'inconsistent' }),
      fc
        .integer({ min: 0, max: 1e12 })
        .map((waitMs): WitnessAnswer => ({ kind: 'failed', because: 'x', waitMs })),
    )
    .map((answer) => answered(answer));
  const steps = fc.array(
    fc.tuple(
      fc.oneof(fc.constant('grow' as const), fc.constant('due' as const), answers),
      fc.integer({ min: 0, max: 4_000_000 }),
    ),
    { maxLength: 60 },
  );

  it('one question at a time, never from a size above ours, and in the end it is asked again', () => {
    fc.assert(
      fc.property(steps, sizes, (events, start) => {
        let plan = startPlan(start);
        let now = NOW;
        let size = start;
        for (const [step, ms] of events) {
          now += ms;
          if (step === 'grow') size += 1;
          const event = step === 'grow' ? published(size) : step === 'due' ? due : step;
          const before = plan;
          const [next, action] = decideWitness(plan, event, now, 0);
          plan = next;
          if (action.kind === 'ask') {
            expect(before.asking).toBeUndefined();
            expect(action.old).toBeLessThanOrEqual(action.size);
            expect(action.size).toBe(size);
          }
          if (action.kind === 'ahead') expect(action.size).toBeGreaterThan(before.published);
          expect(plan.notBefore).toBeLessThanOrEqual(now + MAX_TOLD_WAIT_MS);
        }
        if (size === 0) return;
        [plan] = decideWitness(plan, answered({ kind: 'failed', because: 'x' }), now, 0);
        [plan] = decideWitness(plan, published(size + 1), now, 0);
        expect(decideWitness(plan, due, now + MAX_TOLD_WAIT_MS, 0)[1].kind).toBe('ask');
      }),
      { numRuns: 1_000 },
    );
  });
});
