/** The family against the fixture, which bitsharesjs-ws finds faithful (test/contracts/fixtures-graphene.test.ts). */
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import type { Chain } from '@highwater/config/model.ts';
import { bitsharesChainId, blockIdOf, startGraphene } from '../../../../test/fixtures/chains/graphene.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { runOnce } from '../../once.ts';

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

describe.each(['http'] as const)('the head of a fixture node by %s', (transport) => {
  const height = 86_000_000;
  async function serve(release: '6.0' | '6.1' = '6.1') {
    const ledger = makeLedger({ seed: 'graphene', blockTimeMs: 3_000, height });
    const node = await startGraphene({ view: ledger.view(), chainId: bitsharesChainId, release });
    return { ledger, node, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
  }
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

  it.each<[string, (node: Awaited<ReturnType<typeof serve>>['node']) => void, string]>([
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
