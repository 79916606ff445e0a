/** What is pushed by nodes of Cosmos and Solana, over real sockets. */
import { describe, expect, it } from 'vitest';
import type { CheckContext } from '@highwater/config/kinds.ts';
import { startCosmos } from '../../../../test/fixtures/chains/cosmos.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { startSolana } from '../../../../test/fixtures/chains/solana.ts';
import { parseConsent } from '../../io/reach.ts';
import { makeResolve } from '../../io/resolve.ts';
import { openSocket } from '../../io/socket.ts';
import { runOnce } from '../../once.ts';
import { readJson } from '../json.ts';
import { openSocketRpc } from '../rpc-socket.ts';
import { cosmos } from './cosmos.ts';
import type { ChainFamily, SocketStream } from './family.ts';
import { solana } from './solana.ts';

const outside = {
  resolve: makeResolve(),
  consent: parseConsent(['config']),
  userAgent: 'Highwater/test',
  monotonic: () => performance.now(),
};

/** To ask on, and to read what is pushed. */
async function connect(url: string, family: ChainFamily) {
  const stream = family.stream as SocketStream;
  const signal = AbortSignal.timeout(5_000);
  const path = stream.path === undefined ? {} : { path: stream.path };
  const link = await openSocket({ url, allowPrivate: true, headers: {} }, outside, path, signal);
  const ctx = { signal, socket: () => Promise.resolve(link) } as unknown as CheckContext;
  const ask = openSocketRpc(ctx, {});
  return {
    ask,
    subscribed: () => stream.subscribe(ask),
    async pushed() {
      const read = readJson(await link.next(signal));
      return 'value' in read ? stream.pushed(read.value) : undefined;
    },
    [Symbol.dispose]: () => link[Symbol.dispose](),
  };
}

const fault = (code: string, detail: string) => ({
  fault: { operation: 'ws', code, detail: expect.stringContaining(detail) as string },
});

describe('a CometBFT node', () => {
  const serve = async () => {
    const ledger = makeLedger({ seed: 'cosmos', blockTimeMs: 6_000 });
    return { ledger, node: await startCosmos({ view: ledger.view() }) };
  };

  it('pushes each header, while it is asked for others', async () => {
    const { ledger, node } = await serve();
    await using _ = node;
    using socket = await connect(node.url, cosmos);
    await socket.subscribed();
    ledger.make(2);
    for (const height of [1_001, 1_002]) {
      const { parent, at } = ledger.block(height) ?? {};
      expect(await socket.pushed()).toEqual({ height, parent: parent?.slice(0, 8), blockAt: at });
    }
    expect(await cosmos.tip(socket.ask)).toMatchObject({ height: 1_002, id: ledger.head.hash.slice(0, 8) });
    ledger.make();
    expect((await socket.pushed())?.parent).toBe(ledger.block(1_002)?.hash.slice(0, 8));
  });

  it('refuses a subscription, or ends it, or closes', async () => {
    const { node } = await serve();
    await using _ = node;
    using socket = await connect(node.url, cosmos);
    node.subscriptions = 'refused';
    await expect(socket.subscribed()).rejects.toMatchObject(fault('subscription', 'subscribe: -32603'));
    node.subscriptions = 'pushing';
    await socket.subscribed();
    node.cancelSubscriptions('slow client');
    await expect(socket.pushed()).rejects.toMatchObject(fault('subscription', 'slow client'));
    node.closeSockets(1013);
    await expect(socket.pushed()).rejects.toMatchObject(fault('closed', '1013'));
  });

  it('has its head told over a WebSocket too', async () => {
    const { ledger, node } = await serve();
    await using _ = node;
    const { outcome, facts } = await runOnce({
      kind: 'head',
      settings: { path: '/websocket', transport: 'websocket' },
      target: { url: node.url, headers: {}, allowPrivate: true },
      chain: {
        name: 'cosmos',
        family: 'cosmos',
        chainId: 'fixture-1',
        blockTimeMs: 6_000,
        maxLagBlocks: 6,
        maxAgeMs: 60_000,
        forkDepthBlocks: 2,
      },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
    expect([outcome, facts['h'], facts['cp']]).toEqual([
      'ok',
      '1000',
      `992.${ledger.block(992)?.hash.slice(0, 8)}`,
    ]);
  });
});

describe('a Solana node', () => {
  const serve = async () => {
    const ledger = makeLedger({ seed: 'solana', blockTimeMs: 400 });
    return { ledger, node: await startSolana({ view: ledger.view() }) };
  };

  it('pushes each slot that has a block', async () => {
    const { ledger, node } = await serve();
    await using _ = node;
    using socket = await connect(node.wsUrl, solana);
    await socket.subscribed();
    ledger.make(4);
    for (const height of [1_001, 1_002, 1_004]) expect(await socket.pushed()).toEqual({ height });
  });

  it('refuses a subscription, or closes', async () => {
    const { node } = await serve();
    await using _ = node;
    using socket = await connect(node.wsUrl, solana);
    node.subscriptions = 'refused';
    await expect(socket.subscribed()).rejects.toMatchObject(fault('subscription', 'too many subscriptions'));
    node.closeSockets(1006);
    await expect(socket.pushed()).rejects.toMatchObject(fault('closed', '1006'));
  });
});
