import { describe, expect, it } from 'vitest';
import { type Why, whyText } from './commands/why.ts';

const at = 1_795_000_000_000;
type Vote = Why['verdict']['votes'][number];

/** What `why` says of a monitor with these votes, and of its slot. */
function textOf(votes: readonly Vote[], slot?: NonNullable<Why['slot']>): string {
  const verdict = {
    subject: 'web/a/http',
    status: 'up' as const,
    since: at,
    because: 'said',
    votes: [...votes],
  };
  return whyText({ monitor: 'web/a/http', at, verdict, lines: [], ...(slot && { slot }) });
}

describe('a vote', () => {
  it.each<[Omit<Vote, 'region'>, string]>([
    [{ status: 'up', at: at - 3_000, latencyTenths: 12 }, 'eu  up  3 s ago  1.2 ms'],
    [{ status: 'unknown' }, 'eu  unknown  no answer that counts'],
    [
      { status: 'unknown', at: at - 3_000, fault: 'target.http.refused' },
      'eu  unknown  skipped 3 s ago, counts neither way    target.http.refused',
    ],
    [
      { status: 'unknown', at: at - 3_000, fault: 'probe.control.failed' },
      'eu  unknown  no answer that counts, 3 s ago    probe.control.failed',
    ],
    // The first failing answer of two, before it is confirmed.
    [
      { status: 'unknown', at: at - 3_000, fault: 'target.http.timeout' },
      'eu  unknown  3 s ago    target.http.timeout',
    ],
  ])('%j is told', (vote, line) => {
    expect(textOf([{ region: 'eu', ...vote }]).split('\n')).toContain(`  ${line}`);
  });
});

describe('a region without data', () => {
  const slot = { minute: at / 60_000, because: 'eu: unknown (no-data), us: up' };
  it('is not explained as the minute when that is known', () => {
    const text = textOf([], { ...slot, state: 'up' });
    expect(text).toContain(
      'no-data: That region has no answer that counts in that minute; the others were enough.',
    );
    expect(text).not.toContain('neither up nor down is known');
  });
  it('is when it is not', () => {
    expect(textOf([], { ...slot, state: 'unknown' })).toContain('neither up nor down is known');
  });
});
