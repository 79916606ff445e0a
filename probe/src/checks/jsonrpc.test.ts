import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type RpcAnswer, type RpcCall, serveRpc } from '../../testing/rpc.ts';
import { runOnce } from '../once.ts';
import { jsonrpc } from './jsonrpc.ts';

const ask = (url: string, settings: unknown, timeoutMs = 2_000) =>
  runOnce({
    kind: 'jsonrpc',
    settings,
    target: { url, headers: {}, allowPrivate: true },
    timeoutMs,
    allowPrivate: ['config'],
  });

const one = { methods: [{ method: 'eth_blockNumber' }] };

async function faultFor(answer: (call: RpcCall) => RpcAnswer, settings: unknown = one): Promise<string> {
  await using server = await serveRpc(answer);
  const { outcome, fault } = await ask(server.url, settings);
  return fault ? `${outcome} ${faultId(fault)}` : outcome;
}

describe('an odd answer has its own fault', () => {
  const deep = `${'['.repeat(65)}${']'.repeat(65)}`;
  it.each<[string, (call: RpcCall) => RpcAnswer, string]>([
    ['a result', ({ id }) => ({ jsonrpc: '2.0', id, result: '0x1' }), 'ok'],
    ['a result without a version', ({ id }) => ({ id, result: '0x1' }), 'ok'],
    ['a result null', ({ id }) => ({ id, result: null }), 'ok'],
    ['a result beside error null', ({ id }) => ({ id, result: '0x1', error: null }), 'ok'],
    ['a result in white space', ({ id }) => `\n ${JSON.stringify({ id, result: 1 })} \n`, 'ok'],
    ['a duplicate key, the last good', ({ id }) => `{"id":1,"id":${id},"result":"0x1"}`, 'ok'],
    ['__proto__ in the result', ({ id }) => `{"id":${id},"result":{"__proto__":{"x":1}}}`, 'ok'],
    [
      'an error under status 200',
      ({ id }) => ({ id, error: { code: -32000, message: 'no' } }),
      'fail target.rpc.error',
    ],
    [
      'an error with result null',
      ({ id }) => ({ id, result: null, error: { code: -5, message: 'no' } }),
      'fail target.rpc.error',
    ],
    [
      'an error with id null',
      () => ({ id: null, error: { code: -32700, message: 'parse' } }),
      'fail target.rpc.error',
    ],
    ['an error that is text', ({ id }) => ({ id, error: 'broken' }), 'fail target.rpc.error'],
    [
      'method not found',
      ({ id }) => ({ id, error: { code: -32601, message: 'x' } }),
      'fail target.rpc.method',
    ],
    ['a limit by code', ({ id }) => ({ id, error: { code: -32005, message: 'x' } }), 'fail target.rpc.limit'],
    [
      'a limit by words',
      ({ id }) => ({ id, error: { code: -32000, message: 'Rate limit exceeded' } }),
      'fail target.rpc.limit',
    ],
    ['status 429', status(429, 'slow down'), 'fail target.rpc.limit'],
    ['status 503', status(503, '<html>'), 'fail target.http.status'],
    ['status 400 with an error', status(400, '{"error":{"message":"bad"}}'), 'fail target.http.status'],
    ['status 204', status(204, ''), 'fail target.rpc.json'],
    ['another id', ({ id }) => ({ id: id + 1, result: '0x1' }), 'fail target.rpc.id'],
    ['the id as text', ({ id }) => ({ id: String(id), result: '0x1' }), 'fail target.rpc.id'],
    ['a result with id null', () => ({ id: null, result: '0x1' }), 'fail target.rpc.id'],
    ['no id', () => ({ result: '0x1' }), 'fail target.rpc.id'],
    [
      'an error for another id',
      ({ id }) => ({ id: id + 1, error: { code: 1, message: 'x' } }),
      'fail target.rpc.id',
    ],
    [
      'both result and error',
      ({ id }) => ({ id, result: 1, error: { code: 1, message: 'x' } }),
      'fail target.rpc.shape',
    ],
    ['neither', ({ id }) => ({ id }), 'fail target.rpc.shape'],
    ['a batch', ({ id }) => [{ id, result: '0x1' }], 'fail target.rpc.shape'],
    ['a number', () => '42', 'fail target.rpc.shape'],
    ['null', () => 'null', 'fail target.rpc.shape'],
    ['a page', () => '<html>hello</html>', 'fail target.rpc.json'],
    ['nothing', () => '', 'fail target.rpc.json'],
    ['half of an answer', ({ id }) => `{"id":${id},"result"`, 'fail target.rpc.json'],
    ['two answers', ({ id }) => `{"id":${id},"result":1}{"id":${id},"result":1}`, 'fail target.rpc.json'],
    ['brackets without end', ({ id }) => `{"id":${id},"result":${deep}}`, 'fail target.rpc.json'],
    ['brackets in text', ({ id }) => `{"id":${id},"result":"${deep}"}`, 'ok'],
    ['a redirect', redirect, 'fail target.http.redirect'],
    ['more than a MiB', ({ id }) => ({ id, result: 'x'.repeat(1_100_000) }), 'fail target.http.too-large'],
  ])('%s', async (_, answer, expected) => {
    expect(await faultFor(answer)).toBe(expected);
  });

  it.each<[object, unknown, string]>([
    [{ type: 'string' }, '0x1', 'ok'],
    [{ type: 'string' }, 1, 'fail target.rpc.result'],
    [{ type: 'array' }, [], 'ok'],
    [{ type: 'object' }, [], 'fail target.rpc.result'],
    [{ type: 'null' }, null, 'ok'],
    [{ equals: '0x1' }, '0x1', 'ok'],
    [{ equals: '0x1' }, '0x2', 'fail target.rpc.result'],
    [{ equals: { a: [1] } }, { a: [1] }, 'ok'],
    [{ equals: { a: [1] } }, { a: [1], b: 2 }, 'fail target.rpc.result'],
    [{ at: 'a.0.b' }, { a: [{ b: 0 }] }, 'ok'],
    [{ at: 'a.0.b' }, { a: [] }, 'fail target.rpc.result'],
    [{ at: 'a' }, { a: null }, 'fail target.rpc.result'],
    [{ at: 'constructor' }, {}, 'fail target.rpc.result'],
    [{ at: 'a', equals: 5, type: 'number' }, { a: 5 }, 'ok'],
  ])('expecting %j of %j', async (expected, result, outcome) => {
    const settings = { methods: [{ method: 'x', ...expected }] };
    expect(await faultFor(({ id }) => ({ id, result }), settings)).toBe(outcome);
  });
});

describe('several methods', () => {
  const settings = { methods: [{ method: 'a' }, { method: 'b', id: 'second' }, { method: 'c' }] };

  it('are asked one after the other, each with its own id and figure', async () => {
    await using server = await serveRpc(({ id }) => ({ id, result: true }));
    const { outcome, facts, latencyTenths, phases } = await ask(server.url, settings);
    expect(outcome).toBe('ok');
    expect(Object.keys(facts).sort()).toEqual(['m.a', 'm.c', 'm.second']);
    expect(server.calls.map((call) => call.method)).toEqual(['a', 'b', 'c']);
    expect(new Set(server.calls.map((call) => call.id)).size).toBe(3);
    const each = Object.values(facts).reduce((sum, tenths) => sum + Number(tenths), 0);
    const { resolve = 0, connect = 0, tls = 0 } = phases ?? {};
    expect(each + resolve + connect + tls).toBe(latencyTenths);
  });

  it('go on after one that the node refuses, and the fault is told', async () => {
    await using server = await serveRpc(({ id, method }) =>
      method === 'a' ? { id, error: { code: -32601, message: 'gone' } } : { id, result: true },
    );
    const { outcome, facts, fault } = await ask(server.url, settings);
    expect(outcome).toBe('fail');
    expect(fault?.detail).toBe('a: -32601: gone');
    expect(facts['m.a']).toBe('target.rpc.method');
    expect(Number(facts['m.c'])).toBeGreaterThan(0);
  });

  it('end at the deadline of the whole', async () => {
    await using server = await serveRpc(({ id, method }) =>
      method === 'b' ? () => undefined : { id, result: true },
    );
    const { outcome, facts } = await ask(server.url, settings, 300);
    expect(outcome).toBe('fail');
    expect(facts['m.second']).toBe('target.http.timeout');
    expect(facts).not.toHaveProperty('m.c');
  });

  it('are degraded when one is slower than its limit, and fail when another is wrong', async () => {
    await using server = await serveRpc(({ id, method }) => (response) => {
      setTimeout(() => response.end(JSON.stringify({ id, result: method === 'a' })), method === 'a' ? 60 : 0);
    });
    const slow = { method: 'a', slow: '20ms' };
    const { outcome, fault, facts } = await ask(server.url, { methods: [slow] });
    expect([outcome, fault?.code]).toEqual(['degraded', 'slow']);
    expect(Number(facts['m.a'])).toBeGreaterThan(500);
    const both = await ask(server.url, { methods: [slow, { method: 'b', equals: true }] });
    expect([both.outcome, both.fault?.code]).toEqual(['fail', 'result']);
  });
});

describe('settings', () => {
  it.each([
    [{ methods: [] }],
    [{ methods: [{ method: 'a' }, { method: 'a' }] }],
    [{ methods: [{ method: 'a b' }] }],
    [{ methods: [{ method: 'a', slow: '1' }] }],
    [{ methods: [{ method: 'a', other: 1 }] }],
    [{ methods: Array.from({ length: 17 }, (_, i) => ({ method: `m${i}` })) }],
    [{ methods: [{ method: 'a' }], path: 'x' }],
  ])('%j are refused', (settings) => {
    expect(() => jsonrpc.prepare(settings)).toThrow();
  });
});

function status(code: number, body: string) {
  return () => (response: ServerResponse) => void response.writeHead(code).end(body);
}

function redirect() {
  return (response: ServerResponse) => void response.writeHead(307, { location: '/x' }).end();
}
