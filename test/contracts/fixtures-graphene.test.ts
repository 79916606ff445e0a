/** The fixture is faithful: the wallets' own client connects to it unmodified, and its wire follows fc rule by rule. */
import { createRequire } from 'node:module';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import {
  bitsharesChainId,
  blockIdOf,
  type GrapheneFixture,
  type GrapheneOptions,
  startGraphene,
} from '../fixtures/chains/graphene.ts';
import { type Ledger, makeLedger } from '../fixtures/chains/ledger.ts';

/** As far as it is used here; the package has no types. */
interface Api {
  exec(method: string, parameters: readonly unknown[]): Promise<unknown>;
}
interface Client {
  readonly Apis: {
    instance(
      url: string,
      connect: boolean,
      timeoutMs?: number,
      options?: { enableOrders?: boolean },
    ): {
      readonly init_promise: Promise<unknown>;
      readonly chain_id: string;
      db_api(): Api;
      history_api(): Api;
    };
    close(): Promise<void>;
  };
}
const { Apis } = createRequire(import.meta.url)('bitsharesjs-ws') as Client;

async function serve(
  options: Partial<GrapheneOptions> = {},
): Promise<{ ledger: Ledger; node: GrapheneFixture } & AsyncDisposable> {
  const ledger = makeLedger({ seed: 'graphene', blockTimeMs: 3_000, height: 86_000_000 });
  const node = await startGraphene({ view: ledger.view(), ...options });
  return {
    ledger,
    node,
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]();
      ledger[Symbol.dispose]();
    },
  };
}

describe('bitsharesjs-ws', () => {
  // It is one connection per process, and talkative.
  afterEach(async () => {
    await Apis.close();
    vi.restoreAllMocks();
  });

  it.each(['6.0', '6.1'] as const)('reads the head of a node of release %s', async (release) => {
    await using served = await serve({ chainId: bitsharesChainId, release });
    const { node, ledger } = served;
    const apis = Apis.instance(node.wsUrl, true, 4_000, { enableOrders: false });
    await apis.init_promise;
    expect(apis.chain_id).toBe(bitsharesChainId);
    expect(await apis.db_api().exec('get_dynamic_global_properties', [])).toMatchObject({
      head_block_number: ledger.head.height,
      head_block_id: blockIdOf(ledger.head),
      time: new Date(ledger.head.at).toISOString().slice(0, 19),
    });
    expect(await apis.db_api().exec('get_objects', [['2.1.0', '9.9.9']])).toMatchObject([
      { head_block_number: ledger.head.height },
      null,
    ]);
    expect(await apis.db_api().exec('get_accounts', [['1.2.3', 'temp-account', 'nobody']])).toMatchObject([
      { name: 'null-account' },
      { id: '1.2.4' },
      null,
    ]);
    expect(await apis.db_api().exec('lookup_accounts', ['n', 2])).toEqual([
      ['null-account', '1.2.3'],
      ['proxy-to-self', '1.2.5'],
    ]);
    expect(await apis.db_api().exec('get_ticker', ['1.3.0', '1.3.113'])).toMatchObject({
      base: '1.3.0',
      latest: expect.stringMatching(/^[0-9.]+$/) as string,
    });
    expect(await apis.history_api().exec('get_market_history_buckets', [])).toContain(3_600);
  });

  it('is told of blocks, and of the object that has the head', async () => {
    await using served = await serve({ chainId: bitsharesChainId });
    const { node, ledger } = served;
    const apis = Apis.instance(node.wsUrl, true);
    await apis.init_promise;
    const told: unknown[] = [];
    const objects = new Promise<unknown>((resolve) => {
      void apis
        .db_api()
        .exec('set_subscribe_callback', [resolve, false])
        .then(() => apis.db_api().exec('get_objects', [['2.1.0']]))
        .then(() =>
          apis.db_api().exec('set_block_applied_callback', [(said: unknown) => void told.push(said)]),
        )
        .then(() => ledger.make(2));
    });
    expect(await objects).toMatchObject([[{ id: '2.1.0', head_block_number: ledger.head.height }]]);
    await expect.poll(() => told.length).toBe(2);
    expect(told).toEqual([-1, 0].map((back) => [blockIdOf(ledger.block(ledger.head.height + back)!)]));
  });

  it('is refused where the API is not open', async () => {
    vi.spyOn(console, 'error').mockReturnValue();
    await using served = await serve({ chainId: bitsharesChainId });
    served.node.sets.delete('history_api');
    const apis = Apis.instance(served.node.wsUrl, true);
    await expect(apis.init_promise).rejects.toMatchObject({
      message: expect.stringContaining('Access denied') as string,
    });
  });
});

/** One request by HTTP POST. */
async function post(node: GrapheneFixture, body: string) {
  const answer = await fetch(node.url, { method: 'POST', body });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? '' : (JSON.parse(text) as unknown) };
}

describe('the wire', () => {
  const wrong = (code: number, message: string) => ({ id: null, error: { code, message }, jsonrpc: '2.0' });
  const failed = (message: string) => ({
    id: 1,
    error: {
      code: 10,
      message: expect.stringContaining(`Execution error: Assert Exception: ${message}`) as string,
    },
  });
  it.each<[string, string, number, unknown]>([
    ['no JSON', '{', 400, wrong(-32700, 'Invalid JSON message')],
    ['a batch', '[{"id":1,"method":"call"}]', 400, wrong(-32600, 'Batch requests not supported')],
    ['a number', '1', 400, wrong(-32600, 'Invalid JSON request')],
    ['an id that is a list', '{"id":[],"method":"call"}', 400, wrong(-32600, 'Invalid id')],
    ['an empty method', '{"id":1,"method":""}', 400, wrong(-32600, 'Missing or invalid method')],
    [
      'version 1.0',
      '{"id":1,"method":"call","jsonrpc":"1.0"}',
      400,
      wrong(-32600, 'Unsupported JSON-RPC version'),
    ],
    [
      'a version that is a number',
      '{"id":1,"method":"call","jsonrpc":2}',
      400,
      wrong(-32600, 'Unsupported JSON-RPC version'),
    ],
    [
      'params as an object',
      '{"id":1,"method":"call","params":{}}',
      400,
      wrong(-32602, 'Named parameters not supported'),
    ],
    ['params as a text', '{"id":1,"method":"call","params":"x"}', 400, wrong(-32600, 'Invalid parameters')],
    ['nothing', '{}', 400, wrong(-32600, 'Missing method or result or error')],
    ['a reply', '{"id":1,"result":1}', 204, ''],
    ['a call without id', '{"method":"call","params":["database","get_chain_id",[]]}', 204, ''],
    [
      'a null id of version 1.0',
      '{"id":null,"method":"call","params":["database","get_chain_id",[]]}',
      204,
      '',
    ],
    [
      'a null id of version 2.0',
      '{"jsonrpc":"2.0","id":null,"method":"call","params":["database","get_chain_id",[]]}',
      200,
      { id: null, result: bitsharesChainId, jsonrpc: '2.0' },
    ],
    [
      'an id that is a text, without a version',
      '{"id":"a","method":"call","params":[0,"get_chain_id",[]]}',
      200,
      { id: 'a', result: bitsharesChainId },
    ],
    [
      'a method of API 0',
      '{"id":1,"method":"get_chain_id","params":[]}',
      200,
      { id: 1, result: bitsharesChainId },
    ],
    [
      'a method that is not there',
      '{"id":1,"method":"call","params":["database","no_such",[]]}',
      400,
      { id: 1, error: { code: -32601, message: 'Method not found' } },
    ],
    [
      'two params',
      '{"id":1,"method":"call","params":["database","get_chain_id"]}',
      200,
      failed('args.size() == 3'),
    ],
    [
      'a number that was not given out',
      '{"id":1,"method":"call","params":[2,"get_account_history",[]]}',
      200,
      failed('_local_apis.size() > api_id'),
    ],
    [
      'an API that is not open',
      '{"id":1,"method":"call","params":["network_node","get_info",[]]}',
      200,
      failed('is_allowed: Access denied'),
    ],
    [
      'a login that is refused',
      '{"id":1,"method":"call","params":[1,"login",["nobody","x"]]}',
      200,
      { id: 1, result: false },
    ],
    [
      'a block that is not there',
      '{"id":1,"method":"call","params":["database","get_block",[86000001]]}',
      200,
      { id: 1, result: null },
    ],
  ])('%s', async (_, body, status, expected) => {
    await using served = await serve({ chainId: bitsharesChainId });
    const answer = await post(served.node, body);
    expect(answer.status).toBe(status);
    if (typeof expected === 'object') expect(answer.body).toMatchObject(expected as object);
    else expect(answer.body).toBe(expected);
    // The version is told only to those who told theirs.
    if (status === 200) expect('jsonrpc' in (answer.body as object)).toBe(body.includes('jsonrpc'));
  });

  it('a header names the block before it, up to block 1, which has none', async () => {
    await using served = await serve();
    const ask = (height: number) =>
      post(
        served.node,
        JSON.stringify({ id: 1, method: 'call', params: ['database', 'get_block_header', [height]] }),
      );
    const { body } = await ask(500);
    expect(body).toMatchObject({ result: { previous: blockIdOf(served.ledger.block(499)!) } });
    expect((await ask(1)).body).toMatchObject({ result: { previous: '0'.repeat(40) } });
    expect((await ask(0)).body).toMatchObject({ result: null });
  });
});

/** The texts that come over a WebSocket on which these were sent. */
async function listen(node: GrapheneFixture, ...calls: readonly (readonly unknown[])[]) {
  const socket = new WebSocket(node.wsUrl);
  const texts: string[] = [];
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (data: Buffer) => void texts.push(data.toString()));
  await new Promise((resolve) => socket.once('open', resolve));
  calls.forEach((params, id) => socket.send(JSON.stringify({ id, method: 'call', params })));
  await expect.poll(() => texts.length).toBe(calls.length);
  return {
    texts,
    closed,
    send: (params: readonly unknown[]) => socket.send(JSON.stringify({ id: 99, method: 'call', params })),
  };
}

describe('notices', () => {
  const subscribe = ['database', 'set_block_applied_callback', [7]];
  const heights = (texts: readonly string[]) =>
    texts
      .map((text) => JSON.parse(text) as { method?: string; params: [number, [string]] })
      .filter(({ method }) => method === 'notice')
      .map(({ params }) => parseInt(params[1][0].slice(0, 8), 16) - 86_000_000);

  it('have neither id nor version, and stop when they are cancelled', async () => {
    await using served = await serve();
    const { texts, send } = await listen(served.node, subscribe);
    const first = served.ledger.make();
    await expect.poll(() => texts.length).toBe(2);
    expect(texts[1]).toBe(`{"method":"notice","params":[7,["${blockIdOf(first)}"]]}`);
    send(['database', 'cancel_all_subscriptions', []]);
    await expect.poll(() => texts.length).toBe(3);
    served.ledger.make();
    send(['database', 'get_chain_id', []]);
    await expect.poll(() => texts.length).toBe(4);
    expect(heights(texts)).toEqual([1]);
  });

  it('tell of every block after a hold, of those of a fork again, and of none of a silence', async () => {
    await using served = await serve();
    const { node, ledger } = served;
    const { texts } = await listen(node, subscribe);
    node.view.hold();
    ledger.make(3);
    node.view.release();
    ledger.make();
    await expect.poll(() => heights(texts)).toEqual([1, 2, 3, 4]);
    node.view.fork(86_000_003);
    await expect.poll(() => heights(texts)).toEqual([1, 2, 3, 4, 3, 4]);
    node.subscriptions = 'silent';
    ledger.make(2);
    node.subscriptions = 'pushing';
    ledger.make();
    await expect.poll(() => heights(texts)).toEqual([1, 2, 3, 4, 3, 4, 7]);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it.each([1_013, 1_006])('end with the socket, code %s', async (code) => {
    await using served = await serve();
    const { closed } = await listen(served.node, subscribe);
    served.node.closeSockets(code);
    expect(await closed).toBe(code);
    await expect.poll(() => served.node.openSockets()).toBe(0);
  });
});
