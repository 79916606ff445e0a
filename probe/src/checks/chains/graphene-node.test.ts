/** The family against the fixture, which bitsharesjs-ws finds faithful (test/contracts/fixtures-graphene.test.ts). */
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import type { CheckContext } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import {
  bitsharesChainId,
  blockIdOf,
  type GrapheneFixture,
  startGraphene,
} from '../../../../test/fixtures/chains/graphene.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { parseConsent } from '../../io/reach.ts';
import { makeResolve } from '../../io/resolve.ts';
import { openSocket } from '../../io/socket.ts';
import { runOnce } from '../../once.ts';
import { readJson } from '../json.ts';
import { openSocketRpc } from '../rpc-socket.ts';
import { graphene } from './graphene.ts';

const chain: Chain = {
  name: 'bitshares',
  family: 'graphene',
  genesis: bitsharesChainId,
  blockTimeMs: 3_000,
  maxLagBlocks: 5,
  maxAgeMs: 30_000,
  forkDepthBlocks: 30,
  references: [],
};

const height = 86_000_000;

async function serve(release: '6.0' | '6.1' = '6.1') {
  const ledger = makeLedger({ seed: 'graphene', blockTimeMs: 3_000, height });
  const node = await startGraphene({ view: ledger.view(), chainId: bitsharesChainId, release });
  return { ledger, node, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

describe.each(['http', 'websocket'] as const)('the head of a fixture node by %s', (transport) => {
  const check = (url: string, more: Partial<Chain> = {}) =>
    runOnce({
      kind: 'head',
      settings: { transport },
      target: { url, headers: {}, allowPrivate: true },
      chain: { ...chain, ...more },
      timeoutMs: 5_000,
      allowPrivate: ['config'],
    });

  it('has height, id, time, genesis, irreversible block, an older block and what it says of itself', async () => {
    await using served = await serve();
    const { node, ledger } = served;
    const { outcome: said, facts, fault } = await check(node.url);
    expect([said, fault]).toEqual(['ok', undefined]);
    const older = Math.floor((height - 30) / 16) * 16;
    expect(facts).toEqual({
      h: String(height),
      id: blockIdOf(ledger.head).slice(8, 16),
      bt: String(Math.floor(ledger.head.at / 1_000) * 1_000),
      g: '4018d784',
      fh: String(height - 18),
      cp: `${older}.${blockIdOf(ledger.block(older)!).slice(8, 16)}`,
      ver: '7.0.2',
    });
  });

  it.each<[string, (node: GrapheneFixture) => void, string]>([
    ['an API that is not open', (node) => node.sets.delete('history_api'), 'degraded target.head.plugins'],
    ['no plugin for trades', (node) => node.plugins.delete('market_history'), 'degraded target.head.plugins'],
    [
      'no plugin behind an API',
      (node) => {
        node.sets.add('custom_operations_api');
        node.plugins.delete('custom_operations');
      },
      'degraded target.head.plugins',
    ],
    ['no database', (node) => node.sets.delete('database_api'), 'fail target.rpc.error'],
    ['a head that stands still', (node) => void (node.skewMs = -60_000), 'fail target.head.old'],
    ['a clock ahead', (node) => void (node.skewMs = 60_000), 'degraded target.head.future'],
  ])('%s', async (_, change, expected) => {
    await using served = await serve();
    change(served.node);
    const { outcome: said, fault } = await check(served.node.url);
    expect([said, ...(fault ? [faultId(fault)] : [])].join(' ')).toBe(expected);
  });

  it('is known on a node of 6.0, whose plugins are not', async () => {
    await using served = await serve('6.0');
    const { outcome: said, facts } = await check(served.node.url);
    expect(said).toBe('ok');
    expect(facts).not.toHaveProperty('ver');
    expect(served.node.asked).toContain('network_node.get_info');
  });

  it('is another chain', async () => {
    await using served = await serve();
    const { fault } = await check(served.node.url, { genesis: 'f'.repeat(64) });
    expect(fault && faultId(fault)).toBe('target.head.genesis');
  });
});

describe('the stream of a fixture node', () => {
  const { stream } = graphene;
  if (stream?.kind !== 'socket') throw new Error('no socket');
  const outside = {
    resolve: makeResolve(),
    consent: parseConsent(['config']),
    userAgent: 'Highwater/test',
    monotonic: () => performance.now(),
  };

  /** A real socket: to ask on, and to read what is pushed. */
  async function connect(url: string) {
    const signal = AbortSignal.timeout(5_000);
    const link = await openSocket({ url, allowPrivate: true, headers: {} }, outside, {}, signal);
    const ctx = { signal, socket: () => Promise.resolve(link) } as unknown as CheckContext;
    return {
      ask: openSocketRpc(ctx, {}),
      async pushed() {
        const read = readJson(await link.next(signal));
        return 'value' in read && stream?.kind === 'socket' ? stream.pushed(read.value) : undefined;
      },
      [Symbol.dispose]: () => link[Symbol.dispose](),
    };
  }

  it.each(['6.0', '6.1'] as const)(
    'has each block of release %s, those of a new fork again',
    async (release) => {
      await using served = await serve(release);
      const { node, ledger } = served;
      using socket = await connect(node.url);
      await stream.subscribe(socket.ask);
      const block = (above: number) => {
        const id = blockIdOf(node.view.block(height + above)!);
        return { height: height + above, id: id.slice(8, 16) };
      };
      ledger.make(3);
      for (const above of [1, 2, 3]) expect(await socket.pushed()).toEqual(block(above));
      const before = block(2);
      node.view.fork(height + 2);
      expect(block(2)).not.toEqual(before);
      for (const above of [2, 3]) expect(await socket.pushed()).toEqual(block(above));
      // The same block has the same id however it is told.
      expect(await graphene.tip(socket.ask)).toMatchObject(block(3));
      expect(await graphene.idAt?.(socket.ask, height + 2)).toBe(block(2).id);
    },
  );

  it.each<[string, (node: GrapheneFixture) => void]>([
    ['the login', (node) => void (node.refuseLogin = true)],
    ['the database', (node) => node.sets.delete('database_api')],
    ['the subscription', (node) => void (node.subscriptions = 'refused')],
  ])('is none where %s is refused', async (_, change) => {
    await using served = await serve();
    change(served.node);
    using socket = await connect(served.node.url);
    const refused = stream.subscribe(socket.ask);
    await expect(refused).rejects.toMatchObject({ fault: { operation: 'ws', code: 'subscription' } });
  });

  it('ends with the close code of the socket', async () => {
    await using served = await serve();
    using socket = await connect(served.node.url);
    await stream.subscribe(socket.ask);
    served.node.closeSockets(1_013, 'try later');
    await expect(socket.pushed()).rejects.toMatchObject({
      fault: { operation: 'ws', code: 'closed', detail: expect.stringContaining('1013') as string },
    });
  });
});
