import fc from 'fast-check';
import { faultFromId } from '@highwater/config/faults.ts';
import { describe, expect, it } from 'vitest';
import { judgementOf, policyOf, voteOf } from './testing.ts';
import type { Vote } from './types.ts';
import { judgeMonitor } from './verdict.ts';

const words = { u: 'up', g: 'degraded', d: 'down', '?': 'unknown' } as const;

/** A vote for each letter: u up, g degraded, d down, ? unknown. */
function votesOf(text: string): Vote[] {
  return [...text].map((letter, i) =>
    voteOf(`r${i + 1}`, words[letter as keyof typeof words], 100 * (i + 1)),
  );
}

function judge(text: string, quorum = Math.floor(text.length / 2) + 1) {
  const regions = votesOf(text).map((vote) => vote.region);
  return judgeMonitor(policyOf({ regions, quorum }), votesOf(text));
}

describe('the verdict of a monitor', () => {
  it.each([
    ['u', 'up'],
    ['d', 'down'],
    ['g', 'degraded'],
    ['?', 'unknown'],
    ['uu', 'up'],
    ['ud', 'unknown'],
    ['u?', 'unknown'],
    ['dd', 'down'],
    ['uuu', 'up'],
    ['uu?', 'up'],
    ['uud', 'up'],
    ['ud?', 'unknown'],
    ['u??', 'unknown'],
    ['udd', 'down'],
    ['dd?', 'down'],
    ['d??', 'unknown'],
    ['uug', 'up'],
    ['ugg', 'degraded'],
    ['ug?', 'degraded'],
    ['ugd', 'degraded'],
    ['uugd', 'degraded'],
    ['uuud', 'up'],
    ['uudd', 'unknown'],
    ['uddd', 'down'],
    ['uuudd', 'up'],
    ['uugdd', 'degraded'],
    ['uuugg', 'up'],
    ['uuggg', 'degraded'],
    ['uu???', 'unknown'],
    ['uuddd', 'down'],
  ])('%s is %s', (votes, status) => {
    expect(judge(votes).status).toBe(status);
  });

  it('takes a stricter quorum than the majority', () => {
    expect(judge('ddu', 3)).toMatchObject({ status: 'unknown', downIn: ['r1', 'r2'] });
    expect(judge('ddd', 3).status).toBe('down');
  });

  it.each([
    ['ddu', 'down in 2 of 3 regions: target.http.timeout'],
    ['uuu', 'up in 3 of 3 regions'],
    ['uud', 'up in 2 of 3 regions; down in r3: target.http.timeout'],
    ['uu?', 'up in 2 of 3 regions; no fresh answer from r3'],
    ['ugg', 'up in 3 of 3 regions; degraded in r2 and r3: target.http.timeout'],
    ['ud?', '1 up, 1 down, 1 without a fresh answer: 2 of 3 regions must agree: target.http.timeout'],
    ['???', 'no fresh answer from any of 3 regions'],
    ['d', 'down in 1 of 1 region: target.http.timeout'],
    ['', 'no region watches it'],
  ])('%s because %s', (text, because) => {
    const fault = { source: 'target', operation: 'http', code: 'timeout' } as const;
    const votes = votesOf(text).map((vote) =>
      /down|degraded/.test(vote.status) ? { ...vote, fault } : vote,
    );
    const regions = votes.map((vote) => vote.region);
    expect(judgeMonitor(policyOf({ regions }), votes).because).toBe(because);
  });

  it.each([
    ['probe.control.failed', "the probe's controls failed too"],
    ['probe.clock.wrong', "the probe's clock is not right"],
    ['probe.schedule.late', 'the probe was late'],
    ['probe.config.secret', 'probe.config.secret'],
    ['target.http.refused', 'target.http.refused'],
  ])('tells why no answer counts: %s', (id, words) => {
    const votes = votesOf('???').map((vote) => ({ ...vote, fault: faultFromId(id) }));
    const regions = votes.map((vote) => vote.region);
    const because = `no answer that counts from 3 of 3 regions: ${words}`;
    expect(judgeMonitor(policyOf({ regions }), votes as Vote[])).toMatchObject({
      status: 'unknown',
      because,
    });
    const one = [...votesOf('uu'), ...votes.slice(2)] as Vote[];
    expect(judgeMonitor(policyOf({ regions }), one).because).toBe(
      `up in 2 of 3 regions; no answer that counts from r3: ${words}`,
    );
  });

  it('names the most frequent faults first, and three at most', () => {
    const codes = ['timeout', 'reset', 'reset', 'status', 'body'];
    const votes = codes.map((code, i) =>
      voteOf(`r${i}`, 'down', 0, { fault: { source: 'target', operation: 'http', code } }),
    );
    const { because } = judgeMonitor(policyOf({ regions: votes.map((vote) => vote.region) }), votes);
    expect(because).toBe(
      'down in 5 of 5 regions: target.http.reset, target.http.body, target.http.status and others',
    );
  });

  it('one region that sees it down is a notice and nothing more', () => {
    expect(judge('uud')).toMatchObject({
      status: 'up',
      notice: 'down in r3 alone, 2 needed for a verdict',
      downIn: ['r3'],
    });
    expect(judge('ddu').notice).toBeUndefined();
    expect(judge('uuu').notice).toBeUndefined();
  });

  describe('is dated', () => {
    const policy = policyOf({ freshMs: 30_000 });
    const judgeAt = (starts: readonly number[], previous?: Parameters<typeof judgeMonitor>[2]) =>
      judgeMonitor(
        policy,
        starts.map((start, i) => voteOf(policy.regions[i] ?? '', 'down', start)),
        previous,
      ).sinceDueAt;

    it('from the first failing due time', () => {
      expect(judgeAt([100_000, 101_000, 102_000])).toBe(100_000);
    });
    it('not from a region that had its own trouble long before', () => {
      expect(judgeAt([1_000, 100_000, 102_000])).toBe(100_000);
      expect(judgeAt([1_000, 100_000])).toBe(100_000);
    });
    it('not before the up that it ended', () => {
      expect(judgeAt([90_000, 100_000], judgementOf('up', { sinceDueAt: 95_000 }))).toBe(95_000);
    });
    it('as before while it goes on', () => {
      expect(judgeAt([90_000, 100_000], judgementOf('down', { sinceDueAt: 5_000 }))).toBe(5_000);
    });
    it('for up from the region that completed the quorum', () => {
      expect(judge('uuu').sinceDueAt).toBe(200);
    });
  });
});

const statuses = fc.constantFrom('up' as const, 'degraded' as const, 'down' as const, 'unknown' as const);
const ballots = fc.array(fc.tuple(statuses, fc.integer({ min: 0, max: 100_000 })), {
  minLength: 1,
  maxLength: 7,
});

function judgeBallot(list: readonly (readonly [Vote['status'], number])[]) {
  const votes = list.map(([status, since], i) => voteOf(`r${i}`, status, since));
  const regions = votes.map((vote) => vote.region);
  const policy = policyOf({ regions });
  return { votes, policy, status: judgeMonitor(policy, votes).status };
}

describe('any verdict', () => {
  it('does not depend on the order of the votes', () => {
    fc.assert(
      fc.property(ballots, (list) => {
        const { votes, policy } = judgeBallot(list);
        const turned = { ...judgeMonitor(policy, [...votes].reverse()), votes: [] };
        expect(turned).toEqual({ ...judgeMonitor(policy, votes), votes: [] });
      }),
    );
  });

  it('never gets better when a vote gets worse', () => {
    const rank = { up: 3, degraded: 2, unknown: 1, down: 0 };
    const worse = { up: 'degraded', degraded: 'down', unknown: 'down', down: 'down' } as const;
    fc.assert(
      fc.property(ballots, fc.nat(), (list, which) => {
        const before = judgeBallot(list).status;
        const after = judgeBallot(
          list.map(([s, t], i) => (i === which % list.length ? [worse[s], t] : [s, t])),
        ).status;
        expect(rank[after]).toBeLessThanOrEqual(rank[before]);
      }),
    );
  });

  it('is down or up only when a quorum says so, and with three regions or more never by one of them', () => {
    fc.assert(
      fc.property(ballots, (list) => {
        const { status, votes, policy } = judgeBallot(list);
        const down = votes.filter((vote) => vote.status === 'down').length;
        const up = votes.filter((vote) => vote.status === 'up' || vote.status === 'degraded').length;
        if (status === 'down') expect(down).toBeGreaterThanOrEqual(policy.quorum);
        if (status === 'up' || status === 'degraded') expect(up).toBeGreaterThanOrEqual(policy.quorum);
        if (status === 'down' && votes.length >= 3) expect(down).toBeGreaterThan(1);
        const content = votes.filter((vote) => vote.status === 'up').length;
        if (down + votes.filter((vote) => vote.status === 'degraded').length >= policy.quorum) {
          expect(status, `${content} content`).not.toBe('up');
        }
      }),
    );
  });
});

describe('what a verdict comes of', () => {
  it.each([
    ['down', ['head.old', 'head.old', 'head.old'], 'head-age'],
    ['down', ['head.old', 'head.old', 'http.timeout'], 'head-age'],
    ['down', ['head.old', 'http.timeout', 'http.timeout'], undefined],
    ['down', ['tls.expired', 'tls.expired', 'http.timeout'], 'certificate'],
    ['down', ['tls.untrusted', 'tls.untrusted', 'tls.untrusted'], undefined],
    ['degraded', ['tls.expiring', 'tls.expiring', 'tls.expires-soon'], 'certificate'],
    ['degraded', ['tls.expiring', 'tls.expires-soon', 'tls.expires-soon'], undefined],
    ['degraded', ['http.slow', 'http.slow', 'http.slow'], undefined],
  ] as const)('%s by %j is %s', (status, faults, cause) => {
    const regions = faults.map((_, i) => `r${i}`);
    const votes = faults.map((text, i) => {
      const [operation = '', code = ''] = text.split('.');
      return voteOf(`r${i}`, status, 0, { fault: { source: 'target', operation, code } });
    });
    expect(judgeMonitor(policyOf({ regions }), votes)).toMatchObject({ status, ...(cause && { cause }) });
    expect(judgeMonitor(policyOf({ regions }), votes).cause).toBe(cause);
  });
});
