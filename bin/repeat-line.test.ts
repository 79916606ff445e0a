import { describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import type { Fault } from '@highwater/config/faults.ts';
import type { Call, Sent } from '../probe/src/told.ts';
import { repeatLine } from './repeat-line.ts';
import { tables } from './tables.ts';

const chain = {
  name: 'quick',
  family: 'evm',
  blockTimeMs: 1_000,
  maxLagBlocks: 5,
  maxAgeMs: 60_000,
  references: [],
};
const lineOf = (
  kind: string,
  settings: object,
  sent: readonly Sent[],
  seen: { outcome?: Observation['outcome']; facts?: Record<string, string>; fault?: Fault } = {},
) => {
  const target = { url: 'http://a.example/key', headers: {}, allowPrivate: false };
  const calls = sent.map((each): Call => ({ what: '', sent: each, fromTenths: 0, tenths: 1 }));
  const observation = { outcome: 'fail', facts: {}, ...seen } as const;
  const asked = { monitor: { kind, settings, target, timeoutMs: 5_000 }, chain };
  return repeatLine(tables.checks[kind], asked, { observation, calls }) ?? 'none';
};

describe('the line that repeats a check', () => {
  const methods = [
    { method: 'a', params: ['{{head}}'] },
    { get: '/v/{{head}}', id: 'b' },
    { method: 'c', slow: '5ms' },
  ];
  const sent: readonly Sent[] = [
    { method: 'eth_getBlockByNumber', params: ['latest', false] },
    { method: 'a', params: ['0x64'] },
    { get: '/api/v/100' },
    { method: 'c', params: [] },
  ];
  const settings = { path: '/api', methods };

  it('has what was sent in place of templates, and each method when all is well', () => {
    const facts = { 'm.a': '5', 'm.b': '6', 'm.c': '7' };
    const lines = lineOf('jsonrpc', settings, sent, { outcome: 'ok', facts }).split('; ');
    expect(lines).toEqual([
      expect.stringContaining('"method":"a","params":["0x64"]'),
      expect.stringMatching(/ http:\/\/a\.example\/key\/api\/v\/100$/),
      expect.stringContaining('"method":"c","params":[]'),
    ]);
  });

  it('asks only what went wrong, or was slow, where something did', () => {
    const facts = { 'm.a': '5', 'm.b': 'target.http.status', 'm.c': '70' };
    const bad = { source: 'target', operation: 'http', code: 'status', detail: 'b: 503' } as const;
    expect(lineOf('jsonrpc', settings, sent, { facts, fault: bad })).toMatch(/^[^;]*\/api\/v\/100$/);
    const slow = { source: 'target', operation: 'rpc', code: 'slow', detail: 'c: 7 ms, limit 5 ms' } as const;
    const slowly = lineOf('jsonrpc', settings, sent, {
      outcome: 'degraded',
      facts: { ...facts, 'm.b': '6' },
      fault: slow,
    });
    expect(slowly).toMatch(/^[^;]*"method":"c"[^;]*$/);
  });

  it('asks by some height where nothing was sent', () => {
    expect(lineOf('jsonrpc', settings, [])).toContain('"params":["0x1"]');
  });

  it('asks a node for its height, but what it was that ended the check where something did', () => {
    const asked: readonly Sent[] = [{ method: 'eth_getBlockByNumber', params: ['0x0', false] }];
    const old = { source: 'target', operation: 'head', code: 'old' } as const;
    const genesis = { source: 'target', operation: 'head', code: 'genesis' } as const;
    expect(lineOf('head', {}, asked, { outcome: 'ok' })).toContain('["latest",false]');
    expect(lineOf('head', {}, asked, { fault: old })).toContain('["latest",false]');
    expect(lineOf('head', { path: '/x' }, asked, { fault: genesis })).toMatch(/\["0x0",false\].*\/key\/x$/);
    const rest = lineOf('head', { path: '/x' }, [{ get: '/x/status' }], { fault: genesis });
    expect(rest).toMatch(/http:\/\/a\.example\/key\/x\/status$/);
  });

  it('asks the name servers that were found, as servers of the zone; those that the fault names', () => {
    const found: readonly Sent[] = [
      { server: '192.0.2.1', port: 53 },
      { server: '2001:db8::1', port: 5_353 },
      { server: '192.0.2.1', port: 53 },
    ];
    expect(lineOf('dns', {}, [])).toBe('dig +trace a.example A');
    const both = lineOf('dns', {}, found, { outcome: 'ok' });
    expect(both).toBe(
      'dig @192.0.2.1 +norecurse +timeout=3 +tries=2 a.example A; dig @2001:db8::1 -p 5353 +norecurse +timeout=3 +tries=2 a.example A',
    );
    const fault = { source: 'target', operation: 'dns', code: 'count', detail: 'ns1 192.0.2.1: 0' } as const;
    expect(lineOf('dns', {}, found, { fault })).toMatch(/^dig @192\.0\.2\.1 [^;]*$/);
    expect(lineOf('dns', { servers: ['192.0.2.1'] }, found)).toContain('+recurse');
    // Several at one address, and no more than a person asks.
    const many = [1, 2, 3, 4, 5, 6].map((port): Sent => ({ server: '192.0.2.1', port }));
    const detail = '192.0.2.1:1: ECONNREFUSED; 192.0.2.1:3: ECONNREFUSED';
    const failed = lineOf('dns', {}, many, { fault: { ...fault, detail } }).split('; ');
    expect(failed).toEqual([expect.stringContaining('-p 1 '), expect.stringContaining('-p 3 ')]);
    expect(lineOf('dns', {}, many, { outcome: 'ok' }).split('; ')).toHaveLength(4);
  });

  it('is none where the settings make none', () => {
    expect(lineOf('jsonrpc', { methods: 'x' }, [])).toBe('none');
  });
});
