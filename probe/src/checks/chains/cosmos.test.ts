import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type CosmosFixture, startCosmos } from '../../../../test/fixtures/chains/cosmos.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { type FakeAnswer, fakeAsk, refused } from '../../../testing/fake-ask.ts';
import { runOnce } from '../../once.ts';
import type { RpcParams } from '../ask.ts';
import type { Json } from '../json.ts';
import { cosmos, decimal, instant } from './cosmos.ts';
import type { SocketStream } from './family.ts';

const chain = {
  name: 'cosmoshub',
  family: 'cosmos',
  chainId: 'fixture-1',
  blockTimeMs: 6_000,
  maxLagBlocks: 6,
  maxAgeMs: 60_000,
  references: [],
};
const stream = cosmos.stream as SocketStream;
const hash = '790BA84C3545FCCC49A5C629CEE6EA58A6E875C3862175BDC11EE7AF54703501';
const sync = {
  latest_block_hash: hash,
  latest_block_height: '1262196',
  latest_block_time: '2019-08-01T11:52:22.818762194Z',
  catching_up: false,
};
const status = (change: object = {}, network: Json = 'fixture-1') =>
  ({ node_info: { network, version: '0.38.17' }, sync_info: { ...sync, ...change } }) as unknown as Json;

describe('a CometBFT node', () => {
  const node = async () => {
    const ledger = makeLedger({ seed: 'cosmos', blockTimeMs: chain.blockTimeMs });
    const view = ledger.view();
    return { ledger, view, fixture: await startCosmos({ view }) };
  };
  const run = (fixture: CosmosFixture, more: object = {}) =>
    runOnce({
      kind: 'head',
      settings: {},
      target: { url: fixture.url, headers: {}, allowPrivate: true },
      chain: { ...chain, ...more },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });

  it('is read whole', async () => {
    const { ledger, fixture } = await node();
    await using _ = fixture;
    const { outcome, facts } = await run(fixture, { forkDepthBlocks: 2 });
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '1000',
      id: ledger.head.hash.slice(0, 8),
      bt: String(ledger.head.at),
      g: createHash('sha256').update('fixture-1').digest('hex').slice(0, 8),
      cp: `992.${ledger.block(992)?.hash.slice(0, 8)}`,
      peers: '12',
      ver: '0.38.17',
    });
    expect(fixture.asked).toEqual(['status', 'blockchain', 'net_info']);
  });

  it.each<[string, (node: CosmosFixture) => void, string]>([
    ['catching up', (node) => (node.catchingUp = true), 'degraded target.head.syncing'],
    ['of another network', (node) => Object.assign(node, { network: 'theta-1' }), 'fail target.head.chain'],
    ['that refuses net_info', (node) => node.lacks.add('net_info'), 'ok'],
    ['with more peers than are read', (node) => (node.peers = 20_000), 'ok'],
    ['that refuses blockchain', (node) => node.lacks.add('blockchain'), 'ok'],
    ['that refuses status', (node) => node.lacks.add('status'), 'fail target.rpc.method'],
    ['boasting', ({ view }) => view.boast(1_000), 'ok'],
  ])('%s', async (_, change, expected) => {
    const { fixture } = await node();
    await using _node = fixture;
    change(fixture);
    const { fault, outcome, facts } = await run(fixture, { forkDepthBlocks: 2 });
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
    if (expected === 'ok') expect(facts['ver']).toBe('0.38.17');
  });

  it('gives an older block by either method, and none that it does not have', async () => {
    const { ledger, fixture } = await node();
    await using _ = fixture;
    const cp = async () => (await run(fixture, { forkDepthBlocks: 2 })).facts['cp'];
    const expected = `992.${ledger.block(992)?.hash.slice(0, 8)}`;
    expect(await cp()).toBe(expected);
    fixture.lacks.add('blockchain');
    expect(await cp()).toBe(expected);
    fixture.view.fork(900);
    expect(await cp()).toMatch(/^992\./);
    expect(await cp()).not.toBe(expected);
    fixture.base = 999;
    expect(await cp()).toBe(undefined);
  });
});

describe('what CometBFT nodes say', () => {
  const identify = (said: FakeAnswer, chainId: string | number = 'fixture-1') =>
    cosmos.tip(fakeAsk({ status: said }), { ...chain, chainId });
  const tip = (change: object) => cosmos.tip(fakeAsk({ status: status(change) }));

  it('who it is, by its name to the letter', async () => {
    await expect(identify(status())).resolves.toMatchObject({
      genesis: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
    });
    await expect(identify(status({}, '7'), 7)).resolves.toHaveProperty('genesis');
    await expect(identify(status({}, 'Fixture-1'))).rejects.toThrow('target.head.chain');
    await expect(identify(refused('-32603: Internal error'))).rejects.toThrow('target.rpc.error');
    const { chainId: _, ...bare } = chain;
    await expect(cosmos.tip(fakeAsk({ status: status() }), bare)).resolves.toHaveProperty('genesis');
  });

  it.each<[string, Json]>([
    ['nothing', null],
    ['a list', []],
    ['an empty name', status({}, '')],
    ['no name', status({}, null)],
    ['a number', status({}, 1)],
  ])('%s is no name', async (_, said) => {
    await expect(identify(said)).rejects.toThrow('target.rpc.result');
  });

  it.each<[string, object]>([
    ['a height as a number', { latest_block_height: 1_262_196 }],
    ['a height beyond 2^53', { latest_block_height: '9007199254740993' }],
    ['a height below zero', { latest_block_height: '-1' }],
    ['a height with a zero before it', { latest_block_height: '01' }],
    ['a height in hex', { latest_block_height: '0x1' }],
    ['no height', { latest_block_height: undefined }],
    ['a short hash', { latest_block_hash: hash.slice(2) }],
    ['no hash', { latest_block_hash: null }],
    ['a time in seconds', { latest_block_time: 1_564_660_342 }],
    ["Go's zero time", { latest_block_time: '0001-01-01T00:00:00Z' }],
    ['no time', { latest_block_time: '' }],
  ])('%s is no tip', async (_, change) => {
    await expect(tip(change)).rejects.toThrow('target.rpc.result');
  });

  it('without sync_info there is no tip', async () => {
    for (const said of [{ node_info: {} }, { sync_info: null }, { sync_info: [] }, null])
      await expect(cosmos.tip(fakeAsk({ status: said }))).rejects.toThrow('target.rpc.result');
  });

  it('has no id before the first block, and knows of syncing what is said', async () => {
    expect(await tip({ latest_block_hash: '', latest_block_height: '0' })).not.toHaveProperty('id');
    expect((await tip({})).id).toBe('790ba84c');
    const condition = async (catching_up: Json | undefined) =>
      cosmos.condition(fakeAsk({}), await tip({ catching_up }));
    expect(await condition(true)).toEqual({ syncing: true });
    expect(await condition(false)).toEqual({ syncing: false });
    expect(await condition('true')).toEqual({});
    expect(await condition(undefined)).toEqual({});
  });

  it.each<[string, FakeAnswer, object]>([
    ['a count', { n_peers: '12' }, { peers: 12 }],
    ['a number', { n_peers: 12 }, {}],
    ['nothing', null, {}],
    ['a refusal', refused('-32601: Method not found'), {}],
  ])('%s of peers', async (_, said, expected) => {
    expect(await cosmos.about(fakeAsk({ net_info: said }))).toEqual(expected);
  });

  it.each<[string, Json | FakeAnswer, Json | FakeAnswer, string | undefined]>([
    ['by blockchain', { block_metas: [{ block_id: { hash }, header: { height: '7' } }] }, null, '790ba84c'],
    ['no metas, no header', { block_metas: [] }, { header: null }, undefined],
    ['another height', { block_metas: [{ block_id: { hash }, header: { height: '8' } }] }, null, undefined],
    [
      'by the next header',
      refused('-32601: x'),
      { header: { height: '8', last_block_id: { hash } } },
      '790ba84c',
    ],
    [
      'by a header of another height',
      refused('-32601: x'),
      { header: { height: '7', last_block_id: { hash } } },
      undefined,
    ],
    ['refused both', refused('-32601: x'), refused('-32603: x'), undefined],
  ])('an older block: %s', async (_, blockchain, header, expected) => {
    const ask = fakeAsk({ blockchain, header });
    expect(await cosmos.idAt?.(ask, 7)).toBe(expected);
    expect(ask.asked[0]).toBe('blockchain {"minHeight":"7","maxHeight":"7"}');
    if (ask.asked[1]) expect(ask.asked[1]).toBe('header {"height":"8"}');
  });
});

describe('pushed headers', () => {
  const query = "tm.event='NewBlockHeader'";
  const header = { height: '12', time: '2026-11-21T04:00:00.5Z', last_block_id: { hash } };
  const push = (change: object = {}): Json => ({
    jsonrpc: '2.0',
    id: 7,
    result: { query, data: { type: 'x', value: { header: { ...header, ...change } } } },
  });

  it('are read', () => {
    const blockAt = Date.parse('2026-11-21T04:00:00.500Z');
    expect(stream.pushed(push())).toEqual({ height: 12, parent: '790ba84c', blockAt });
    expect(stream.pushed(push({ last_block_id: { hash: '' } }))).toEqual({ height: 12, blockAt });
  });

  it.each<[string, Json]>([
    ['text', 'x'],
    ['a list', [push()]],
    ['a whole block', { jsonrpc: '2.0', id: 7, result: { query, data: { value: { block: { header } } } } }],
    ['the acknowledgement', { jsonrpc: '2.0', id: 7, result: {} }],
    ['an error', { jsonrpc: '2.0', id: 7, error: { code: -32603, message: 'Internal error', data: 'x' } }],
    ['no header', { jsonrpc: '2.0', id: 7, result: { query, data: { value: {} } } }],
  ])('%s is none of ours', (_, message) => {
    expect(stream.pushed(message)).toBe(undefined);
  });

  it.each<[string, object]>([
    ['a height as a number', { height: 12 }],
    ['no time', { time: null }],
    ['no block before', { last_block_id: null }],
    ['a hash that is none', { last_block_id: { hash: '0x12' } }],
  ])('%s is a fault', (_, change) => {
    expect(() => stream.pushed(push(change))).toThrow('target.rpc.result');
  });

  it('tell when the subscription ends', () => {
    const data = 'subscription was canceled (reason: slow client)';
    const ended = { jsonrpc: '2.0', id: 7, error: { code: -32000, message: 'Server error', data } };
    expect(() => stream.pushed(ended)).toThrow(`target.ws.subscription: ${data}`);
  });

  it('are subscribed to by name', async () => {
    const asked: RpcParams[] = [];
    const subscribe = (said: FakeAnswer) =>
      stream.subscribe(fakeAsk({ subscribe: (params) => (asked.push(params), said) }));
    await subscribe({});
    expect(asked).toEqual([{ query }]);
    for (const said of [null, 'ok', [], refused('-32603: Internal error')])
      await expect(subscribe(said)).rejects.toThrow('target.ws.subscription');
  });
});

describe('a decimal string', () => {
  it.each<[string, number]>([
    ['0', 0],
    ['12', 12],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('%s is %i', (text, value) => {
    expect(decimal(text, 'it')).toBe(value);
  });
  it.each(['', ' 1', '1 ', '+1', '-0', '00', '1.0', '1e3', '9007199254740992', '9'.repeat(400)])(
    '%s is none',
    (text) => {
      expect(() => decimal(text, 'it')).toThrow('target.rpc.result');
    },
  );
});

describe('a time', () => {
  it.each<[string, string]>([
    ['2019-08-01T11:52:22.818762194Z', '2019-08-01T11:52:22.818Z'],
    ['2019-08-01T11:52:22.9Z', '2019-08-01T11:52:22.900Z'],
    ['2019-08-01T11:52:22Z', '2019-08-01T11:52:22.000Z'],
    ['2019-08-01T13:52:22.1+02:00', '2019-08-01T11:52:22.100Z'],
    ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(new Date(instant(text, 'it')).toISOString()).toBe(expected);
  });
  it.each([
    '',
    '2019-08-01',
    '2019-08-01T11:52:22',
    '2019-13-01T11:52:22Z',
    '2019-08-01 11:52:22Z',
    '2019-08-01T11:52:22.Z',
    '2019-08-01T11:52:22.1234567891Z',
    '1969-12-31T23:59:59Z',
    '0001-01-01T00:00:00Z',
  ])('%s is none', (text) => {
    expect(() => instant(text, 'it')).toThrow('target.rpc.result');
  });
});
