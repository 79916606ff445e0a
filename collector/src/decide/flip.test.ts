import type { Verdict } from '@highwater/config/domain.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settle } from './flip.ts';
import { judgementOf } from './testing.ts';

describe('a flip', () => {
  const up: Verdict = { subject: 'rpc', status: 'up', since: 1_000, because: 'is up', votes: [] };

  it('is dated back to the first failing due time', () => {
    const { flip, verdict } = settle('rpc', up, judgementOf('down', { sinceDueAt: 5_000 }), 9_000);
    expect(flip).toEqual({
      id: '6y0~rpc~down',
      subject: 'rpc',
      at: 5_000,
      from: 'up',
      to: 'down',
      because: 'is down',
    });
    expect(verdict).toMatchObject({ status: 'down', since: 5_000 });
  });

  it.each([
    ['down', 'up', 5_000],
    ['down', 'unknown', 9_000],
    ['unknown', 'up', 9_000],
    ['up', 'degraded', 9_000],
    ['degraded', 'up', 9_000],
    ['unknown', 'down', 5_000],
  ] as const)('from %s to %s is dated %i', (from, to, at) => {
    const { flip } = settle('rpc', { ...up, status: from }, judgementOf(to, { sinceDueAt: 5_000 }), 9_000);
    expect(flip?.at).toBe(at);
  });

  it('is never dated in the future, whatever a probe thinks of the time', () => {
    expect(settle('rpc', up, judgementOf('down', { sinceDueAt: 99_000 }), 9_000).flip?.at).toBe(9_000);
  });

  it('is none while the status stays; the reason may change', () => {
    const { flip, verdict } = settle('rpc', up, judgementOf('up', { because: 'two of three' }), 9_000);
    expect(flip).toBeUndefined();
    expect(verdict).toEqual({ ...up, because: 'two of three' });
  });

  it('is none for a first verdict that is unknown', () => {
    expect(settle('rpc', undefined, judgementOf('unknown'), 9_000)).toEqual({
      verdict: { subject: 'rpc', status: 'unknown', since: 9_000, because: 'is unknown', votes: [] },
    });
  });

  it('has an id that is safe in a URL', () => {
    const { flip } = settle('my_rpc.eu/a-1/head', undefined, judgementOf('up'), 9_000);
    expect(flip?.id).toBe(encodeURIComponent(flip?.id ?? ''));
  });

  it('alternates: each begins where the last ended', () => {
    const status = fc.constantFrom('up' as const, 'degraded' as const, 'down' as const, 'unknown' as const);
    fc.assert(
      fc.property(fc.array(status), (list) => {
        let verdict: Verdict | undefined;
        let last: string = 'unknown';
        list.forEach((to, i) => {
          const settled = settle('rpc', verdict, judgementOf(to, { sinceDueAt: i * 10 - 25 }), i * 10);
          verdict = settled.verdict;
          if (!settled.flip) return;
          expect(settled.flip.from).toBe(last);
          expect(settled.flip.to).not.toBe(last);
          last = settled.flip.to;
        });
        expect(verdict?.status ?? 'unknown').toBe(list.at(-1) ?? 'unknown');
      }),
    );
  });
});
