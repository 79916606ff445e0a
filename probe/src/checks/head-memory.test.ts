/** What a head check remembers of a node from round to round, and when it forgets. */
import { describe, expect, it } from 'vitest';
import { type RpcAnswer, type RpcCall, goodEvm, hash, serveRpc } from '../../testing/rpc.ts';
import { testCheck, testHouse, verdictOf } from '../../testing/check.ts';

const minute = 60_000;
const chain = {
  name: 'devnet',
  family: 'evm',
  blockTimeMs: 1_000,
  maxLagBlocks: 5,
  maxAgeMs: 60_000,
  maxFinalityLagBlocks: 10,
  forkDepthBlocks: 30,
};

/** A node at height 100 that can be changed, and a clock that can be put forward. */
async function node() {
  let now = 1_000_000_000_000;
  const state = { finalized: 100, silent: false, syncing: false, blockAgeMs: 0, gone: false, id: 'b' };
  const asked: string[] = [];
  const answer = ({ id, method, params }: RpcCall): RpcAnswer => {
    const [at] = params as (string | undefined)[];
    asked.push(at === undefined ? method : `${method} ${at}`);
    if (state.gone) return (response) => response.destroy();
    if (at === 'finalized' && state.silent) return { id, error: { code: -32000, message: 'not now' } };
    if (method === 'eth_syncing') return { id, result: state.syncing };
    const height = at === 'finalized' ? state.finalized : at === '0x40' ? 64 : 100;
    const good = goodEvm({ id, method, params }, { height, blockAt: now - state.blockAgeMs });
    const block = at === '0x0' || method !== 'eth_getBlockByNumber' ? {} : { hash: hash(state.id) };
    return { id, result: typeof good === 'object' ? { ...good, ...block } : good };
  };
  const server = await serveRpc(answer);
  const house = { ...testHouse, now: () => now };
  const check = testCheck('head', server.url, {}, { chain, house });
  return {
    asked,
    round: async (ms: number, change: Partial<typeof state> = {}) => {
      now += ms;
      Object.assign(state, change);
      const seen = await check.run();
      return { said: verdictOf(seen), cp: seen.facts['cp'] };
    },
    async [Symbol.asyncDispose]() {
      check[Symbol.dispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe('finality that lags', () => {
  it('is told after eight minutes without a better round', async () => {
    await using it = await node();
    expect((await it.round(0, { finalized: 80 })).said).toBe('ok');
    expect((await it.round(8 * minute - 1)).said).toBe('ok');
    expect((await it.round(1)).said).toBe('degraded target.head.finality');
  });

  it('counts anew after a round that was better while something else was wrong', async () => {
    await using it = await node();
    await it.round(0, { finalized: 80 });
    const better = await it.round(minute, { syncing: true, finalized: 100 });
    expect(better.said).toBe('degraded target.head.syncing');
    expect((await it.round(8 * minute, { syncing: false, finalized: 80 })).said).toBe('ok');
    expect((await it.round(8 * minute)).said).toBe('degraded target.head.finality');
  });

  it.each<[string, object, object, string]>([
    ['it does not say', { silent: true }, { silent: false }, 'ok'],
    ['its block is old', { blockAgeMs: 2 * minute }, { blockAgeMs: 0 }, 'fail target.head.old'],
  ])('counts on over a short time in which %s, and anew after a long one', async (_, begun, over, said) => {
    await using it = await node();
    await it.round(0, { finalized: 80 });
    expect((await it.round(4 * minute, begun)).said).toBe(said);
    expect((await it.round(4 * minute, over)).said).toBe('degraded target.head.finality');
    expect((await it.round(minute, begun)).said).toBe(said);
    await it.round(4 * minute);
    expect((await it.round(4 * minute, over)).said).toBe('ok');
    expect((await it.round(8 * minute)).said).toBe('degraded target.head.finality');
  });

  it('counts anew after a round without a head', async () => {
    await using it = await node();
    await it.round(0, { finalized: 80 });
    expect((await it.round(minute, { gone: true })).said).toBe('fail target.http.reset');
    expect((await it.round(7 * minute, { gone: false })).said).toBe('ok');
  });

  it('counts on while it is syncing too', async () => {
    await using it = await node();
    await it.round(0, { finalized: 80, syncing: true });
    expect((await it.round(8 * minute, { syncing: false })).said).toBe('degraded target.head.finality');
  });
});

describe('a checkpoint', () => {
  it('is asked for once a height, and again after a round without a head: it may be another node', async () => {
    await using it = await node();
    const count = () => it.asked.filter((each) => each.endsWith(' 0x40')).length;
    expect((await it.round(0)).cp).toBe('64.bbbbbbbb');
    expect((await it.round(minute, { id: 'c' })).cp).toBe('64.bbbbbbbb');
    expect(count()).toBe(1);
    await it.round(minute, { gone: true });
    expect((await it.round(minute, { gone: false })).cp).toBe('64.cccccccc');
    expect(count()).toBe(2);
  });
});

describe('a node that tells no block times', () => {
  it.each<[string, number[], string[]]>([
    [
      'moves on after one false height',
      [1_000, 1_005, 100_000, 1_010, 1_015, 1_020, 1_025],
      ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'ok'],
    ],
    ['seesaws', [1_000, 999, 1_000, 999, 1_001], ['ok', 'ok', 'ok', 'fail target.head.old', 'ok']],
  ])('and %s', async (_, slots, expected) => {
    let now = 1_000_000_000_000;
    let slot = 0;
    await using server = await serveRpc(({ id, method }) =>
      method === 'getSlot' ? { id, result: slot } : { id, error: { code: -32601, message: 'unknown' } },
    );
    const house = { ...testHouse, now: () => now };
    const solana = { ...chain, family: 'solana' };
    using check = testCheck('head', server.url, {}, { chain: solana, house });
    const said: string[] = [];
    for (slot of slots) {
      said.push(verdictOf(await check.run()));
      now += 30_000;
    }
    expect(said).toEqual(expected);
  });
});
