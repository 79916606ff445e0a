import { describe, expect, it } from 'vitest';
import type { CheckContext } from '@highwater/config/kinds.ts';
import { type AlgodFixture, startAlgod } from '../../../../test/fixtures/chains/algod.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { openWay } from '../../io/exchange.ts';
import { parseConsent } from '../../io/reach.ts';
import { makeResolve } from '../../io/resolve.ts';
import type { Ask } from '../ask.ts';
import { openRpc } from '../rpc.ts';
import { base32Id } from './algorand-read.ts';
import { algorand } from './algorand.ts';
import type { PollStream } from './family.ts';

describe('waiting for blocks', () => {
  const stream = algorand.stream as PollStream;

  it('gives the next block as soon as it is there, and none when none came in time', async () => {
    using ledger = makeLedger({ seed: 'stream', blockTimeMs: 2_800 });
    await using algod = await startAlgod({ view: ledger.view(), waitMs: 20 });
    using way = asking(algod.url);
    expect(await stream.next(way.ask, 1_000)).toBeUndefined();
    ledger.make(3);
    expect(await stream.next(way.ask, 1_000)).toEqual({ height: 1_003 });
    expect(await stream.next(way.ask, 1_003)).toBeUndefined();
    // Waited for what was made up, the round that it has is told.
    expect(await stream.next(way.ask, 5_000_000)).toEqual({ height: 1_003 });
  });

  it('waits', async () => {
    using ledger = makeLedger({ seed: 'stream', blockTimeMs: 2_800 });
    const view = ledger.view();
    await using algod = await startAlgod({ view });
    using way = asking(algod.url);
    const heard = Promise.withResolvers<void>();
    const onHead = view.onHead.bind(view);
    view.onHead = (listener) => {
      heard.resolve();
      return onHead(listener);
    };
    const block = stream.next(way.ask, 1_000);
    await heard.promise;
    ledger.make();
    expect(await block).toEqual({ height: 1_001 });
  });

  it.each<[string, (algod: AlgodFixture) => void, string]>([
    ['a catchpoint', (algod) => (algod.catchpoint = '900#X'), 'target.head.syncing'],
    [
      'an upgrade that comes next',
      (algod) => (algod.upgrade = { version: 'new', round: 1_001, supported: false }),
      'target.head.upgrade',
    ],
    [
      'an upgrade at which it stopped',
      (algod) => (algod.upgrade = { version: 'new', round: 990, supported: false }),
      'target.head.stopped',
    ],
    ['a token', (algod) => (algod.token = 'b'.repeat(64)), 'target.http.status'],
    ['a proxy', (algod) => (algod.forbidden = /wait/), 'target.http.refused'],
  ])('is a fault: %s', async (_, spoil, expected) => {
    using ledger = makeLedger({ seed: 'stream', blockTimeMs: 2_800 });
    await using algod = await startAlgod({ view: ledger.view() });
    using way = asking(algod.url);
    spoil(algod);
    await expect(stream.next(way.ask, 1_000)).rejects.toThrow(expected);
  });
});

describe('base32', () => {
  it('is read to the first four bytes', () => {
    // The zero hash, all ones, and the hash of a block that a node of a developer's network named.
    expect(base32Id('A'.repeat(52), 'x')).toBe('00000000');
    expect(base32Id(`${'7'.repeat(51)}Q`, 'x')).toBe('ffffffff');
    expect(base32Id('YIJV66JRHWW64FW57YG74RJ3WVJS2KIA3IWPZLEQJDBH7G4TO4WQ', 'x')).toBe('c2135f79');
  });

  it.each([undefined, '', 'A'.repeat(51), 'a'.repeat(52), `${'A'.repeat(51)}1`, 7])('is not %s', (text) => {
    expect(() => base32Id(text, 'x')).toThrow('target.rpc.result');
  });
});

/** Questions by the real way out. */
function asking(url: string): Disposable & { readonly ask: Ask } {
  const outside = {
    resolve: makeResolve(),
    consent: parseConsent(['config']),
    userAgent: 'test',
    monotonic: () => performance.now(),
  };
  const way = openWay({ url, headers: {}, allowPrivate: true }, outside, AbortSignal.timeout(5_000));
  const context = { exchange: (request) => way.exchange(request) } as CheckContext;
  return { ask: openRpc(context, {}), [Symbol.dispose]: () => way.close() };
}
