import { describe, expect, it } from 'vitest';
import type { Observation } from '@highwater/config/domain.ts';
import { observationText } from './observation-text.ts';

const now = 1_700_000_000_000;
const good: Observation = {
  monitor: 's/n/head',
  dueAt: now,
  outcome: 'ok',
  latencyTenths: 123,
  phases: { resolve: 1, connect: 2, tls: 0, firstByte: 30, transfer: 4 },
  facts: {},
  lateMs: 0,
  recheck: false,
};
const chain = { name: 'polkadot', family: 'substrate' };
const text = (
  change: Partial<Observation>,
  kind = 'head',
  url = 'http://rpc.example.com/key',
  settings = {},
) =>
  observationText(
    { ...good, ...change },
    { monitor: { kind, settings, target: { url, headers: {}, allowPrivate: false } }, chain },
    now,
  ).split('\n');

describe('what a check tells', () => {
  it('is what is wrong first, then where the time went, then what came back', () => {
    const fault = {
      source: 'target',
      operation: 'rpc',
      code: 'error',
      detail: 'getSlot: -1: \u001b[31mno',
    } as const;
    const lines = text({ outcome: 'fail', fault, facts: { h: '5' } });
    expect(lines[0]).toBe('head of http://rpc.example.com: not up in 12.3 ms');
    expect(lines[1]).toBe('  fault   target.rpc.error: getSlot: -1: \ufffd[31mno');
    expect(lines[3]).toMatch(/^ {10}Look at: /);
    expect(lines.at(-3)).toBe('  time    resolve 0.1 ms, connect 0.2 ms, first byte 3 ms, transfer 0.4 ms');
    expect(lines.at(-2)).toBe('  h       5  (height)');
  });

  it('asks whether the family is right where a head has no such method', () => {
    const fault = { source: 'target', operation: 'rpc', code: 'method' } as const;
    const asks = 'Is this a node of another family? The chain polkadot is of substrate.';
    expect(text({ outcome: 'fail', fault }).join('\n')).toContain(asks);
    expect(text({ outcome: 'fail', fault }, 'jsonrpc').join('\n')).not.toContain(asks);
  });

  it.each([
    ['head', 'wss://a.example', {}, 'TLS 0 ms, upgrade 3 ms, answers 0.4 ms'],
    ['head', 'https://a.example', { transport: 'websocket' }, 'TLS 0 ms, upgrade 3 ms, answers 0.4 ms'],
    ['head', 'wss://a.example', { transport: 'http' }, 'TLS 0 ms, first byte 3 ms, transfer 0.4 ms'],
    ['websocket', 'http://a.example', {}, 'connect 0.2 ms, upgrade 3 ms, answers 0.4 ms'],
    ['jsonrpc', 'https://a.example', {}, 'TLS 0 ms, first byte 3 ms, transfer 0.4 ms'],
  ])('%s of %s with %j has its own words for the time', (kind, url, settings, words) => {
    expect(text({}, kind, url, settings)[1]).toContain(words);
  });

  it.each([
    [now - 6_000, '6 s ago'],
    [now - 600_000, '10 min ago'],
    [now + 30_000, '30 s ahead of this clock'],
  ])('says how old a block is: %i', (bt, words) => {
    expect(text({ facts: { bt: String(bt) } })[2]).toMatch(new RegExp(`block time, ${words}$`));
  });

  it('names the methods that were not asked, in one column with the others', () => {
    const methods = [{ method: 'chain_getBlockHash', params: ['{{head}}'] }, { method: 'a' }];
    const lines = text({ facts: { 'm.a': '12' } }, 'jsonrpc', 'http://a.example', { methods });
    expect(lines.slice(2, -1)).toEqual(['  m.a                  1.2 ms', '  m.chain_getBlockHash not asked']);
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
});
