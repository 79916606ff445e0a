/**
 * The Bitcoin fixture says what Bitcoin Core says (bitcoin/bitcoin src/httprpc.cpp, src/rpc/request.cpp, blockchain.cpp),
 * shape by shape and status by status: no client is installed to hold it.
 */
import { describe, expect, it } from 'vitest';
import { familyPresets } from '@highwater/config/presets.ts';
import { runOnce } from '../../probe/src/once.ts';
import { type BitcoinFixture, type BitcoinOptions, startBitcoin } from '../fixtures/chains/bitcoin.ts';
import { makeLedger } from '../fixtures/chains/ledger.ts';

const newLedger = () => makeLedger({ seed: 'bitcoin', blockTimeMs: 600_000 });
const request = (method: unknown, params: unknown = [], id: unknown = 1) => ({
  jsonrpc: '1.0',
  id,
  method,
  params,
});
const modern = (method: unknown, params: unknown = [], id: unknown = 1) => ({
  ...request(method, params, id),
  jsonrpc: '2.0',
});
const post = async (node: BitcoinFixture, body: unknown, headers: Record<string, string> = {}) => {
  const answer = await fetch(node.url, {
    method: 'POST',
    headers: { authorization: node.authorization, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return {
    status: answer.status,
    said: (text === '' ? '' : JSON.parse(text)) as unknown,
    end: text.slice(-1),
  };
};
const refused = (code: number, message: string, id: unknown = 1) => ({
  result: null,
  error: { code, message },
  id,
});
const hash = expect.stringMatching(/^0{19}[0-9a-f]{45}$/) as string;

describe('the Bitcoin fixture', () => {
  it.each<[BitcoinOptions['version'], object]>([
    [22, { warnings: '' }],
    [27, { warnings: '', time: expect.any(Number) as number }],
    [28, { warnings: [], time: expect.any(Number) as number }],
  ])('tells of the chain as version %i', async (version = 27, more) => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view(), version });
    node.headersAhead = 2;
    const { status, said, end } = await post(node, request('getblockchaininfo'));
    expect([status, end]).toEqual([200, '\n']);
    expect(said).toEqual({
      result: {
        chain: 'main',
        blocks: 1_000,
        headers: 1_002,
        bestblockhash: hash,
        difficulty: expect.any(Number) as number,
        mediantime: Math.floor((ledger.block(995)?.at ?? 0) / 1_000),
        verificationprogress: expect.any(Number) as number,
        initialblockdownload: false,
        chainwork: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
        size_on_disk: expect.any(Number) as number,
        pruned: false,
        ...more,
      },
      error: null,
      id: 1,
    });
  });

  it('gives hashes by height and headers by hash', async () => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view() });
    const result = async (method: string, ...params: unknown[]) =>
      ((await post(node, request(method, params))).said as { result: unknown }).result;
    expect(await result('getblockhash', 0)).toBe(node.genesis);
    const best = await result('getbestblockhash');
    expect(best).toBe(await result('getblockhash', await result('getblockcount')));
    expect(await result('getblockheader', best)).toMatchObject({
      hash: best,
      height: 1_000,
      confirmations: 1,
      time: Math.floor(ledger.head.at / 1_000),
      previousblockhash: node.hash(999),
    });
    expect(await result('getconnectioncount')).toBe(10);
    expect(await result('getnetworkinfo')).toMatchObject({ connections: 10, subversion: '/Satoshi:27.0.0/' });
  });

  it.each<[string, unknown, number, unknown]>([
    ['a method that it does not have', request('eth_chainId'), 404, refused(-32601, 'Method not found')],
    ['no method', request(undefined), 400, refused(-32600, 'Missing method')],
    ['a method that is a number', request(7), 400, refused(-32600, 'Method must be a string')],
    [
      'text for parameters',
      request('uptime', 'x'),
      400,
      refused(-32600, 'Params must be an array or object'),
    ],
    ['a height ahead', request('getblockhash', [1_001]), 500, refused(-8, 'Block height out of range')],
    ['a height below zero', request('getblockhash', [-1]), 500, refused(-8, 'Block height out of range')],
    [
      'a height as text',
      request('getblockhash', ['7']),
      500,
      refused(-3, 'JSON value of type string is not of expected type number'),
    ],
    ['no height', request('getblockhash'), 500, refused(-1, 'getblockhash height')],
    [
      'a block that it does not have',
      request('getblockheader', ['0'.repeat(64)]),
      500,
      refused(-5, 'Block not found'),
    ],
    ['no JSON', '{', 500, refused(-32700, 'Parse error', null)],
    ['a text', '"uptime"', 500, refused(-32700, 'Top-level object parse error', null)],
  ])('answers %s with an error under a status', async (_, body, status, said) => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view() });
    expect(await post(node, body)).toEqual({ status, said, end: '\n' });
  });

  it('answers as 2.0, with 200, from version 28 on and when asked so', async () => {
    using ledger = newLedger();
    await using old = await startBitcoin({ view: ledger.view() });
    await using node = await startBitcoin({ view: ledger.view(), version: 28 });
    const missing = { code: -32601, message: 'Method not found' };
    expect(await post(old, modern('x'))).toMatchObject({
      status: 404,
      said: refused(-32601, 'Method not found'),
    });
    expect(await post(node, request('x'))).toMatchObject({
      status: 404,
      said: refused(-32601, 'Method not found'),
    });
    expect(await post(node, modern('x'))).toEqual({
      status: 200,
      said: { jsonrpc: '2.0', error: missing, id: 1 },
      end: '\n',
    });
    expect((await post(node, modern('uptime'))).said).toEqual({ jsonrpc: '2.0', result: 86_400, id: 1 });
    expect((await post(node, request('uptime'))).said).toEqual({ result: 86_400, error: null, id: 1 });
    expect(await post(node, { jsonrpc: '2.0', method: 'uptime' })).toMatchObject({ status: 204, said: '' });
  });

  it('answers batches with 200, whatever is in them', async () => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view(), version: 28 });
    const ok = { result: 86_400, error: null, id: 'a' };
    expect(await post(node, [request('uptime', [], 'a'), request('x'), 7])).toMatchObject({
      status: 200,
      said: [ok, refused(-32601, 'Method not found'), refused(-32600, 'Invalid Request object', null)],
    });
    expect((await post(node, [])).said).toEqual([]);
    expect((await post(node, [{ jsonrpc: '2.0', method: 'uptime' }])).status).toBe(204);
    expect(node.asked).toEqual(['uptime', 'x', 'uptime']);
  });

  it('lets in who has the password, by POST, at its place, to what is allowed', async () => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view(), user: 'a', password: 'b:c' });
    const wrong = await fetch(node.url, { method: 'POST', body: JSON.stringify(request('uptime')) });
    expect([wrong.status, wrong.headers.get('www-authenticate'), await wrong.text()]).toEqual([
      401,
      'Basic realm="jsonrpc"',
      '',
    ]);
    expect((await post(node, request('uptime'), { authorization: 'Basic YTpi' })).status).toBe(401);
    expect((await post(node, request('uptime'), { authorization: 'Basic YTpiOmM=' })).status).toBe(200);
    expect((await fetch(node.url)).status).toBe(405);
    expect((await fetch(`${node.url}/other`, { method: 'POST' })).status).toBe(404);
    node.forbidden.add('uptime');
    expect(await post(node, request('uptime'))).toEqual({ status: 403, said: '', end: '' });
    node.warmingUp = 'Verifying blocks…';
    expect(await post(node, request('getblockcount'))).toMatchObject({
      status: 500,
      said: refused(-28, 'Verifying blocks…'),
    });
  });

  it('answers what its services are asked by default', async () => {
    using ledger = newLedger();
    await using node = await startBitcoin({ view: ledger.view() });
    for (const { kind, every: _, id: __, ...settings } of familyPresets['bitcoin'] ?? []) {
      const { outcome, fault } = await runOnce({
        kind: String(kind),
        settings,
        target: { url: node.url, headers: { authorization: node.authorization }, allowPrivate: true },
        chain: {
          name: 'b',
          family: 'bitcoin',
          genesis: node.genesis,
          blockTimeMs: 600_000,
          maxLagBlocks: 3,
          maxAgeMs: 7_200_000,
        },
        timeoutMs: 2_000,
        allowPrivate: ['config'],
      });
      expect({ kind, outcome, fault }).toEqual({ kind, outcome: 'ok', fault: undefined });
    }
  });
});
