import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { type SolanaFixture, startSolana } from '../../../../test/fixtures/chains/solana.ts';
import { type FakeAnswer, fakeAsk, refused } from '../../../testing/fake-ask.ts';
import { runOnce } from '../../once.ts';
import type { Json } from '../json.ts';
import type { SocketStream } from './family.ts';
import { solana } from './solana.ts';

const genesis = '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d';
const chain = {
  name: 'solana',
  family: 'solana',
  genesis,
  blockTimeMs: 400,
  maxLagBlocks: 150,
  maxAgeMs: 60_000,
  references: [],
};
const stream = solana.stream as SocketStream;

describe('a Solana node', () => {
  const node = async () => {
    const ledger = makeLedger({ seed: 'solana', blockTimeMs: chain.blockTimeMs });
    return { ledger, fixture: await startSolana({ view: ledger.view() }) };
  };
  const run = (fixture: SolanaFixture, more: object = {}) =>
    runOnce({
      kind: 'head',
      settings: {},
      target: { url: fixture.url, headers: {}, allowPrivate: true },
      chain: { ...chain, genesis: fixture.genesis, ...more },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });

  it('is read whole, by slots', async () => {
    const { ledger, fixture } = await node();
    await using _ = fixture;
    // 998 has no block.
    fixture.confirmedGap = 2;
    const { outcome, facts } = await run(fixture, { forkDepthBlocks: 6, maxFinalityLagBlocks: 100 });
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '997',
      bt: String(Math.floor((ledger.block(997)?.at ?? 0) / 1_000) * 1_000),
      fh: '967',
      g: createHash('sha256').update(fixture.genesis).digest('hex').slice(0, 8),
      ver: '3.1.4',
    });
    expect(fixture.asked).toEqual([
      'getGenesisHash',
      'getSlot',
      'getBlockTime',
      'getHealth',
      'getSlot',
      'getVersion',
    ]);
  });

  it.each<[string, (node: SolanaFixture) => void, string]>([
    ['behind', (node) => (node.behind = 42), 'degraded target.head.syncing'],
    ['that can not tell', (node) => (node.behind = 'unknown'), 'degraded target.head.syncing'],
    ['that refuses its health', (node) => node.lacks.add('getHealth'), 'ok'],
    ['that refuses times', (node) => node.lacks.add('getBlockTime'), 'ok'],
    ['that refuses its version', (node) => node.lacks.add('getVersion'), 'ok'],
    ['that refuses its chain', (node) => node.lacks.add('getGenesisHash'), 'fail target.rpc.method'],
    ['that refuses slots', (node) => node.lacks.add('getSlot'), 'fail target.rpc.method'],
    ['of another chain', (node) => Object.assign(node, { genesis }), 'fail target.head.genesis'],
  ])('%s', async (_, change, expected) => {
    const { fixture } = await node();
    await using _node = fixture;
    const own = fixture.genesis;
    change(fixture);
    const { fault, outcome } = await run(fixture, { genesis: own });
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
  });

  it('has no time for a slot that was skipped, and is read all the same', async () => {
    const { fixture } = await node();
    await using _ = fixture;
    const { slot, gone } = { slot: 998, gone: 500 };
    const timeOf = async (at: number, code: -32007 | -32009) => {
      fixture.skippedCode = code;
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'getBlockTime', params: [at] });
      const headers = { 'content-type': 'application/json' };
      return (await fetch(fixture.url, { method: 'POST', headers, body })).json() as Promise<
        Record<string, unknown>
      >;
    };
    expect((await timeOf(slot, -32007))['result']).toBe(null);
    expect((await timeOf(503, -32007))['error']).toMatchObject({ code: -32007 });
    expect((await timeOf(503, -32009))['error']).toMatchObject({ code: -32009 });
    fixture.firstAvailable = gone;
    expect((await timeOf(gone - 1, -32007))['error']).toMatchObject({ code: -32001 });
    fixture.lacks.add('getBlockTime');
    expect((await run(fixture)).facts).not.toHaveProperty('bt');
  });
});

describe('what Solana nodes say', () => {
  const identify = (said: FakeAnswer, more: object = {}) =>
    solana.identify!(fakeAsk({ getGenesisHash: said }), { ...chain, ...more });
  const tip = (getSlot: FakeAnswer, getBlockTime: FakeAnswer = 1_700_000_000) =>
    solana.tip(fakeAsk({ getSlot, getBlockTime }));

  it('its chain, to the letter', async () => {
    const g = createHash('sha256').update(genesis).digest('hex').slice(0, 8);
    expect(await identify(genesis)).toEqual({ genesis: g });
    await expect(identify('EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG')).rejects.toThrow(
      'target.head.genesis',
    );
    await expect(identify(refused('-32601: Method not found'))).rejects.toThrow('target.rpc.method');
    const { genesis: _, ...bare } = chain;
    const said = (answer: FakeAnswer) => solana.identify!(fakeAsk({ getGenesisHash: answer }), bare);
    expect(await said(genesis)).toEqual({ genesis: g });
    expect(await said(refused('-32601: Method not found'))).toEqual({});
  });

  it.each<[string, Json]>([
    ['nothing', null],
    ['empty', ''],
    ['letters that base58 does not have', '0OIl'.repeat(10)],
    ['hex', `0x${'a'.repeat(64)}`],
    ['a number', 5],
    ['short', genesis.slice(0, 31)],
    ['long', genesis + '1'],
  ])('%s is no chain', async (_, said) => {
    await expect(identify(said)).rejects.toThrow('target.rpc.result');
  });

  it.each<[string, Json]>([
    ['text', '300000000'],
    ['a part', 1.5],
    ['below zero', -1],
    ['beyond 2^53', 18_446_744_073_709_551_615n],
    ['an object', { absoluteSlot: 1 }],
    ['null', null],
  ])('%s is no slot', async (_, said) => {
    await expect(tip(said)).rejects.toThrow('target.rpc.result');
  });

  it.each<[string, FakeAnswer, number | undefined]>([
    ['seconds', 1_700_000_000, 1_700_000_000_000],
    ['null', null, undefined],
    ['skipped', refused('-32007: Slot 7 was skipped'), undefined],
    ['not there', refused('-32004: Block not available for slot 7'), undefined],
    ['not offered', refused('-32601: Method not found'), undefined],
  ])('a time: %s', async (_, said, expected) => {
    const { height, blockAt } = await tip(7, said);
    expect([height, blockAt]).toEqual([7, expected]);
  });

  it.each<[string, Json]>([
    ['text', '1700000000'],
    ['below zero', -1],
    ['beyond all dates', 8_640_000_000_001],
  ])('%s is no time', async (_, said) => {
    await expect(tip(7, said)).rejects.toThrow('target.rpc.result');
  });

  it('asks for what is confirmed, and what is finalized', async () => {
    const ask = fakeAsk({ getSlot: 7, getBlockTime: 1, getHealth: 'ok' });
    await solana.condition(ask, await solana.tip(ask));
    expect(ask.asked).toEqual([
      'getSlot [{"commitment":"confirmed"}]',
      'getBlockTime [7]',
      'getHealth []',
      'getSlot [{"commitment":"finalized"}]',
    ]);
  });

  it.each<[string, FakeAnswer, boolean | undefined]>([
    ['ok', 'ok', undefined],
    ['behind', refused('-32005: Node is behind by 42 slots'), true],
    ['behind, under a bad status', refused('HTTP 500: -32005: Node is behind by 42 slots'), true],
    ['unhealthy', refused('-32005: Node is unhealthy'), true],
    ["a provider's limit", refused('-32005: request limit reached'), undefined],
    ['another error', refused('-32603: something is behind'), undefined],
    ['not offered', refused('-32601: Method not found'), undefined],
  ])('health: %s', async (_, said, expected) => {
    const { syncing } = await solana.condition(fakeAsk({ getHealth: said }), { height: 7 });
    expect(syncing).toBe(expected);
  });

  it.each<[Json, object]>([
    [{ 'solana-core': '3.1.4', 'feature-set': 1 }, { version: '3.1.4' }],
    [{ 'solana-core': 3 }, {}],
    [null, {}],
    ['3.1.4', {}],
  ])('version: %j', async (said, expected) => {
    expect(await solana.about(fakeAsk({ getVersion: said }))).toEqual(expected);
  });
});

describe('pushed slots', () => {
  const push = (result: Json) =>
    ({ jsonrpc: '2.0', method: 'slotNotification', params: { result, subscription: 0 } }) as Json;

  it('are heights, and may be missing', () => {
    expect(stream.sparse).toBe(true);
    expect(stream.pushed(push({ parent: 75, root: 44, slot: 77 }))).toEqual({ height: 77 });
  });

  it.each<[string, Json]>([
    ['text', 'x'],
    ['null', null],
    ['a reply', { jsonrpc: '2.0', id: 1, result: true }],
    ['another notification', { jsonrpc: '2.0', method: 'rootNotification', params: { result: 44 } }],
  ])('%s is none of ours', (_, message) => {
    expect(stream.pushed(message)).toBe(undefined);
  });

  it.each<[string, Json]>([
    ['no object', 77],
    ['no slot', { parent: 75 }],
    ['a slot as text', { slot: '77' }],
    ['a slot beyond 2^53', { slot: 18_446_744_073_709_551_615n }],
  ])('%s is a fault', (_, result) => {
    expect(() => stream.pushed(push(result))).toThrow('target.rpc.result');
  });

  it('without parameters is a fault', () => {
    expect(() => stream.pushed({ method: 'slotNotification' })).toThrow('target.rpc.result');
  });

  it('are acknowledged with a number', async () => {
    const subscribe = (said: FakeAnswer) => stream.subscribe(fakeAsk({ slotSubscribe: said }));
    await subscribe(0);
    for (const said of ['0x1', null, -1, {}, refused('-32601: Method not found')])
      await expect(subscribe(said)).rejects.toThrow('target.ws.subscription');
  });
});
