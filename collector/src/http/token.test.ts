import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@highwater/config/secrets.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadOrMakeToken } from './token.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'highwater-token-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the token', () => {
  it('is made once on loopback, 256 bits, for this user only', () => {
    const path = join(folder, 'token');
    const made = loadOrMakeToken(path, '127.0.0.1').reveal();
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(loadOrMakeToken(path, '0.0.0.0').reveal()).toBe(made);
  });

  it('is not made up when bound wider: it refuses to start', () => {
    expect(() => loadOrMakeToken(join(folder, 'token'), '0.0.0.0')).toThrow(
      /needs a token: set HIGHWATER_TOKEN/,
    );
  });

  it('is the one given, whatever the file says', () => {
    const path = join(folder, 'token');
    writeFileSync(path, 'f'.repeat(64));
    expect(loadOrMakeToken(path, '0.0.0.0', new Secret('given')).reveal()).toBe('given');
  });

  it('is refused when it is too short to be one', () => {
    writeFileSync(join(folder, 'token'), 'short\n');
    expect(() => loadOrMakeToken(join(folder, 'token'), '127.0.0.1')).toThrow(/holds no token of 16/);
  });
});
