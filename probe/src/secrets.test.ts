import { mkdtempSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openTarget, secretShelf } from './secrets.ts';

const canary = 'canary-5f1d';
let dir: string;
const env = {
  HIGHWATER_SECRET_US: canary,
  HIGHWATER_SECRET_US_HOST: 'rpc.example.com, Other.example.com',
  HIGHWATER_SECRET_LOOSE: canary,
  HIGHWATER_SECRET_X_HOST: canary,
  AWS_SECRET: canary,
  HIGHWATER_TOKEN: canary,
};

beforeAll(() => {
  const data = mkdtempSync(join(tmpdir(), 'highwater-secrets-'));
  dir = join(data, 'secrets');
  mkdirSync(dir);
  writeFileSync(join(data, 'outside'), canary);
  writeFileSync(join(data, 'outside.host'), 'rpc.example.com');
  writeFileSync(join(dir, 'us'), `${canary}\n`);
  writeFileSync(join(dir, 'us.host'), 'rpc.example.com\nother.example.com\n');
  writeFileSync(join(dir, 'loose'), canary);
  symlinkSync('../outside', join(dir, 'link'));
});

const fetched = (ref: string, host = 'rpc.example.com') => {
  try {
    return secretShelf(dir, env).fetch(ref, host).reveal();
  } catch (thrown) {
    return (thrown as Error).message;
  }
};

describe('a secret', () => {
  it.each([
    ['env:HIGHWATER_SECRET_US', 'rpc.example.com'],
    ['env:HIGHWATER_SECRET_US', 'RPC.example.com'],
    ['env:HIGHWATER_SECRET_US', 'other.example.com'],
    ['file:us', 'rpc.example.com'],
    ['file:secrets/us', 'other.example.com'],
    ['file:./data/secrets/us', 'other.example.com'],
  ])('%s goes to %s', (ref, host) => {
    expect(fetched(ref, host)).toBe(canary);
  });

  it.each([
    ['env:HIGHWATER_SECRET_US', 'evil.example', /not bound to evil\.example; set HIGHWATER_SECRET_US_HOST/],
    ['env:HIGHWATER_SECRET_US', 'sub.rpc.example.com', /not bound/],
    ['env:HIGHWATER_SECRET_LOOSE', 'rpc.example.com', /not bound/],
    ['env:HIGHWATER_SECRET_GONE', 'rpc.example.com', /not set on this probe/],
    ['env:HIGHWATER_SECRET_X_HOST', 'rpc.example.com', /gives out only/],
    ['env:AWS_SECRET', 'rpc.example.com', /gives out only/],
    ['env:HIGHWATER_TOKEN', 'rpc.example.com', /gives out only/],
    ['file:us', 'evil.example', /not bound to evil\.example; write the host/],
    ['file:loose', 'rpc.example.com', /not bound/],
    ['file:us.host', 'rpc.example.com', /no readable file/],
    ['file:../outside', 'rpc.example.com', /no readable file/],
    ['file:link', 'rpc.example.com', /no readable file/],
    ['file:/etc/hostname', 'rpc.example.com', /no readable file/],
    ['file:gone', 'rpc.example.com', /no readable file/],
  ])('%s for %s is refused', (ref, host, message) => {
    expect(fetched(ref, host)).toMatch(message);
    expect(fetched(ref, host)).not.toContain(canary);
  });

  it('stands in a target without being printed', () => {
    const target = {
      url: 'https://rpc.example.com/x',
      allowPrivate: false,
      headers: { 'X-Token': 'env:HIGHWATER_SECRET_US', 'X-Plain': 'text' },
    };
    const open = openTarget(target, secretShelf(dir, env));
    expect(JSON.stringify(open)).not.toContain(canary);
    expect(open.headers['X-Plain']).toBe('text');
  });
});
