import type { IncomingMessage } from 'node:http';
import { Secret } from '@highwater/config/secrets.ts';
import { describe, expect, it } from 'vitest';
import { type Access, admit } from './access.ts';

const token = new Secret('0123456789abcdef');
const good = 'Bearer 0123456789abcdef';
const call = (
  authorization: string | undefined,
  host: string,
  more: Readonly<Record<string, string>> = {},
): IncomingMessage =>
  ({
    headers: { host, ...more, ...(authorization === undefined ? {} : { authorization }) },
  }) as unknown as IncomingMessage;

/** Bound to, access, Authorization, Host, status (0 passes). */
const rows: [string, Access, string | undefined, string, number][] = [
  ['127.0.0.1', 'read', undefined, '127.0.0.1:4000', 0],
  ['127.0.0.1', 'read', undefined, 'localhost:4000', 0],
  ['::1', 'read', undefined, '[::1]:4000', 0],
  ['127.0.0.1', 'read', undefined, 'attacker.example', 421],
  ['127.0.0.1', 'read', good, 'status.example', 0],
  ['127.0.0.1', 'read', 'Bearer wrong', '127.0.0.1', 401],
  ['127.0.0.1', 'write', undefined, '127.0.0.1', 401],
  ['127.0.0.1', 'write', good, '127.0.0.1', 0],
  ['127.0.0.1', 'write', 'Bearer 0123456789abcdeF', '127.0.0.1', 401],
  ['0.0.0.0', 'read', undefined, '127.0.0.1', 401],
  ['0.0.0.0', 'read', good, 'collector.example', 0],
  ['0.0.0.0', 'open', undefined, 'collector.example', 0],
];

describe('who may call', () => {
  it.each(rows)('bound to %s, a %s call with %s as %s gets %i', (bound, access, given, host, status) => {
    const admitted = (): void => admit(call(given, host), access, bound, token);
    if (status === 0) expect(admitted).not.toThrow();
    else expect(admitted).toThrow(expect.objectContaining({ status }));
  });

  const proxied: [string, string][] = [
    ['forwarded', 'for=203.0.113.9;proto=https'],
    ['x-forwarded-for', '203.0.113.9'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-host', 'collector.example'],
    ['x-real-ip', '203.0.113.9'],
    ['via', '1.1 proxy'],
  ];
  it.each(proxied)('a proxy with %s must bring a token for reads, none for signed calls', (name, value) => {
    const by = (access: Access, given?: string) => (): void =>
      admit(call(given, '127.0.0.1', { [name]: value }), access, '127.0.0.1', token);
    expect(by('read')).toThrow(
      expect.objectContaining({ status: 401, message: 'this call came through a proxy, and needs a token' }),
    );
    expect(by('read', good)).not.toThrow();
    expect(by('write')).toThrow(expect.objectContaining({ status: 401 }));
    expect(by('open')).not.toThrow();
  });
});
