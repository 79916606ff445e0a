import { describe, expect, it } from 'vitest';
import { monitorsText, type Why, whyText } from './commands/why.ts';

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

describe('a window that is over', () => {
  const first = Math.floor(at / 60_000);
  const line = { probe: 'eu-1', region: 'eu', receivedAt: at + 61_000, line: 'web/a/http 1 ok 100 -' };
  const batch = { epoch: 0, number: 12, log: { year: 2026, index: 345 } };
  const told = (lines: Why['lines'], about: Partial<NonNullable<Why['decided']>> = {}): string =>
    whyText({
      monitor: 'web/a/http',
      at,
      verdict: { subject: 'web/a/http', status: 'up', since: at, because: 'said', votes: [] },
      slot: { minute: first, state: 'up', because: 'eu: up', quorum: { needed: 2, regions: 3 } },
      lines,
      decided: { first, last: first + 1, gone: 0, more: 0, ...about },
    });

  it('is told by its lines, where each lies in the log, and why one does not count', () => {
    const text = told([
      { ...line, batch, counts: true, detail: 'by name' },
      { ...line, probe: 'us-1', batch: { epoch: 0, number: 3 }, counts: false, because: 'it was late' },
      { ...line, probe: 'us-1', counts: false, because: 'it is in no batch of the log so far' },
    ]);
    expect(text).toBe(`web/a/http is up at 2026-11-18 11:06:40 UTC, since 2026-11-18 11:06:40 UTC
because said

slot of 2026-11-18 11:06:00 UTC: up, because eu: up
  it takes 2 of 3 regions to say the same

lines due from 2026-11-18 11:06:00 UTC until before 2026-11-18 11:08:00 UTC
  eu-1  batch 0.12  log 2026 entry 345  of 2026-11-18 11:07:41 UTC  web/a/http 1 ok 100 -   (by name)
  us-1  batch 0.3                       of 2026-11-18 11:07:41 UTC  web/a/http 1 ok 100 -
    does not count: it was late
  us-1  no batch                        of 2026-11-18 11:07:41 UTC  web/a/http 1 ok 100 -
    does not count: it is in no batch of the log so far

`);
  });

  it('says what is gone, what is not shown, and that nothing was said', () => {
    expect(told([], { gone: 1 })).toContain('bodies of one batch of that time are gone or damaged');
    expect(told([], { gone: 1 })).not.toContain('none in any batch');
    expect(told([], { gone: 7 })).toContain('bodies of 7 batches of that time are gone or damaged');
    expect(told([])).toContain('  none in any batch of the log\n');
    expect(told([{ ...line, batch, counts: true }], { more: 5 })).toContain('  5 more are not shown\n');
  });
});

it('of a service each monitor is told in short: the minute where it is over, the verdict else', () => {
  const slot = { minute: Math.floor(at / 60_000), because: 'eu: down, us: down', state: 'down' as const };
  const answer: Why = {
    monitor: 'web/a/http',
    at,
    verdict: { subject: 'web/a/http', status: 'up', since: at, because: 'all well', votes: [] },
    slot,
    lines: [],
  };
  const decided = { first: slot.minute, last: slot.minute, gone: 0, more: 0 };
  const over = monitorsText('web', [{ ...answer, decided }], 3);
  expect(over).toContain('web is decided by its monitors, in the minute of 2026-11-18 11:06:40 UTC');
  expect(over).toContain('web/a/http  down  eu: down, us: down');
  expect(over).toContain('2 more are not shown');
  expect(monitorsText('web/a', [answer])).toContain('web/a/http  up  all well');
});
