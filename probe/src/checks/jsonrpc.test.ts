import { describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { type RpcAnswer, type RpcCall, serveRpc } from '../../testing/rpc.ts';
import { runOnce } from '../once.ts';
import { jsonText } from './json.ts';
import { jsonrpc } from './jsonrpc.ts';

const ask = (url: string, settings: unknown, timeoutMs = 10_000) =>
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

describe('what a result must be', () => {
  it.each<[object, unknown, string]>([
    [{ type: 'string' }, '0x1', 'ok'],
    [{ type: 'string' }, 1, 'fail target.rpc.result'],
    [{ type: 'array' }, [], 'ok'],
    [{ type: 'object' }, [], 'fail target.rpc.result'],
    [{ type: 'null' }, null, 'ok'],
    [{ equals: '0x1' }, '0x1', 'ok'],
    [{ equals: '0x1' }, '0x2', 'fail target.rpc.result'],
    [{ equals: 1e15 }, 1e15, 'ok'],
    [{ equals: '18446744073709551615' }, 18446744073709551615n, 'ok'],
    [{ equals: '18446744073709551615' }, 18446744073709551616n, 'fail target.rpc.result'],
    [{ type: 'number' }, 18446744073709551615n, 'ok'],
    [{ type: 'string' }, { x: 18446744073709551615n }, 'fail target.rpc.result'],
    [{ equals: 1 }, { x: 18446744073709551615n }, 'fail target.rpc.result'],
    [{ equals: { a: [1] } }, { a: [1] }, 'ok'],
    [{ equals: { a: [1] } }, { a: [1], b: 2 }, 'fail target.rpc.result'],
    [{ at: 'a.0.b' }, { a: [{ b: 0 }] }, 'ok'],
    [{ at: 'a.0.b' }, { a: [] }, 'fail target.rpc.result'],
    [{ at: 'a' }, { a: null }, 'fail target.rpc.result'],
    [{ at: 'constructor' }, {}, 'fail target.rpc.result'],
    [{ at: 'a', equals: 5, type: 'number' }, { a: 5 }, 'ok'],
  ])('expecting %o of %o', async (expected, result, outcome) => {
    const settings = { methods: [{ method: 'x', ...expected }] };
    expect(await faultFor(({ id }) => jsonText({ id, result }), settings)).toBe(outcome);
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
    const { outcome, facts } = await ask(server.url, settings, 1_000);
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
  const methods = (...list: object[]) => ({ methods: list });
  const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)]);

  it.each<object>([
    methods(),
    methods({ method: 'a' }, { method: 'a' }),
    methods({ method: 'a b' }),
    methods({ method: 'a', slow: '1' }),
    methods({ method: 'a', other: 1 }),
    methods(...Array.from({ length: 17 }, (_, i) => ({ method: `m${i}` }))),
    { ...methods({ method: 'a' }), path: 'x' },
    { ...methods({ method: 'a' }), transport: 'ftp' },
    methods({}),
    methods({ method: 'a', get: '/a' }),
    methods({ get: '/a', params: [] }),
    methods({ get: 'a' }),
    methods({ get: '/a b' }),
    methods({ get: '/{{x}}' }),
    methods({ get: '/' }),
    methods({ get: '/a?x=1' }, { get: '/a?x=2' }),
    methods({ method: 'a', params: ['{{x}}'] }),
    methods({ method: 'a', params: { a: ['{{random 2..1}}'] } }),
    methods({ method: 'a', params: [2 ** 53] }),
    methods({ method: 'a', equals: { a: 2 ** 53 } }),
    methods({ method: 'a', equals: ['{{head}}'] }),
    methods({ method: 'a', params: deep(13) as [] }),
    methods({ method: 'a', equal: 'yes' }),
    { ...methods({ method: 'a' }), maxBytes: 4_194_305 },
  ])('%j are refused', (settings) => {
    expect(() => jsonrpc.prepare(settings)).toThrow();
  });

  it.each<object>([
    methods({ method: 'a', params: deep(12) as [] }),
    { ...methods({ method: 'a' }), maxBytes: 4_194_304 },
    methods({ method: 'a', params: [2 ** 53 - 1, 0.5], equals: '18446744073709551615' }),
    methods({ get: '/a/{{head-random 1..9 hex}}?x={{random 1..9}}' }),
    methods({ get: '/a?x=1', id: 'b' }, { get: '/a?x=2' }),
    methods({ method: 'a', equals: 'a {{name}} of their own' }),
    methods({ method: 'a', params: {}, equal: true, at: 'x', slow: '5ms' }),
  ])('%j are not', (settings) => {
    expect(() => jsonrpc.prepare(settings)).not.toThrow();
  });

  it('tell whether they need a chain', () => {
    const needs = (settings: unknown) => jsonrpc.needsChainFor?.(settings);
    expect(needs(methods({ method: 'a', params: [{ a: '{{head-1}}' }] }))).toBe(true);
    expect(needs(methods({ get: '/{{head}}' }))).toBe(true);
    expect(needs(methods({ method: 'a', params: ['{{random 1..2}}', 'head'] }))).toBe(false);
    expect([undefined, null, 'x', 3, []].map(needs)).toEqual([false, false, false, false, false]);
  });
});
