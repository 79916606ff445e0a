/** A round of the jsonrpc check: what is asked in it, and what its figures are made of. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type CheckContext, FaultError, type Reading } from '@highwater/config/kinds.ts';
import type { Chain } from '@highwater/config/model.ts';
import { isFact } from '@highwater/config/proof/line.ts';
import { noDns } from '../../testing/no-dns.ts';
import { goodEvm, hash, type RpcCall } from '../../testing/rpc.ts';
import { serveHttp } from '../../testing/servers.ts';
import { fault } from '../fault.ts';
import { runOnce } from '../once.ts';
import { type Json, jsonText } from './json.ts';
import { jsonrpc } from './jsonrpc.ts';

interface Node {
  readonly family?: string;
  readonly round?: number;
  readonly height?: number;
  /** What methods, and paths asked by GET, answer; the head as a good EVM node does. */
  readonly answer?: (name: string, params: unknown) => unknown;
}

const chainOf = (family: string): Chain => ({
  name: 'dev',
  family,
  blockTimeMs: 1_000,
  maxLagBlocks: 3,
  maxAgeMs: 60_000,
  references: [],
});

/** One round against a node that is played here; `asked` has what it heard. */
async function round(settings: object, { family, height, answer, ...more }: Node = {}) {
  const asked: [name: string, params: unknown][] = [];
  const heads = (name: string, params: unknown): unknown =>
    name === 'eth_getBlockByNumber'
      ? goodEvm({ id: 0, method: name, params }, { height: height ?? 1_000 })
      : undefined;
  const ctx: CheckContext = {
    signal: new AbortController().signal,
    target: { url: 'http://node.example', headers: {}, allowPrivate: false },
    ...(family === undefined ? {} : { chain: chainOf(family) }),
    now: () => 1_000_000_000,
    clockBoundMs: 0,
    memory: new Map(),
    round: more.round ?? 0,
    socket: () => Promise.reject(new Error('no socket here')),
    dns: noDns,
    connect: () => Promise.reject(new Error('no connection here')),
    handshake: () => Promise.reject(new Error('no handshake here')),
    lasting: () => {
      throw new Error('nothing lasting here');
    },
    exchange: ({ method, path = '', body }) => {
      const call = body === undefined ? undefined : (JSON.parse(body) as RpcCall);
      const name = call?.method ?? `${method} ${path}`;
      asked.push([name, call?.params]);
      const result = answer?.(name, call?.params) ?? heads(name, call?.params) ?? true;
      if (result instanceof FaultError) return Promise.reject(result);
      return Promise.resolve({
        status: 200,
        headers: {},
        body: jsonText(call ? { id: call.id, result } : result),
        bytes: 0,
        // Making a connection is slow here, and the head is slower than anything else.
        phases: {
          resolve: asked.length === 1 ? 1_000 : 0,
          connect: asked.length === 1 ? 2_000 : 0,
          tls: asked.length === 1 ? 3_000 : 0,
          firstByte: name === 'eth_getBlockByNumber' ? 70_000 : 40,
          transfer: 2,
        },
        latencyTenths: 0,
        address: '',
      });
    },
  };
  const reading = await jsonrpc
    .prepare(settings)(ctx)
    .catch((thrown: unknown): Reading => {
      if (!(thrown instanceof FaultError)) throw thrown;
      return { outcome: 'fail', fault: thrown.fault, latencyTenths: 0 };
    });
  const said = reading.fault ? `${reading.outcome} ${faultId(reading.fault)}` : reading.outcome;
  return { asked, said, reading, facts: reading.facts ?? {} };
}

const digest = (canonical: string) => createHash('sha256').update(canonical).digest('hex').slice(0, 8);

describe('parameters that vary', () => {
  it('are asked from the head, which is asked for once, in the notation of the family', async () => {
    const methods = [
      { method: 'a', params: ['{{head}}', { deep: ['{{head-100}}'] }] },
      { method: 'b', params: { at: '{{head-1 int}}', text: 'x{{head-2}}' } },
      { method: 'c', params: ['{{random 5..5}}', 'latest', 7] },
      { method: 'd' },
    ];
    const { asked, said, facts } = await round({ methods }, { family: 'evm' });
    expect(said).toBe('ok');
    expect(asked).toEqual([
      ['eth_getBlockByNumber', ['latest', false]],
      ['a', ['0x3e8', { deep: ['0x384'] }]],
      ['b', { at: 999, text: 'x998' }],
      ['c', ['0x5', 'latest', 7]],
      ['d', []],
    ]);
    expect(facts).toEqual({ 'm.a': '42', 'm.b': '42', 'm.c': '42', 'm.d': '42' });
  });

  it.each<[string, string | undefined, Record<string, unknown>]>([
    ['substrate', undefined, { chain_getHeader: { number: '0x3e8', parentHash: hash('c') } }],
    ['solana', undefined, { getSlot: 1_000 }],
    ['algorand', undefined, { 'GET /v2/status': { 'last-round': 1_000 } }],
    ['algorand', 'indexer', { 'GET /health': { round: 1_000 } }],
  ])('cost one question for the head: %s %s', async (family, api, says) => {
    const { asked, said } = await round(
      { ...(api === undefined ? {} : { api }), methods: [{ method: 'a', params: ['{{head-100}}'] }] },
      { family, answer: (name) => says[name] ?? true },
    );
    expect(said).toBe('ok');
    expect(asked.map(([name]) => name)).toEqual([...Object.keys(says), 'a']);
    expect(asked.at(-1)?.[1]).toEqual([900]);
  });

  it('are numbers where the family has heights as numbers, and where there is no chain', async () => {
    const { asked } = await round(
      { methods: [{ method: 'getblockhash', params: ['{{random 5..5}}'] }] },
      { family: 'bitcoin' },
    );
    expect(asked).toEqual([['getblockhash', [5]]]);
    const none = await round({
      methods: [{ method: 'a', params: ['{{random 5..5}}', '{{random 5..5 hex}}'] }],
    });
    expect(none.asked).toEqual([['a', [5, '0x5']]]);
  });

  it('do not ask for the head where nothing counts from it', async () => {
    const { asked } = await round(
      { methods: [{ method: 'a', params: ['{{random 1..9}}'] }] },
      { family: 'evm' },
    );
    expect(asked).toHaveLength(1);
  });

  it('are the same for all who ask in one round, and others in the next', async () => {
    const methods = [
      { method: 'a', params: ['{{head-random 0..900}}'] },
      { method: 'a', id: 'other', params: ['{{head-random 0..900}}'] },
    ];
    const params = async (number: number) =>
      (await round({ methods }, { family: 'evm', round: number })).asked.slice(1).map(([, said]) => said);
    expect(await params(3)).toEqual(await params(3));
    const seen = new Set<string>();
    for (let number = 0; number < 20; number += 1) {
      const [first, second] = await params(number);
      expect(first).not.toEqual(second);
      seen.add(JSON.stringify(first));
    }
    expect(seen.size).toBeGreaterThan(15);
  });

  it('have no chain to count from: the probe says so and nothing is said of the node', async () => {
    const { said, asked } = await round({ methods: [{ method: 'a', params: ['{{head}}'] }] });
    expect([said, asked]).toEqual(['fail probe.config.kind', []]);
    const indexer = { api: 'indexer', methods: [{ method: 'a', params: ['{{head}}'] }] };
    expect((await round(indexer, { family: 'evm' })).said).toBe('fail probe.config.kind');
    const observation = await runOnce({
      kind: 'jsonrpc',
      settings: { methods: [{ method: 'a', params: ['{{head}}'] }] },
      target: { url: 'http://127.0.0.1:1', headers: {}, allowPrivate: true },
      timeoutMs: 1_000,
      allowPrivate: ['config'],
    });
    expect(observation.outcome).toBe('skipped');
  });

  it('of a node that does not tell its head are not asked, and all else is', async () => {
    const odd = { number: 'x', timestamp: '0x1', hash: hash('b') };
    const { said, asked, facts, reading } = await round(
      { methods: [{ method: 'b', params: ['{{head}}'] }, { method: 'a' }] },
      { family: 'evm', answer: (name) => (name === 'a' ? true : odd) },
    );
    expect([said, Object.keys(facts)]).toEqual(['fail target.rpc.result', ['m.a']]);
    expect(reading.fault?.detail).toMatch(/^the head: eth_getBlockByNumber: number is no hex quantity/);
    expect(asked.map(([name]) => name)).toEqual(['eth_getBlockByNumber', 'a']);
  });
});

describe('a path asked by GET', () => {
  it('has templates, a figure and a result like a method', async () => {
    const methods = [
      { get: '/v2/blocks/{{head-10}}?header-only=true', at: 'block.rnd', equals: 990, equal: true },
      { get: '/v2/status', id: 'status', type: 'object', slow: '1ms' },
      { get: '/v2/status', id: 'wrong', at: 'nothing' },
    ];
    const { asked, said, facts, reading } = await round(
      { path: '/api/', methods },
      {
        family: 'evm',
        height: 1_007,
        answer: (name) => (name.startsWith('GET') ? { block: { rnd: 990 } } : undefined),
      },
    );
    expect(asked.slice(1).map(([name]) => name)).toEqual([
      'GET /api/v2/blocks/990?header-only=true',
      'GET /api/v2/status',
      'GET /api/v2/status',
    ]);
    expect(facts).toEqual({
      'm.v2.blocks.head-10': '42',
      'e.v2.blocks.head-10': `${digest('"/v2/blocks/990?header-only=true"')}.${digest('990')}`,
      'm.status': '42',
      'm.wrong': 'target.rpc.result',
    });
    expect([said, reading.fault?.detail]).toEqual([
      'fail target.rpc.result',
      'wrong: the value at nothing is missing',
    ]);
  });

  it.each<[number, string, string, string | undefined]>([
    [200, '{"a":1}', 'ok', undefined],
    [200, '[]', 'ok', undefined],
    [200, 'ok', 'fail target.rpc.json', '/x: begins with "ok"'],
    [204, '', 'fail target.rpc.json', '/x: empty'],
    [404, '{"message":"no such round"}', 'fail target.http.status', '/x: 404: no such round'],
    [500, '<html>', 'fail target.http.status', '/x: 500'],
    [429, '', 'fail target.rpc.limit', '/x: 429'],
  ])('answered %i with %j is %s', async (status, body, expected, detail) => {
    await using server = await serveHttp((request, response) => {
      expect(request.method).toBe('GET');
      response.writeHead(request.url === '/api/x' ? status : 418).end(body);
    });
    const { outcome, fault: found } = await runOnce({
      kind: 'jsonrpc',
      settings: { path: '/api', methods: [{ get: '/x' }] },
      target: { url: server.url, headers: {}, allowPrivate: true },
      timeoutMs: 5_000,
      allowPrivate: ['config'],
    });
    expect(found ? `${outcome} ${faultId(found)}` : outcome).toBe(expected);
    expect(found?.detail).toBe(detail);
  });
});

describe('a result that must be the same on all nodes', () => {
  const settings = (more: object) => ({ methods: [{ method: 'a', equal: true, ...more }] });
  const fact = async (more: object, answer: Json, node: Node = {}) => {
    const { facts } = await round(settings(more), {
      ...node,
      answer: (name) => (name === 'a' ? answer : undefined),
    });
    return facts['e.a'];
  };

  it('is told by hashes of its parameters and of itself, whatever the order of keys', async () => {
    const params = { z: [1, '{{random 5..5}}'], a: null };
    const one = await fact({ params }, { b: 1, a: { d: 18446744073709551615n, c: [] } });
    expect(one).toBe(
      `${digest('{"a":null,"z":[1,5]}')}.${digest('{"a":{"c":[],"d":18446744073709551615},"b":1}')}`,
    );
    expect(isFact('e.a', one ?? '')).toBe(true);
    expect(await fact({ params }, { a: { c: [], d: 18446744073709551615n }, b: 1 })).toBe(one);
    expect(await fact({ params }, { a: { c: [], d: 18446744073709551614n }, b: 1 })).not.toBe(one);
  });

  it('is the value at the path where there is one', async () => {
    expect(await fact({ at: 'x' }, { x: 1, y: 1 })).toBe(await fact({ at: 'x' }, { x: 1, y: 2 }));
    expect(await fact({ at: 'x' }, { x: 1 })).not.toBe(await fact({ at: 'x' }, { x: '1' }));
  });

  it('is asked from the same head by nodes a few blocks apart', async () => {
    const params = ['{{head-random 10..100}}'];
    const at = (height: number) => fact({ params }, 'same', { family: 'evm', height });
    expect(await at(1_000)).toBe(await at(1_007));
    expect(await at(1_000)).not.toBe(await at(1_008));
    const { asked } = await round(
      { methods: [{ method: 'a', params: ['{{head}}'] }] },
      { family: 'evm', height: 1_007 },
    );
    expect(asked.at(-1)).toEqual(['a', ['0x3ef']]);
  });

  it('is not told where the result is wrong, and is where it is slow', async () => {
    expect(await fact({ type: 'string' }, 1)).toBeUndefined();
    expect(await fact({ slow: '1ms' }, 1)).toBeDefined();
    expect((await round({ methods: [{ method: 'a' }] })).facts).toEqual({ 'm.a': '42' });
  });
});

describe('figures', () => {
  it('of a method have neither the connection nor the head in them; the whole has', async () => {
    const methods = [
      { method: 'a', slow: '5ms' },
      { method: 'b', params: ['{{head}}'], slow: '5ms' },
    ];
    const { said, facts, reading } = await round({ methods }, { family: 'evm' });
    expect([said, facts]).toEqual(['ok', { 'm.a': '42', 'm.b': '42' }]);
    expect(reading.phases).toEqual({
      resolve: 1_000,
      connect: 2_000,
      tls: 3_000,
      firstByte: 70_080,
      transfer: 6,
    });
    const first = await round({ methods: [{ method: 'a', slow: '5ms' }] });
    expect([first.said, first.facts]).toEqual(['ok', { 'm.a': '42' }]);
    expect(first.reading.latencyTenths).toBe(6_042);
  });

  it('are of questions asked one at a time on one connection, never as a batch', async () => {
    let open = 0;
    let most = 0;
    const sockets = new Set<unknown>();
    const bodies: string[] = [];
    await using server = await serveHttp((request, response) => {
      open += 1;
      most = Math.max(most, open);
      sockets.add(request.socket);
      let body = '';
      request.on('data', (data: Buffer) => (body += data.toString()));
      request.on('end', () => {
        bodies.push(body);
        setImmediate(() => {
          open -= 1;
          response.end(`{"id":${(JSON.parse(body) as RpcCall).id},"result":1}`);
        });
      });
    });
    const observation = await runOnce({
      kind: 'jsonrpc',
      settings: { methods: Array.from({ length: 16 }, (_, index) => ({ method: `m${index}` })) },
      target: { url: server.url, headers: {}, allowPrivate: true },
      timeoutMs: 10_000,
      allowPrivate: ['config'],
    });
    expect([observation.outcome, most, sockets.size, bodies.length]).toEqual(['ok', 1, 1, 16]);
    expect(bodies.every((body) => body.startsWith('{'))).toBe(true);
  });

  it('go on after a fault of one method, and end with the connection', async () => {
    const methods = ['a', 'b', 'c'].map((method) => ({ method }));
    const answering = (id: string) =>
      round({ methods }, { answer: (name) => (name === 'b' ? new FaultError(fault(id)) : undefined) });
    for (const id of [
      'target.rpc.json',
      'target.http.too-large',
      'target.http.encoding',
      'target.http.redirect',
    ]) {
      const { said, facts } = await answering(id);
      expect([said, facts]).toEqual([`fail ${id}`, { 'm.a': '42', 'm.b': id, 'm.c': '42' }]);
    }
    for (const id of [
      'target.http.timeout',
      'target.http.reset',
      'target.connect.refused',
      'target.ws.closed',
    ]) {
      const { said, facts } = await answering(id);
      expect([said, facts]).toEqual([`fail ${id}`, { 'm.a': '42', 'm.b': id }]);
    }
  });
});
