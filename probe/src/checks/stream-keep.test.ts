import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LastingWay } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';
import { delayMs, type KeptState, keepUp, type Session, type Told } from './stream-keep.ts';

/** A clock that is set, a signal that is aborted, and sessions that end as told. */
function bench() {
  let nowMs = 0;
  const ending = new AbortController();
  const way: LastingWay = {
    signal: ending.signal,
    now: () => nowMs,
    monotonic: () => nowMs,
    socket: () => Promise.reject(new Error('unused')),
    exchange: () => Promise.reject(new Error('unused')),
  };
  const sessions: { readonly told: Told; readonly end: (thrown: Error) => void; ended: boolean }[] = [];
  let open = 0;
  let most = 0;
  const session: Session = (told, signal) =>
    new Promise((_, reject) => {
      most = Math.max(most, (open += 1));
      const own = {
        told,
        ended: false,
        end: (thrown: Error) => {
          if (own.ended) return;
          own.ended = true;
          open -= 1;
          reject(thrown);
        },
      };
      sessions.push(own);
      signal.addEventListener('abort', () => own.end(new Error('aborted')), { once: true });
    });
  const kept = keepUp(way, session, { firstMs: 1, maxMs: 4 });
  return {
    kept,
    sessions,
    ending,
    most: () => most,
    open: () => open,
    at: (ms: number) => (nowMs = ms),
    last: () => sessions.at(-1) as (typeof sessions)[number],
    until: (count: number) => expect.poll(() => sessions.length, { interval: 1 }).toBe(count),
  };
}

const shown = ({ downSinceMs, quietSinceMs, lost, trouble, renewing, lostBy, closeCode }: KeptState) =>
  `${renewing ? 'renewing ' : ''}down ${downSinceMs ?? '-'} quiet ${quietSinceMs ?? '-'} lost ${lost} ${trouble?.code ?? '-'} ${lostBy?.code ?? '-'} ${closeCode ?? '-'}`;

describe('what is kept up', () => {
  it('is down until it is made, quiet until something comes, and told once of what was lost', async () => {
    const { kept, last, at, until } = bench();
    await until(1);
    expect(shown(kept.read())).toBe('down 0 quiet - lost 0 - - -');
    at(10);
    last().told.established();
    expect(shown(kept.read())).toBe('down - quiet 10 lost 0 - - -');
    at(20);
    last().told.moved();
    at(30);
    last().told.closed(1011);
    last().end(faultError('target.ws.closed', '1011'));
    await until(2);
    expect(shown(kept.read())).toBe('down 30 quiet 20 lost 1 closed closed 1011');
    at(40);
    last().told.closed(1006);
    last().end(faultError('target.ws.upgrade', '503'));
    await until(3);
    // It was not there, so it was not lost.
    expect(shown(kept.read())).toBe('down 30 quiet 20 lost 0 upgrade - -');
    at(50);
    last().told.established();
    expect(shown(kept.read())).toBe('down - quiet 50 lost 0 - - -');
    kept[Symbol.dispose]();
  });

  it('made anew because it is silent, it is no longer silent only when something comes', async () => {
    const { kept, last, at, until, open, sessions } = bench();
    await until(1);
    last().told.established();
    at(99);
    kept.renew(100);
    expect(open()).toBe(1);
    expect(sessions).toHaveLength(1);
    at(100);
    kept.renew(100);
    await until(2);
    // That it was ended by us is no trouble; that it cannot be made is.
    expect(shown(kept.read())).toBe('renewing down 100 quiet 0 lost 0 - - -');
    last().end(faultError('target.ws.upgrade', '503'));
    await until(3);
    expect(shown(kept.read())).toBe('renewing down 100 quiet 0 lost 0 upgrade - -');
    at(200);
    last().told.established();
    expect(shown(kept.read())).toBe('down - quiet 0 lost 0 - - -');
    at(300);
    last().told.moved();
    expect(shown(kept.read())).toBe('down - quiet 300 lost 0 - - -');
    kept[Symbol.dispose]();
  });

  it('is never there twice, goes on after bugs, and ends with its monitor', async () => {
    const { kept, last, until, most, open, ending, sessions } = bench();
    for (let i = 1; i <= 20; i += 1) {
      await until(i);
      if (i % 2 === 0) last().told.established();
      if (i % 3 === 0) kept.renew(0);
      last().end(i % 5 === 0 ? new TypeError('a bug') : faultError('target.ws.closed'));
    }
    await until(21);
    expect(most()).toBe(1);
    ending.abort(new Error('no longer assigned'));
    await expect.poll(open).toBe(0);
    expect(sessions).toHaveLength(21);
    kept[Symbol.dispose]();
  });
});

describe('the wait before the next try', () => {
  it.each([
    [1, 0, 500],
    [1, 1, 1_000],
    [2, 1, 2_000],
    [6, 0, 16_000],
    [7, 1, 60_000],
    [1_000_000, 0, 30_000],
  ])('after %d failures with chance %d is %d ms', (failures, chance, expected) => {
    expect(delayMs(failures, { firstMs: 1_000, maxMs: 60_000 }, chance)).toBe(expected);
  });

  it('is never under half a second nor over a minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, chance) => {
        const ms = delayMs(failures, { firstMs: 1_000, maxMs: 60_000 }, chance);
        expect(ms).toBeGreaterThanOrEqual(500);
        expect(ms).toBeLessThanOrEqual(60_000);
      }),
    );
  });
});
