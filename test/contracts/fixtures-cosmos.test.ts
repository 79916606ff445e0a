/**
 * The CometBFT fixture says what the documentation of its RPC says (cometbft/cometbft spec/rpc and rpc/jsonrpc), shape by
 * shape: no client is installed to hold it.
 */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { familyPresets } from '@highwater/config/presets.ts';
import { runOnce } from '../../probe/src/once.ts';
import { type CosmosFixture, startCosmos } from '../fixtures/chains/cosmos.ts';
import { makeLedger } from '../fixtures/chains/ledger.ts';

const query = "tm.event='NewBlockHeader'";
const upperHash = /^[0-9A-F]{64}$/;
const nanos = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,8}[1-9])?Z$/;

const newLedger = () => makeLedger({ seed: 'cosmos', blockTimeMs: 6_000 });
const request = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});
const post = async (url: string, body: unknown) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    said: (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text) as unknown,
  };
};
const error = (code: number, message: string, data?: string | RegExp) => ({
  code,
  message,
  ...(data === undefined
    ? {}
    : { data: typeof data === 'string' ? data : (expect.stringMatching(data) as string) }),
});
const matching = (pattern: RegExp) => expect.stringMatching(pattern) as string;

const header = (height: string) => ({
  version: { block: '11' },
  chain_id: 'fixture-1',
  height,
  time: matching(nanos),
  last_block_id: { hash: matching(upperHash), parts: { total: 1, hash: matching(upperHash) } },
  last_commit_hash: matching(upperHash),
  data_hash: matching(upperHash),
  validators_hash: matching(upperHash),
  next_validators_hash: matching(upperHash),
  consensus_hash: matching(upperHash),
  app_hash: matching(upperHash),
  last_results_hash: matching(upperHash),
  evidence_hash: matching(upperHash),
  proposer_address: matching(/^[0-9A-F]{40}$/),
});

describe('the CometBFT fixture over HTTP', () => {
  it('tells its status in strings', async () => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    const { status, said } = await post(node.url, request('status'));
    expect([status, said]).toMatchObject([
      200,
      {
        jsonrpc: '2.0',
        id: 1,
        result: {
          node_info: {
            network: 'fixture-1',
            version: matching(/^0\.38\./),
            protocol_version: { block: '11' },
          },
          sync_info: {
            latest_block_hash: ledger.head.hash.toUpperCase(),
            latest_app_hash: matching(upperHash),
            latest_block_height: '1000',
            latest_block_time: matching(nanos),
            earliest_block_height: '1',
            catching_up: false,
          },
          validator_info: { voting_power: '0' },
        },
      },
    ]);
    const time = (said as { result: { sync_info: { latest_block_time: string } } }).result.sync_info
      .latest_block_time;
    expect(Date.parse(time)).toBe(ledger.head.at);
  });

  it('tells headers with the hash of the block before, and their own beside them', async () => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    const result = async (method: string, params: unknown) =>
      ((await post(node.url, request(method, params))).said as { result: unknown }).result;
    expect(await result('header', { height: '7' })).toEqual({ header: header('7') });
    expect(await result('block', { height: '7' })).toMatchObject({
      block_id: { hash: ledger.block(7)?.hash.toUpperCase() },
      block: { header: header('7'), data: { txs: [] } },
    });
    const metas = await result('blockchain', { minHeight: '6', maxHeight: '7' });
    expect(metas).toMatchObject({
      last_height: '1000',
      block_metas: [
        { block_id: { hash: ledger.block(7)?.hash.toUpperCase() }, header: header('7') },
        { block_id: { hash: ledger.block(6)?.hash.toUpperCase() }, header: header('6') },
      ],
    });
    expect(await result('blockchain', {})).toMatchObject({ block_metas: { length: 20 } });
    expect(await result('header', ['1'])).toMatchObject({
      header: { last_block_id: { hash: '', parts: { total: 0 } } },
    });
    node.peers = 2;
    expect(await result('net_info', undefined)).toMatchObject({
      n_peers: '2',
      peers: { length: 2 },
      listening: true,
    });
  });

  const missing = error(-32601, 'Method not found');
  it.each<[string, unknown, number, unknown]>([
    ['a method that it does not have', request('eth_chainId', []), 200, missing],
    ['a method of the WebSocket', request('subscribe', { query }), 200, missing],
    [
      'a height as a number',
      request('header', { height: 7 }),
      200,
      error(
        -32602,
        'Invalid params',
        'error converting json params to arguments: invalid 64-bit integer encoding "7", expected string',
      ),
    ],
    [
      'a list that is too short',
      request('block', []),
      200,
      error(-32602, 'Invalid params', /expected 1 parameters \(\[height\]\), got 0/),
    ],
    [
      'text for parameters',
      request('block', 'x'),
      200,
      error(-32602, 'Invalid params', /Expected map or array/),
    ],
    [
      'a height ahead',
      request('header', { height: '1001' }),
      200,
      error(
        -32603,
        'Internal error',
        'height 1001 must be less than or equal to the current blockchain height 1000',
      ),
    ],
    [
      'height 0',
      request('header', { height: '0' }),
      200,
      error(-32603, 'Internal error', /must be greater than 0/),
    ],
    [
      'heights that cross',
      request('blockchain', { minHeight: '9', maxHeight: '8' }),
      200,
      error(-32603, 'Internal error', /can't be greater/),
    ],
  ])('answers %s with an error', async (_, body, status, said) => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    expect(await post(node.url, body)).toEqual({ status, said: { jsonrpc: '2.0', id: 1, error: said } });
  });

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['an id of parts', '{"jsonrpc":"2.0","id":1.5,"method":"status"}'],
    ['a text', '"status"'],
  ])('can not read %s', async (_, body) => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    const said = {
      jsonrpc: '2.0',
      error: error(-32700, 'Parse error. Invalid JSON', /^error unmarshaling request/),
    };
    expect(await post(node.url, body)).toEqual({ status: 500, said });
  });

  it('answers batches, one of one as no batch, and notifications not at all', async () => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    const ok = (id: unknown) => ({ jsonrpc: '2.0', id, result: {} });
    expect((await post(node.url, [request('health'), request('health', {}, 'b')])).said).toEqual([
      ok(1),
      ok('b'),
    ]);
    expect((await post(node.url, [request('health')])).said).toEqual(ok(1));
    expect(await post(node.url, { jsonrpc: '2.0', method: 'health' })).toEqual({ status: 200, said: '' });
  });

  it.each<[string, number, unknown]>([
    ['/health', 200, { jsonrpc: '2.0', id: -1, result: {} }],
    ['/header?height=7', 200, { jsonrpc: '2.0', id: -1, result: { header: { height: '7' } } }],
    ['/header?height="7"', 200, { jsonrpc: '2.0', id: -1, result: { header: { height: '7' } } }],
    [
      '/header?height=x',
      500,
      { id: -1, error: error(-32602, 'Invalid params', /^error converting http params/) },
    ],
    ['/header?height=1001', 500, { id: -1, error: error(-32603, 'Internal error', /less than or equal/) }],
    ['/subscribe?query="x"', 404, { id: -1, error: missing }],
  ])('answers GET %s', async (path, status, said) => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    const answer = await fetch(`${node.url}${path}`);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject(said as object);
  });

  it('lists its endpoints, and has no others', async () => {
    using ledger = newLedger();
    await using node = await startCosmos({ view: ledger.view() });
    expect(await (await fetch(node.url)).text()).toContain('Available endpoints');
    expect((await post(node.url, '')).said).toContain('Available endpoints');
    expect((await fetch(`${node.url}/other`)).status).toBe(404);
  });
});

describe('the CometBFT fixture over its WebSocket', () => {
  it('pushes each header with the id of the subscription', async () => {
    await using told = await connected();
    const { node, ledger, ask, next } = told;
    expect(await ask('subscribe', { query }, 7)).toEqual({ jsonrpc: '2.0', id: 7, result: {} });
    ledger.make(2);
    for (const height of ['1001', '1002']) {
      const data = { type: 'tendermint/event/NewBlockHeader', value: { header: header(height) } };
      const result = { query, data, events: { 'tm.event': ['NewBlockHeader'] } };
      expect(await next()).toEqual({ jsonrpc: '2.0', id: 7, result });
    }
    expect(await ask('status', undefined, 8)).toMatchObject({
      id: 8,
      result: { sync_info: { catching_up: false } },
    });
    node.cancelSubscriptions('slow client');
    const ended = error(-32000, 'Server error', 'subscription was canceled (reason: slow client)');
    expect(await next()).toEqual({ jsonrpc: '2.0', id: 7, error: ended });
    ledger.make();
    expect(await ask('health', undefined, 9)).toEqual({ jsonrpc: '2.0', id: 9, result: {} });
  });

  it('unsubscribes', async () => {
    await using told = await connected();
    const { ledger, ask } = told;
    await ask('subscribe', { query });
    expect(await ask('unsubscribe', { query })).toMatchObject({ result: {} });
    ledger.make();
    const gone = error(-32603, 'Internal error', 'subscription not found');
    expect(await ask('unsubscribe', { query })).toMatchObject({ error: gone });
    expect(await ask('unsubscribe_all', {})).toMatchObject({ error: gone });
    await ask('subscribe', [query]);
    expect(await ask('unsubscribe_all')).toMatchObject({ result: {} });
  });

  it.each<[string, (node: CosmosFixture) => void, unknown, unknown]>([
    ['twice', () => undefined, { query }, error(-32603, 'Internal error', 'already subscribed')],
    [
      'to nonsense',
      () => undefined,
      { query: '?' },
      error(-32603, 'Internal error', /^failed to parse query/),
    ],
    [
      'by a number',
      () => undefined,
      { query: 1 },
      error(-32603, 'Internal error', /^error converting json params/),
    ],
    [
      'where too many are',
      (node) => (node.subscriptions = 'refused'),
      { query: "tm.event='Tx'" },
      error(-32603, 'Internal error', /^max_subscription_clients/),
    ],
    [
      'that it does not offer',
      (node) => node.lacks.add('subscribe'),
      { query },
      error(-32601, 'Method not found'),
    ],
  ])('refuses to subscribe %s', async (_, change, params, said) => {
    await using told = await connected();
    const { node, ask } = told;
    await ask('subscribe', { query });
    change(node);
    expect(await ask('subscribe', params, 2)).toEqual({ jsonrpc: '2.0', id: 2, error: said });
  });

  it('takes five subscriptions of one client', async () => {
    await using told = await connected();
    for (let index = 0; index < 5; index += 1)
      expect(await told.ask('subscribe', { query: `tm.event='E${index}'` })).toMatchObject({ result: {} });
    const full = error(-32603, 'Internal error', 'max_subscriptions_per_client 5 reached');
    expect(await told.ask('subscribe', { query })).toMatchObject({ error: full });
  });

  it('is silent, and closes, as told', async () => {
    await using told = await connected();
    const { node, ledger, socket, ask } = told;
    node.subscriptions = 'silent';
    await ask('subscribe', { query });
    ledger.make();
    expect(await ask('health')).toMatchObject({ result: {} });
    expect(node.sockets).toBe(1);
    const closed = once(socket, 'close');
    node.closeSockets(1013, 'try again later');
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1013, 'try again later']);
  });
});

it('answers what its services are asked by default', async () => {
  using ledger = newLedger();
  await using node = await startCosmos({ view: ledger.view() });
  for (const { kind, every: _, id: __, ...settings } of familyPresets['cosmos'] ?? []) {
    const { outcome, fault } = await runOnce({
      kind: String(kind),
      settings,
      target: { url: node.url, headers: {}, allowPrivate: true },
      chain: {
        name: 'c',
        family: 'cosmos',
        chainId: 'fixture-1',
        blockTimeMs: 6_000,
        maxLagBlocks: 6,
        maxAgeMs: 60_000,
      },
      timeoutMs: 2_000,
      allowPrivate: ['config'],
    });
    expect({ kind, outcome, fault }).toEqual({ kind, outcome: 'ok', fault: undefined });
  }
});

async function connected() {
  const ledger = newLedger();
  const node = await startCosmos({ view: ledger.view() });
  const socket = new WebSocket(node.wsUrl);
  const came: unknown[] = [];
  let wake = () => undefined as void;
  socket.on('message', (data: Buffer) => {
    came.push(JSON.parse(data.toString()));
    wake();
  });
  await once(socket, 'open');
  const next = async () => {
    while (came.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return came.shift();
  };
  return {
    ledger,
    node,
    socket,
    next,
    ask: (method: string, params?: unknown, id: unknown = 1) => {
      socket.send(JSON.stringify(request(method, params, id)));
      return next();
    },
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await node[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    },
  };
}
