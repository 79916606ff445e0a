import { afterEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../testing/certificates.ts';
import { quickChain } from '../testing/check.ts';
import { serveEvmSocket } from '../testing/evm-socket.ts';
import { goodEvm, serveRpc } from '../testing/rpc.ts';
import { closedPort, type Served, serveHttps, serveTcp } from '../testing/servers.ts';
import { type OnceOptions, tellOnce } from './once.ts';

const ask = (kind: string, url: string, settings: object = {}, more: Partial<OnceOptions> = {}) => {
  const target = { url, headers: {}, allowPrivate: true };
  return tellOnce({ kind, settings, target, timeoutMs: 2_000, allowPrivate: ['config'], ...more });
};
const chain = { ...quickChain, chainId: 31_337 };

const open: Served[] = [];
const kept = <S extends Served>(served: S): S => {
  open.push(served);
  return served;
};
afterEach(async () => {
  for (const served of open.splice(0)) await served[Symbol.asyncDispose]();
});
const evm = async (change: (method: string, result: unknown) => unknown = (_, result) => result) =>
  kept(
    await serveRpc((call) => ({ jsonrpc: '2.0', id: call.id, result: change(call.method, goodEvm(call)) })),
  );

describe('a run that is told', () => {
  it('has each question of a head check, as it was sent, in its time', async () => {
    const { calls, observation, address } = await ask('head', (await evm()).url, {}, { chain });
    expect(observation.outcome).toBe('ok');
    expect(address).toBe('127.0.0.1');
    expect(calls.map(({ what }) => what)).toEqual([
      'eth_chainId',
      'eth_getBlockByNumber',
      'eth_getBlockByNumber',
      'eth_syncing',
      'eth_getBlockByNumber',
      'net_peerCount',
      'web3_clientVersion',
    ]);
    expect(calls[2]?.sent).toEqual({ method: 'eth_getBlockByNumber', params: ['latest', false] });
    for (const [index, { fromTenths, tenths }] of calls.entries()) {
      const before = calls[index - 1];
      expect(tenths).toBeGreaterThanOrEqual(0);
      expect(fromTenths).toBeGreaterThanOrEqual(before ? before.fromTenths + before.tenths - 1 : 0);
    }
  });

  it('has those over a WebSocket too, by the id of their answers', async () => {
    const server = kept(await serveEvmSocket({}));
    const { calls, assertions } = await ask('websocket', server.url, {}, { chain });
    expect(calls.map(({ what }) => what)).toEqual(['eth_subscribe', 'eth_getBlockByNumber']);
    expect(assertions).toEqual([expect.objectContaining({ held: true })]);
  });

  it('says why a question was not answered', async () => {
    const { calls, assertions } = await ask('head', `http://127.0.0.1:${await closedPort()}`, {}, { chain });
    expect(calls).toMatchObject([{ what: 'eth_chainId', fault: 'target.connect.refused' }]);
    expect(assertions).toMatchObject([{ held: false }]);
  });

  const held = { held: true };
  const not = { held: false };
  it.each<[what: string, settings: object, results: object, expected: object[]]>([
    ['all is well', { slow: '5m' }, {}, [held, held, held, held, held, held]],
    ['another chain', {}, { eth_chainId: '0x5' }, [{ what: 'it serves the chain quick (31337)', ...not }]],
    ['it syncs', {}, { eth_syncing: { currentBlock: '0x1' } }, [held, held, held, held, not]],
    ['an old block', { maxAge: '1s' }, {}, [held, held, { ...not, found: '30 s old' }, held]],
  ])('a head check: %s', async (what, settings, results, expected) => {
    const blockAt = what === 'an old block' ? Date.now() - 30_000 : Date.now();
    const node = await serveRpc((call) => ({
      jsonrpc: '2.0',
      id: call.id,
      result: (results as Record<string, unknown>)[call.method] ?? goodEvm(call, { blockAt }),
    }));
    const { assertions, observation } = await ask('head', kept(node).url, settings, { chain });
    expect(assertions).toMatchObject(expected);
    expect(assertions.every((each) => each.held)).toBe(observation.outcome === 'ok');
  });

  it.each<[settings: object, expected: object[]]>([
    [
      { equals: '0x7a69', slow: '5m' },
      [{ what: 'eth_chainId gives a result that equals "0x7a69"', ...held }, held],
    ],
    [{ equals: '0x1' }, [{ ...not, found: 'the result is "0x7a69", expected "0x1"' }]],
    [{ type: 'number' }, [{ what: 'eth_chainId gives a result of type number', ...not }]],
    [{ at: 'a.b' }, [{ what: 'eth_chainId gives a value at a.b', ...not }]],
  ])('a jsonrpc check of a method with %j', async (settings, expected) => {
    const methods = [{ method: 'eth_chainId', ...settings }];
    const { assertions } = await ask('jsonrpc', (await evm()).url, { methods });
    expect(assertions).toMatchObject(expected);
  });

  it.each<[settings: object, expected: object[]]>([
    [{}, [{ what: 'a connection is made', ...held }]],
    [{ expect: { contains: '2.0' }, slow: '5m' }, [held, { what: '"2.0" comes', ...held }, held]],
    [{ expect: { matches: '^SSH-3' } }, [held, { ...not, found: '11 bytes without it' }]],
  ])('a tcp check with %j', async (settings, expected) => {
    const server = kept(
      await serveTcp((socket) => void socket.on('error', () => undefined).end('SSH-2.0 hi\n')),
    );
    const { assertions } = await ask('tcp', server.url, settings);
    expect(assertions).toMatchObject(expected);
  });

  it('a tls check of a certificate that has expired', async () => {
    const { expired } = makeCertificates();
    const server = kept(await serveHttps(expired, (_, response) => void response.end()));
    const { assertions } = await ask('tls', server.url.replace('127.0.0.1', 'localhost'));
    expect(assertions).toMatchObject([
      { what: 'the certificate is trusted and for this name', ...not },
      { what: 'TLS is at least 1.2', ...held },
      { what: 'it lasts 14d more, or its share of a short life', ...not },
      { what: 'it lasts 3d more, or its share of a short life', ...not },
    ]);
  });

  it('a websocket check with a script, step by step', async () => {
    const server = kept(await serveEvmSocket({}));
    const step = { send: { jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] } };
    const script = [
      { ...step, expect: { path: 'id', equals: 1 } },
      { ...step, expect: { path: 'id', equals: 2 } },
    ];
    const { calls, assertions } = await ask('websocket', server.url, { script });
    expect(calls.map(({ what }) => what)).toEqual(['eth_chainId', 'eth_chainId']);
    expect(assertions).toMatchObject([
      { what: 'step 1 is answered with id to be 1', ...held },
      { what: 'step 2 is answered with id to be 2', ...not },
      { what: 'a WebSocket opens, and the script is answered', ...not },
    ]);
  });
});
