import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance } from './streak.ts';
import { answerOf, policyOf } from './testing.ts';
import type { Answer, MonitorPolicy, Streak } from './types.ts';

const letters = { o: 'ok', d: 'degraded', f: 'fail' } as const;

/** One answer every 10 s from `o`, `d` and `f`. */
function answers(text: string): Answer[] {
  return [...text].map((letter, i) => answerOf(letters[letter as keyof typeof letters], i * 10_000));
}

function run(policy: MonitorPolicy, list: readonly Answer[]): Streak | undefined {
  return list.reduce<Streak | undefined>((streak, answer) => advance(policy, streak, answer), undefined);
}

describe('a streak', () => {
  it.each([
    // fall, rise, answers, state, since (s), degraded
    [2, 2, 'o', 'ok', 0, false],
    [2, 2, 'd', 'ok', 0, true],
    [2, 2, 'f', 'unknown', 0, false],
    [1, 1, 'f', 'fail', 0, false],
    [2, 2, 'ff', 'fail', 0, false],
    [2, 2, 'fo', 'ok', 10, false],
    [2, 2, 'of', 'ok', 0, false],
    [2, 2, 'off', 'fail', 10, false],
    [3, 2, 'offf', 'fail', 10, false],
    [3, 2, 'offoff', 'ok', 0, false],
    [2, 2, 'offo', 'fail', 10, false],
    [2, 2, 'offoo', 'ok', 30, false],
    [2, 2, 'offofo', 'fail', 10, false],
    [2, 2, 'offdd', 'ok', 30, true],
    [2, 2, 'offod', 'ok', 30, true],
    [2, 2, 'offdo', 'ok', 30, false],
    [2, 2, 'od', 'ok', 0, false],
    [2, 2, 'odd', 'ok', 0, true],
    [2, 2, 'oddo', 'ok', 0, true],
    [2, 2, 'oddoo', 'ok', 0, false],
    [2, 2, 'odf', 'ok', 0, true],
    [2, 2, 'ofd', 'ok', 0, true],
    [2, 2, 'dfdfdfdf', 'ok', 0, true],
    [2, 2, 'ododod', 'ok', 0, false],
  ] as const)(
    'fall %i, rise %i: %s is %s since %i s, degraded %s',
    (fall, rise, text, state, since, degraded) => {
      expect(run(policyOf({ fall, rise }), answers(text))).toMatchObject({
        state,
        sinceDueAt: since * 1_000,
        degraded,
      });
    },
  );

  it('counts rechecks, also one that is due with the check itself', () => {
    const first = advance(policyOf(), run(policyOf(), answers('o')), answerOf('fail', 10_000));
    const again = advance(policyOf(), first, answerOf('fail', 10_000, { recheck: true }));
    expect(again).toMatchObject({ state: 'fail', sinceDueAt: 10_000 });
  });

  it('ignores what comes late and what comes twice', () => {
    const streak = run(policyOf(), answers('of'));
    for (const late of [answerOf('fail', 10_000), answerOf('fail', 9_999), answerOf('ok', 0)]) {
      expect(advance(policyOf(), streak, late)).toBe(streak);
    }
  });

  it('begins anew after a silence: neither an old ok nor an old failure is known to hold', () => {
    const back = (outcome: Answer['outcome']) => answerOf(outcome, 70_000);
    expect(advance(policyOf(), run(policyOf(), answers('oo')), back('fail')).state).toBe('unknown');
    expect(advance(policyOf(), run(policyOf(), answers('ff')), back('ok')).state).toBe('ok');
  });

  it('measures silence by receipt, not by the clock of the probe', () => {
    const streak = run(policyOf(), answers('oo'));
    const stepped = answerOf('fail', 99_000_000, { receivedAt: 20_000 });
    expect(advance(policyOf(), streak, stepped)).toMatchObject({ state: 'ok', against: 1 });
  });

  it('keeps the newest reason', () => {
    const streak = run(policyOf(), [
      answerOf('fail', 0, { fault: 'target.connect.refused', detail: 'x' }),
      answerOf('fail', 10_000, { fault: 'target.http.status' }),
      answerOf('ok', 20_000),
    ]);
    expect(streak?.trouble).toEqual({ fault: 'target.http.status' });
  });
});

const outcomes = fc.array(fc.constantFrom('o', 'd', 'f'), { minLength: 1, maxLength: 60 });
const limits = fc.record({ fall: fc.integer({ min: 1, max: 4 }), rise: fc.integer({ min: 1, max: 4 }) });

describe('any streak', () => {
  it('is not plainly ok after `fall` answers in a row that were not', () => {
    fc.assert(
      fc.property(
        limits,
        outcomes,
        fc.array(fc.constantFrom('d', 'f'), { minLength: 4 }),
        (limit, before, bad) => {
          const streak = run(policyOf(limit), answers([...before, ...bad.slice(0, limit.fall)].join('')));
          expect(streak?.state === 'ok' && !streak.degraded).toBe(false);
        },
      ),
    );
  });

  it('is failing after `fall` failures and plainly ok after twice `rise` oks, whatever came before', () => {
    fc.assert(
      fc.property(limits, outcomes, (limit, before) => {
        const policy = policyOf(limit);
        const failed = run(policy, answers(before.join('') + 'f'.repeat(limit.fall)));
        expect(failed?.state).toBe('fail');
        const healed = run(policy, answers(before.join('') + 'o'.repeat(2 * limit.rise)));
        expect(healed).toMatchObject({ state: 'ok', degraded: false });
      }),
    );
  });

  it('never changes its state on fewer than `fall` or `rise` contradictions', () => {
    fc.assert(
      fc.property(limits, outcomes, (limit, text) => {
        const policy = policyOf(limit);
        let streak: Streak | undefined;
        let row = 0;
        for (const answer of answers(text.join(''))) {
          const before = streak;
          streak = advance(policy, streak, answer);
          const against =
            before !== undefined && before.state !== (answer.outcome === 'fail' ? 'fail' : 'ok');
          row = against ? row + 1 : 0;
          if (before && before.state !== 'unknown' && streak.state !== before.state) {
            expect(row).toBeGreaterThanOrEqual(streak.state === 'fail' ? limit.fall : limit.rise);
          }
        }
      }),
    );
  });

  it('survives JSON', () => {
    fc.assert(
      fc.property(limits, outcomes, (limit, text) => {
        const policy = policyOf(limit);
        const list = answers(text.join(''));
        const saved = list.reduce<Streak | undefined>(
          (streak, answer) => JSON.parse(JSON.stringify(advance(policy, streak, answer))) as Streak,
          undefined,
        );
        expect(saved).toEqual(run(policy, list));
      }),
    );
  });
});
