import { describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { type Answer, observationText, type Paper } from './observation-text.ts';

const now = 1_700_000_000_000;
const good: Observation = {
  monitor: 's/n/head',
  dueAt: now,
  outcome: 'ok',
  latencyTenths: 37,
  phases: { resolve: 1, connect: 2, tls: 0, firstByte: 30, transfer: 4 },
  facts: {},
  lateMs: 0,
  recheck: false,
};
const chain = { name: 'polkadot', family: 'substrate' };
const said: Answer = {
  observation: good,
  address: undefined,
  calls: [],
  assertions: [],
  repeat: undefined,
  at: now,
};
const piped: Paper = { columns: 80, wraps: false };
const answered = (
  answer: Partial<Answer>,
  kind = 'head',
  url = 'http://rpc.example.com/key',
  settings = {},
  paper = piped,
) => {
  const target = { url, headers: {}, allowPrivate: false };
  const asked = { monitor: { kind, settings, target, timeoutMs: 10_000 }, chain };
  return observationText({ ...said, ...answer }, asked, paper).split('\n');
};
const text = (change: Partial<Observation>, ...more: [kind?: string, url?: string, settings?: object]) =>
  answered({ observation: { ...good, ...change } }, ...more);

describe('what a check tells', () => {
  it('is what is wrong first, then where the time went, then what came back', () => {
    const fault = {
      source: 'target',
      operation: 'rpc',
      code: 'error',
      detail: 'getSlot: -1: \u001b[31mno',
    } as const;
    const lines = text({ outcome: 'fail', fault, facts: { h: '5' } });
    expect(lines[0]).toBe('head of http://rpc.example.com: not up in 3.7 ms');
    expect(lines[2]).toBe('  fault   target.rpc.error: getSlot: -1: \ufffd[31mno');
    expect(lines[4]).toBe('          Usual causes:');
    expect(lines[5]).toMatch(/^ {10}- [a-z]/);
    const at = lines.findIndex((line) => line.startsWith('          Look at: '));
    expect(lines.slice(at + 2, at + 9)).toEqual([
      '',
      expect.stringMatching(/^ {2}resolve {5}0\.1 ms {2}█/),
      expect.stringMatching(/^ {2}connect {5}0\.2 ms {3,}█/),
      expect.stringMatching(/^ {2}first byte {2}3\.0 ms {3,}█/),
      expect.stringMatching(/^ {2}transfer {4}0\.4 ms {3,}█/),
      '  total       3.7 ms  deadline 10s',
      '',
    ]);
    expect(lines.at(-2)).toBe('  h       5  (height)');
  });

  it('asks whether the family is right where a head has no such method', () => {
    const fault = { source: 'target', operation: 'rpc', code: 'method' } as const;
    const asks = 'Is this a node of another family? The chain polkadot is of substrate.';
    expect(text({ outcome: 'fail', fault }).join('\n')).toContain(asks);
    expect(text({ outcome: 'fail', fault }, 'jsonrpc').join('\n')).not.toContain(asks);
  });

  it.each([
    ['head', 'wss://a.example', {}, ['TLS', 'upgrade', 'answers']],
    ['head', 'https://a.example', { transport: 'websocket' }, ['TLS', 'upgrade', 'answers']],
    ['head', 'wss://a.example', { transport: 'http' }, ['TLS', 'first byte', 'transfer']],
    ['websocket', 'http://a.example', {}, ['upgrade', 'answers']],
    ['jsonrpc', 'https://a.example', {}, ['TLS', 'first byte', 'transfer']],
  ])('%s of %s with %j has its own words for the time: %j', (kind, url, settings, words) => {
    const phases = { resolve: 1, connect: 2, tls: url.includes('s://') ? 5 : 0, firstByte: 30, transfer: 4 };
    const shown = text({ phases }, kind, url, settings).slice(4, 4 + words.length);
    expect(shown.map((line) => line.trim().split('  ')[0])).toEqual(words);
  });

  it.each([
    [now - 6_000, '6 s ago'],
    [now - 600_000, '10 min ago'],
    [now + 30_000, '30 s ahead of this clock'],
  ])('says how old a block is: %i', (bt, words) => {
    expect(text({ facts: { bt: String(bt) } }).at(-2)).toMatch(new RegExp(`block time, ${words}$`));
  });

  it('names the methods that were not asked, in one column with the others', () => {
    const methods = [{ method: 'chain_getBlockHash', params: ['{{head}}'] }, { method: 'a' }];
    const lines = text({ facts: { 'm.a': '12' } }, 'jsonrpc', 'http://a.example', { methods });
    expect(lines.slice(8, -1)).toEqual(['  m.a                  1.2 ms', '  m.chain_getBlockHash not asked']);
  });

  it('says that no block was pushed where a subscription was acknowledged', () => {
    const lines = text({ facts: { ack: '22' } }, 'websocket', 'ws://a.example');
    expect(lines.at(-2)).toMatch(/^ {2}first {3}no block was pushed while this check waited/);
    expect(text({ facts: { ack: '22', first: '30' } }, 'websocket').join('\n')).not.toContain('no block');
  });

  it.each([
    ['nothing', {}, {}, 'ok' as const, true],
    ['the end of a certificate', { ce: '1' }, {}, 'degraded' as const, true],
    ['a subscription', { ack: '22' }, {}, 'ok' as const, false],
    ['a head that was asked for', { h: '5' }, {}, 'ok' as const, false],
    ['a script', {}, { script: [{ send: 'ping' }] }, 'ok' as const, false],
    ['a fault', {}, {}, 'fail' as const, false],
  ])(
    'says that the handshake alone was looked at, after %s: %j %j %s %s',
    (_, facts, settings, outcome, is) => {
      const lines = text({ facts, outcome }, 'websocket', 'ws://a.example', settings).join('\n');
      expect(lines.includes('the handshake alone')).toBe(is);
      expect(text({ facts, outcome }, 'http').join('\n')).not.toContain('the handshake alone');
    },
  );

  it('shows each of several calls by its time, by the id of its method, and with what went wrong', () => {
    const methods = [{ method: 'a', id: 'first-a' }, { method: 'b' }];
    const calls = [
      { what: 'eth_blockNumber', fromTenths: 0, tenths: 20 },
      { what: 'a', fromTenths: 20, tenths: 70 },
      { what: 'b', fromTenths: 90, tenths: 10 },
    ];
    const facts = { 'm.first-a': '70', 'm.b': 'target.rpc.error' };
    const observation = { ...good, facts };
    const lines = answered({ observation, calls }, 'jsonrpc', 'http://a.example', { methods });
    expect(lines.slice(lines.indexOf('  calls'), -1)).toEqual([
      '  calls',
      expect.stringMatching(/^ {2}eth_blockNumber {2}2\.0 ms {2}█+$/),
      expect.stringMatching(/^ {2}first-a {10}7\.0 ms {12,}█+$/),
      '  b                1.0 ms  ✗ target.rpc.error',
    ]);
    const one = answered({ observation, calls: calls.slice(1, 2) }, 'jsonrpc', 'http://a.example', {
      methods,
    });
    expect(one).not.toContain('  calls');
    expect(one.join('\n')).toContain('m.first-a');
  });

  it('says what was asked for and whether that held, by words and not by a mark alone', () => {
    const assertions = [
      { what: 'it answers', held: true },
      { what: 'it is at most 1m old', held: false, found: '70 s\u001b[2J old' },
    ];
    const lines = answered({ assertions });
    expect(lines.slice(-4, -1)).toEqual([
      '  expected',
      '  ✓ ok     it answers',
      '  ✗ not so it is at most 1m old: 70 s\ufffd[2J old',
    ]);
  });

  it('says where it was, with TLS and how long the certificate lasts', () => {
    const facts = { tv: '1.3', ce: String(now + 3.5 * 86_400_000) };
    const lines = answered({ observation: { ...good, facts }, address: '192.0.2.1' });
    expect(lines[8]).toBe('  at      192.0.2.1, rpc.example.com, TLS 1.3, certificate for 3 days more');
    expect(answered({ address: '192.0.2.1' }, 'http', 'http://192.0.2.1:8080/')[8]).toBe(
      '  at      192.0.2.1',
    );
  });

  it('of a refusal that is skipped neither says that it counts nor advises what is set', () => {
    const fault = { source: 'target', operation: 'http', code: 'refused', detail: '429' } as const;
    const lines = text({ outcome: 'skipped', fault, facts: { sc: '429' } }, 'http');
    expect(lines[0]).toBe(
      'http of http://rpc.example.com: skipped in 3.7 ms: it refuses us (429); by refusals: skip that counts neither way',
    );
    const told = lines.slice(1).join('\n');
    expect(told).toContain("Look at: Allow the probe's address, or ask less often.");
    expect(told).not.toMatch(/counts against|where the server is not yours/);
    expect(told).toContain('first byte');
    expect(text({ outcome: 'fail', fault }, 'http').join('\n')).toMatch(
      /counts against[^]*first byte|where the server is not yours/,
    );
  });

  it('names the path that was asked, and never a query or the path of a configured URL', () => {
    const [configured] = answered({}, 'http', 'http://a.example/key', { path: '/health?key=1' });
    expect(configured).toBe('http of http://a.example/health: up in 3.7 ms');
  });

  it('puts the lines of a cause below its text, and no method is wider than the terminal', () => {
    const fault = { source: 'target', operation: 'http', code: 'refused' } as const;
    const calls = ['a', 'b'].map((what) => ({
      what: what.repeat(40),
      fromTenths: 0,
      tenths: 9,
      fault: 'target.rpc.timeout',
    }));
    const observation: Observation = { ...good, outcome: 'fail', fault };
    const lines = answered(
      { observation, calls },
      'head',
      'http://a.example',
      {},
      { columns: 40, wraps: true },
    );
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
    expect(lines.some((line) => /^ {12}\S/.test(line))).toBe(true);
    expect(lines.join('\n')).toContain('✗ target.rpc.timeout');
  });

  it('gives the shell line as one line, however narrow the terminal', () => {
    const repeat = `curl ${'x'.repeat(200)}`;
    const lines = answered({ repeat }, 'head', 'http://a.example', {}, { columns: 40, wraps: true });
    expect(lines.slice(-3)).toEqual(['  repeat it with', `  ${repeat}`, '']);
  });

  it('says that redirects are to be followed by hand where the line has a secret', () => {
    const after = (redirects: number, headers: Record<string, string>) => {
      const target = { url: 'http://a.example', headers, allowPrivate: false };
      const monitor = { kind: 'http', settings: { redirects }, target, timeoutMs: 10_000 };
      const lines = observationText({ ...said, repeat: 'curl' }, { monitor, chain }, piped).split('\n');
      return lines.slice(lines.indexOf('  curl') + 1);
    };
    const secret = { 'X-Token': 'env:HIGHWATER_SECRET_US' };
    expect(after(2, secret)).toEqual([
      expect.stringMatching(/^ {2}Redirects are to be followed by hand/),
      '',
    ]);
    for (const lines of [after(0, secret), after(2, {}), after(2, { 'X-Tenant': 'a' })])
      expect(lines).toEqual(['']);
  });

  it.each([40, 80, 120])('in a terminal of %i columns no line but that is wider', (columns) => {
    const fault = { source: 'target', operation: 'http', code: 'status', detail: '503: down' } as const;
    const observation: Observation = {
      ...good,
      outcome: 'fail',
      fault,
      facts: { bt: String(now), sc: '503' },
    };
    const calls = ['a', 'b'].map((what) => ({ what: `GET /${what.repeat(90)}`, fromTenths: 0, tenths: 9 }));
    const assertions = [{ what: 'the status is one of those that are good', held: false, found: '503' }];
    const answer = { observation, calls, assertions, address: '192.0.2.1' };
    const lines = answered(answer, 'http', 'http://a.example', {}, { columns, wraps: true });
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
    const words = (shown: readonly string[]) => shown.join(' ').split(/\s+/).sort();
    const unbroken = answered(answer, 'http', 'http://a.example', {}, { columns, wraps: false });
    expect(words(lines)).toEqual(words(unbroken));
  });
});
