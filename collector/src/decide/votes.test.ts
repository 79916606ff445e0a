import { faultId } from '@highwater/config/faults.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advance } from './streak.ts';
import { answerOf, policyOf, voteOf } from './testing.ts';
import type { Answer, ProbeTrouble, Streak, Vote } from './types.ts';
import { regionVotes, staleAt } from './votes.ts';

/** A probe's streak that has been in a state since `at`. */
function streakOf(region: string, probe: string, outcome: Answer['outcome'], at = 0): Streak {
  return advance(policyOf({ fall: 1, rise: 1 }), undefined, answerOf(outcome, at, { region, probe }));
}

function statuses(votes: readonly Vote[]): string {
  return votes.map((vote) => `${vote.region} ${vote.status}`).join(', ');
}

describe('the votes of regions', () => {
  it.each([
    ['nothing heard', [], 'ap unknown, eu unknown, us unknown'],
    [
      'one probe each',
      [streakOf('ap', 'p', 'ok'), streakOf('eu', 'q', 'fail'), streakOf('us', 'r', 'degraded')],
      'ap up, eu down, us degraded',
    ],
    [
      'two of three probes',
      [streakOf('eu', 'p', 'fail'), streakOf('eu', 'q', 'fail'), streakOf('eu', 'r', 'ok')],
      'ap unknown, eu down, us unknown',
    ],
    [
      'a tie without a past',
      [streakOf('eu', 'p', 'fail'), streakOf('eu', 'q', 'ok')],
      'ap unknown, eu unknown, us unknown',
    ],
    [
      'half of the probes degraded',
      [streakOf('eu', 'p', 'degraded'), streakOf('eu', 'q', 'ok')],
      'ap unknown, eu degraded, us unknown',
    ],
    [
      'a third of the probes degraded',
      [streakOf('eu', 'p', 'degraded'), streakOf('eu', 'q', 'ok'), streakOf('eu', 'r', 'ok')],
      'ap unknown, eu up, us unknown',
    ],
    ['a region that is not assigned', [streakOf('mars', 'p', 'ok')], 'ap unknown, eu unknown, us unknown'],
  ])('%s', (_, streaks, expected) => {
    expect(statuses(regionVotes(policyOf(), streaks, 1_000))).toBe(expected);
  });

  it.each(['up', 'degraded', 'down', 'unknown'] as const)('a tie keeps %s', (before) => {
    const tie = [streakOf('eu', 'p', 'fail', 500), streakOf('eu', 'q', 'ok', 500)];
    const [vote] = regionVotes(policyOf({ regions: ['eu'] }), tie, 1_000, [voteOf('eu', before, 100)]);
    expect(vote?.status).toBe(before === 'degraded' ? 'up' : before);
  });

  it('an answer is fresh until its age by receipt is freshMs', () => {
    const policy = policyOf({ regions: ['eu'] });
    const streaks = [streakOf('eu', 'p', 'ok', 1_000)];
    expect(staleAt(policy, streaks, 2_000)).toBe(31_000);
    expect(statuses(regionVotes(policy, streaks, 30_999))).toBe('eu up');
    expect(statuses(regionVotes(policy, streaks, 31_000))).toBe('eu unknown');
    expect(staleAt(policy, streaks, 31_000)).toBeNull();
  });

  it('freshness does not look at the clock of the probe', () => {
    const policy = policyOf({ regions: ['eu'] });
    const skewed = advance(policy, undefined, answerOf('ok', 9e12, { receivedAt: 1_000 }));
    expect(statuses(regionVotes(policy, [skewed], 30_999))).toBe('eu up');
    expect(statuses(regionVotes(policy, [skewed], 31_000))).toBe('eu unknown');
  });

  it('a region says so since the majority of its probes does', () => {
    const three = ['p', 'q', 'r'].map((probe, i) => streakOf('eu', probe, 'fail', 100 * (i + 1)));
    const [vote] = regionVotes(policyOf({ regions: ['eu'] }), three, 1_000);
    expect(vote?.sinceDueAt).toBe(200);
  });

  it('carries the newest fault with its detail, receipt and latency', () => {
    const old = streakOf('eu', 'p', 'fail', 100);
    const policy = policyOf({ regions: ['eu'], fall: 1 });
    const fault = { fault: 'target.http.status', detail: '502', latencyTenths: 7, region: 'eu', probe: 'q' };
    const newest = advance(policy, undefined, answerOf('fail', 200, fault));
    expect(regionVotes(policy, [old, newest], 1_000)).toEqual([
      {
        region: 'eu',
        status: 'down',
        ok: 0,
        degraded: 0,
        at: 200,
        latencyTenths: 7,
        sinceDueAt: 200,
        fault: { source: 'target', operation: 'http', code: 'status', detail: '502' },
      },
    ]);
  });

  it('does not depend on the order of the probes', () => {
    const probe = fc.record({
      region: fc.constantFrom('ap', 'eu', 'us'),
      outcome: fc.constantFrom('ok' as const, 'degraded' as const, 'fail' as const),
      at: fc.integer({ min: 0, max: 40_000 }),
    });
    fc.assert(
      fc.property(
        fc.array(probe, { maxLength: 8 }),
        fc.array(fc.nat(), { minLength: 8 }),
        (probes, order) => {
          const streaks = probes.map(({ region, outcome, at }, i) => streakOf(region, `p${i}`, outcome, at));
          const shuffled = streaks
            .map((streak, i) => ({ streak, key: order[i] ?? 0 }))
            .sort((a, b) => a.key - b.key)
            .map(({ streak }) => streak);
          expect(regionVotes(policyOf(), shuffled, 41_000)).toEqual(regionVotes(policyOf(), streaks, 41_000));
        },
      ),
    );
  });
});

/** Trouble of a probe in eu: who, when, what. */
function troubleOf(probe: string, receivedAt: number, fault: ProbeTrouble['fault']): ProbeTrouble {
  return { monitor: 'rpc/a/head', probe, region: 'eu', receivedAt, fault };
}
const control = 'probe.control.failed';

/** An answer of eu at 1,000 or none, troubles, now, the vote and its fault. */
const troubles: [string, boolean, ProbeTrouble[], number, string][] = [
  ['the probe could not tell', false, [troubleOf('p', 1_000, control)], 2_000, `unknown ${control}`],
  ['while it is fresh', false, [troubleOf('p', 1_000, control)], 30_999, `unknown ${control}`],
  ['not once it is stale', false, [troubleOf('p', 1_000, control)], 31_000, 'unknown -'],
  ['never over an answer', true, [troubleOf('p', 2_000, control)], 2_500, 'up -'],
  ['over one that is stale', true, [troubleOf('p', 30_000, control)], 31_000, `unknown ${control}`],
  [
    'the newest of two',
    false,
    [troubleOf('p', 2_000, 'probe.loop.late'), troubleOf('q', 1_000, control)],
    2_500,
    'unknown probe.loop.late',
  ],
];

describe('trouble of the probes themselves', () => {
  it.each(troubles)('%s', (_, answered, own, now, expected) => {
    const policy = policyOf({ regions: ['eu'] });
    const streaks = answered ? [streakOf('eu', 'p', 'ok', 1_000)] : [];
    const [vote] = regionVotes(policy, streaks, now, [], own);
    expect(`${vote?.status ?? ''} ${vote?.fault ? faultId(vote.fault) : '-'}`).toBe(expected);
    // When it was heard is told beside it, so that it does not look like silence.
    if (vote?.status === 'unknown' && vote.fault)
      expect(own.map((each) => each.receivedAt)).toContain(vote.at);
  });

  it('is to be looked at again when it goes stale', () => {
    const policy = policyOf({ regions: ['eu'] });
    const own = [troubleOf('p', 5_000, control)];
    expect(staleAt(policy, [streakOf('eu', 'p', 'ok', 1_000)], 6_000, own)).toBe(31_000);
    expect(staleAt(policy, [], 6_000, own)).toBe(35_000);
    expect(staleAt(policy, [], 35_000, own)).toBeNull();
  });
});
