import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { makeLedger } from '../../../../test/fixtures/chains/ledger.ts';
import { startSubstrate } from '../../../../test/fixtures/chains/substrate.ts';
import { hash, type RpcAnswer, type RpcCall, serveRpc } from '../../../testing/rpc.ts';
import { fault } from '../../fault.ts';
import { runOnce } from '../../once.ts';
import type { Reply, RpcParams } from '../ask.ts';
import type { Json } from '../json.ts';
import { substrate, timestampKey } from './substrate.ts';

const chain = {
  name: 'devnet',
  family: 'substrate',
  genesis: hash('a'),
  blockTimeMs: 6_000,
  maxLagBlocks: 10,
  maxAgeMs: 60_000,
  maxFinalityLagBlocks: 10,
};

const ask = (url: string, more: Partial<typeof chain> & { forkDepthBlocks?: number } = {}) =>
  runOnce({
    kind: 'head',
    settings: {},
    target: { url, headers: {}, allowPrivate: true },
    chain: { ...chain, ...more },
    timeoutMs: 2_000,
    allowPrivate: ['config'],
  });

function moment(at: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(at));
  return `0x${bytes.toString('hex')}`;
}

/** `METHOD` or `METHOD FIRST_PARAMETER`. */
const keyOf = ({ method, params }: { method: string; params: unknown }) => {
  const [first] = params as (string | number)[];
  return first === undefined || method === 'state_getStorage' ? method : `${method} ${first}`;
};

/** A good node: best block 100 with hash b…, finalized 98 with hash f…. */
const good = (at = Date.now()): Readonly<Record<string, unknown>> => ({
  'chain_getBlockHash 0': hash('a'),
  'chain_getBlockHash 100': hash('b'),
  chain_getHeader: { number: '0x64', parentHash: hash('c') },
  [`chain_getHeader ${hash('f')}`]: { number: '0x62', parentHash: hash('e') },
  chain_getFinalizedHead: hash('f'),
  state_getStorage: moment(at),
  system_health: { peers: 25, isSyncing: false, shouldHavePeers: true },
  system_version: '1.20.1-0123456789a',
});

const refuse = (code: number | undefined, message: string) => (id: number) => ({
  id,
  error: { ...(code === undefined ? {} : { code }), message },
});

/** A good node but for some answers; a function makes the whole answer. */
const serve = (odd: Readonly<Record<string, unknown>> = {}, at?: number) =>
  serveRpc((call: RpcCall): RpcAnswer => {
    const answers: Record<string, unknown> = { ...good(at), ...odd };
    const answer = answers[keyOf(call)];
    if (typeof answer === 'function') return (answer as (id: number) => RpcAnswer)(call.id);
    return { id: call.id, result: answer ?? null };
  });

describe('the head of a Substrate node', () => {
  it('has height, id, time, genesis, finality, peers and version', async () => {
    const at = Date.now() - 4_321;
    await using server = await serve({}, at);
    const { outcome, facts } = await ask(server.url);
    expect(outcome).toBe('ok');
    expect(facts).toEqual({
      h: '100',
      id: 'bbbbbbbb',
      bt: String(at),
      g: 'aaaaaaaa',
      fh: '98',
      peers: '25',
      ver: '1.20.1-0123456789a',
    });
    expect(server.calls.map(({ method, params }) => `${method} ${JSON.stringify(params)}`)).toEqual([
      'chain_getBlockHash [0]',
      'chain_getHeader []',
      'chain_getBlockHash [100]',
      `state_getStorage ["${timestampKey}","${hash('b')}"]`,
      'system_health []',
      'chain_getFinalizedHead []',
      `chain_getHeader ["${hash('f')}"]`,
      'system_version []',
    ]);
  });

  const method = refuse(-32601, 'Method not found');
  it.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['another genesis', { 'chain_getBlockHash 0': hash('d') }, 'fail target.head.genesis'],
    ['a genesis in capitals', { 'chain_getBlockHash 0': `0x${'A'.repeat(64)}` }, 'ok'],
    ['no genesis', { 'chain_getBlockHash 0': null }, 'fail target.rpc.result'],
    ['a genesis that is none', { 'chain_getBlockHash 0': '0x12' }, 'fail target.rpc.result'],
    ['a refused genesis', { 'chain_getBlockHash 0': method }, 'fail target.rpc.method'],
    ['a name that lies', { system_chain: 'Kusama' }, 'ok'],
    ['no header', { chain_getHeader: null }, 'fail target.rpc.result'],
    ['a refused header', { chain_getHeader: method }, 'fail target.rpc.method'],
    ['a header that is a list', { chain_getHeader: [] }, 'fail target.rpc.result'],
    [
      'a height as a number',
      { chain_getHeader: { number: 100, parentHash: hash('c') } },
      'fail target.rpc.result',
    ],
    ['a header without its parent', { chain_getHeader: { number: '0x64' } }, 'fail target.rpc.result'],
    ['a hash that is none', { 'chain_getBlockHash 100': 'b' }, 'fail target.rpc.result'],
    [
      'a time beyond all dates',
      { state_getStorage: moment(8_640_000_000_000_001) },
      'fail target.rpc.result',
    ],
    ['a time of four bytes', { state_getStorage: '0x01020304' }, 'fail target.rpc.result'],
    ['a time that is a number', { state_getStorage: 1 }, 'fail target.rpc.result'],
    ['no time', { state_getStorage: null }, 'ok'],
    ['a refused time', { state_getStorage: method }, 'ok'],
    ['a time discarded', { state_getStorage: refuse(4003, 'Client error: State already discarded') }, 'ok'],
    [
      'a time behind a limit',
      { state_getStorage: refuse(-32999, 'too many requests') },
      'fail target.rpc.limit',
    ],
    ['an old block', { state_getStorage: moment(Date.now() - 70_000) }, 'fail target.head.old'],
    // Big-endian, it would be ten thousand times as long ago.
    ['a block of 1970', { state_getStorage: '0x0100000000000000' }, 'fail target.head.old'],
    ['a block that the chain lets be dated ahead', { state_getStorage: moment(Date.now() + 25_000) }, 'ok'],
    [
      'a block from the future',
      { state_getStorage: moment(Date.now() + 60_000) },
      'degraded target.head.future',
    ],
    [
      'syncing',
      { system_health: { peers: 5, isSyncing: true, shouldHavePeers: true } },
      'degraded target.head.syncing',
    ],
    [
      'no peers',
      { system_health: { peers: 0, isSyncing: false, shouldHavePeers: true } },
      'degraded target.head.peers',
    ],
    ['no peers needed', { system_health: { peers: 0, isSyncing: false, shouldHavePeers: false } }, 'ok'],
    ['peers withheld', { system_health: { isSyncing: false, shouldHavePeers: true } }, 'ok'],
    ['health refused', { system_health: method }, 'ok'],
    ['health refused without a code', { system_health: refuse(undefined, 'Method not found') }, 'ok'],
    ['health that is text', { system_health: 'fine' }, 'ok'],
    [
      'syncing, and a finalized head that is odd',
      { system_health: { peers: 1, isSyncing: true, shouldHavePeers: true }, chain_getFinalizedHead: '0x12' },
      'degraded target.head.syncing',
    ],
    ['syncing as text', { system_health: { peers: 1, isSyncing: 'true', shouldHavePeers: true } }, 'ok'],
    ['finality refused', { chain_getFinalizedHead: method }, 'ok'],
    ['a finalized head that is none', { chain_getFinalizedHead: '0x' }, 'ok'],
    ['a finalized header that is gone', { [`chain_getHeader ${hash('f')}`]: null }, 'ok'],
    [
      'a finality gap of over fifty',
      { [`chain_getHeader ${hash('f')}`]: { number: '0x31', parentHash: hash('e') } },
      'degraded target.head.finality',
    ],
    [
      'a finality gap of eleven, seen once',
      { [`chain_getHeader ${hash('f')}`]: { number: '0x59', parentHash: hash('e') } },
      'ok',
    ],
    ['version refused', { system_version: method }, 'ok'],
  ])('%s', async (_, odd, expected) => {
    await using server = await serve(odd);
    const { outcome, fault } = await ask(server.url);
    expect(fault ? `${outcome} ${faultId(fault)}` : outcome).toBe(expected);
  });

  it('needs no genesis, and tells it', async () => {
    const { genesis: _, ...bare } = chain;
    for (const [said, told] of [
      [hash('d'), 'dddddddd'],
      [method, undefined],
      [null, undefined],
    ] as const) {
      await using server = await serve({ 'chain_getBlockHash 0': said });
      const { outcome, facts } = await runOnce({
        kind: 'head',
        settings: {},
        target: { url: server.url, headers: {}, allowPrivate: true },
        chain: bare,
        timeoutMs: 2_000,
        allowPrivate: ['config'],
      });
      expect([outcome, facts['g']]).toEqual(['ok', told]);
    }
  });

  it('takes padded numbers', async () => {
    await using server = await serve({ chain_getHeader: { number: '0x00000064', parentHash: hash('c') } });
    expect((await ask(server.url)).facts).toMatchObject({ h: '100', id: 'bbbbbbbb' });
  });

  it('asks once more for a block that went away, and no more than once', async () => {
    const heads = ['0x65', '0x64', '0x66'];
    const header = (id: number) => ({ id, result: { number: heads.shift(), parentHash: hash('c') } });
    await using server = await serve({ chain_getHeader: header });
    expect((await ask(server.url)).facts).toMatchObject({ h: '100', id: 'bbbbbbbb' });
    await using never = await serve({ 'chain_getBlockHash 100': null });
    const { outcome, facts } = await ask(never.url);
    expect([outcome, facts['h'], facts['id'], facts['bt']]).toEqual(['ok', '100', undefined, undefined]);
    expect(never.calls.map(keyOf).filter((key) => key === 'chain_getHeader')).toHaveLength(2);
  });

  it('takes the finalized height although health is withheld, and the other way round', async () => {
    await using first = await serve({ system_health: method });
    expect((await ask(first.url)).facts).toMatchObject({ fh: '98' });
    await using second = await serve({ chain_getFinalizedHead: method, system_health: { isSyncing: true } });
    expect((await ask(second.url)).fault).toMatchObject({ code: 'syncing' });
  });
});

describe('a node of the fixture', () => {
  const expected = async (url: string, genesis: string, more = {}) => {
    const { outcome, fault, facts } = await ask(url, { genesis, ...more });
    return { said: fault ? `${outcome} ${faultId(fault)}` : outcome, facts };
  };

  it.each(['url', 'wsUrl'] as const)('over its %s', async (way) => {
    using ledger = makeLedger({ seed: 'unit', blockTimeMs: 6_000, height: 1_000 });
    await using node = await startSubstrate({ view: ledger.view() });
    const look = (more = {}) => expected(node[way], node.genesis, more);
    const first = await look({ forkDepthBlocks: 20 });
    const older = ledger.block(976);
    expect(first).toEqual({
      said: 'ok',
      facts: {
        h: '1000',
        id: ledger.head.hash.slice(0, 8),
        bt: String(ledger.head.at),
        g: ledger.genesis.slice(0, 8),
        fh: '998',
        peers: '25',
        ver: '1.20.1-0123456789a',
        cp: `976.${older?.hash.slice(0, 8) ?? ''}`,
      },
    });
    node.view.fork(900);
    const forked = await look({ forkDepthBlocks: 20 });
    expect(forked.facts['cp']).toMatch(/^976[.]/);
    expect(forked.facts['cp']).not.toBe(first.facts['cp']);
    node.health.isSyncing = true;
    expect((await look()).said).toBe('degraded target.head.syncing');
    Object.assign(node.health, { isSyncing: false, peers: 0 });
    expect((await look()).said).toBe('degraded target.head.peers');
    node.health.peers = 25;
    node.finalityGap = 60;
    expect((await look()).said).toBe('degraded target.head.finality');
    node.finalityGap = 2;
    node.view.lag(20);
    expect((await look()).said).toBe('fail target.head.old');
    node.refused.add('state_getStorage');
    expect((await look()).said).toBe('ok');
    expect((await look({ genesis: hash('d') })).said).toBe('fail target.head.genesis');
  });
});

describe('subscribing', () => {
  const asking = (answers: Readonly<Record<string, Partial<Reply>>>) => {
    const asked: string[] = [];
    const call = async (method: string, params: RpcParams): Promise<Reply> => {
      asked.push(`${method} ${JSON.stringify(params)}`);
      return { latencyTenths: 0, ...answers[method] };
    };
    return { asked, done: stream().subscribe({ call }) };
  };
  const both = (reply: Partial<Reply>) => ({
    chain_subscribeNewHeads: { result: 'one' },
    chain_subscribeFinalizedHeads: reply,
  });

  it('asks for the best and the finalized', async () => {
    const { asked, done } = asking(both({ result: 2 }));
    await done;
    expect(asked).toEqual(['chain_subscribeNewHeads []', 'chain_subscribeFinalizedHeads []']);
  });

  it.each<[string, Partial<Reply>, string]>([
    [
      'refused',
      { error: new FaultError(fault('target.rpc.method', '-32601: no')) },
      'target.ws.subscription',
    ],
    [
      'refused otherwise',
      { error: new FaultError(fault('target.rpc.error', '-32006')) },
      'target.ws.subscription',
    ],
    ['limited', { error: new FaultError(fault('target.rpc.limit', 'later')) }, 'target.rpc.limit'],
    ['acknowledged without an id', { result: null }, 'target.ws.subscription'],
    ['acknowledged with an empty id', { result: '' }, 'target.ws.subscription'],
    ['acknowledged with an object', { result: {} }, 'target.ws.subscription'],
  ])('%s', async (_, reply, expectedFault) => {
    await expect(asking(both(reply)).done).rejects.toThrow(expectedFault);
  });

  const push = (method: string, result: Json): Json => ({
    jsonrpc: '2.0',
    method,
    params: { subscription: 'one', result },
  });
  const header = { number: '0x64', parentHash: hash('C'), digest: { logs: [] } };

  it('reads pushes', () => {
    expect(stream().pushed(push('chain_newHead', header))).toEqual({ height: 100, parent: 'cccccccc' });
    expect(stream().pushed(push('chain_finalizedHead', header))).toEqual({
      height: 100,
      parent: 'cccccccc',
      finalized: true,
    });
  });

  it.each<Json>([
    null,
    [],
    'chain_newHead',
    { id: 1, result: 'one' },
    push('state_runtimeVersion', {}),
    push('toString', header),
    { method: 7 },
  ])('leaves %j alone', (message) => {
    expect(stream().pushed(message)).toBeUndefined();
  });

  it.each<Json>([
    push('chain_newHead', null),
    push('chain_newHead', { number: '0x64' }),
    push('chain_finalizedHead', { parentHash: hash('c'), number: 'x' }),
    { method: 'chain_newHead' },
  ])('has no sense for %j', (message) => {
    expect(() => stream().pushed(message)).toThrow('target.rpc.result');
  });

  function stream() {
    if (substrate.stream?.kind !== 'socket') throw new Error('no stream of a socket');
    return substrate.stream;
  }
});
