import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { typedHeaders } from './typed-headers.ts';

const dir = mkdtempSync(join(tmpdir(), 'highwater-headers-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = join(dir, 'token');
writeFileSync(file, 'of-the-file\n');

const env = { TOKEN: 'Bearer CANARY-12345', EMPTY: '', LINES: 'CANARY\nX-More: 1', SHORT: 'no' };

describe('a header that is typed', () => {
  it('is a text, or names where its secret is', () => {
    const typed = typedHeaders(
      ['X-Plain: a: b', 'Authorization:env:TOKEN', ` X-API-Key :  file:${file} `],
      env,
    );
    expect(typed.headers).toEqual({
      'X-Plain': 'a: b',
      Authorization: 'env:TOKEN',
      'X-API-Key': `file:${file}`,
    });
    expect(typed.secrets.fetch('env:TOKEN').reveal()).toBe('Bearer CANARY-12345');
    expect(typed.secrets.fetch(`file:${file}`).reveal()).toBe('of-the-file');
    expect(JSON.stringify(typed)).not.toContain('CANARY');
  });

  it('gives no secret that was not typed', () => {
    expect(() => typedHeaders(['X-A: env:TOKEN'], env).secrets.fetch('env:SHORT')).toThrow('not typed');
  });

  it.each([
    ['CANARY-12345', 'write NAME: VALUE'],
    ['', 'write NAME: VALUE'],
    [': CANARY', 'write NAME: VALUE'],
    ['Bad Name: CANARY', 'write NAME: VALUE'],
    ['X-Empty:', 'X-Empty: empty'],
    ['X-Lines: a\r\nX-More: CANARY', 'X-Lines: empty or not plain ASCII'],
    ['Authorization: Bearer CANARY', 'Authorization: a secret would be seen'],
    ['X-Algo-API-Token: CANARY', 'write X-Algo-API-Token: env:VARIABLE'],
    ['X-Api-Key: env:', 'a secret would be seen'],
    ['X-A: env:NOWHERE', 'the environment variable NOWHERE is not set'],
    ['X-A: env:EMPTY', 'the environment variable EMPTY is not set'],
    ['X-A: env:LINES', 'what stands at env:LINES has a character that a header may not carry'],
    [`X-A: file:${dir}/nowhere`, 'cannot be read (ENOENT)'],
  ])('%j is refused by the name of the flag, without its value', (text, message) => {
    let said = '';
    try {
      typedHeaders([text], env);
    } catch (thrown) {
      said = (thrown as Error).message;
    }
    expect(said).toContain('highwater check: --header: ');
    expect(said).toContain(message);
    expect(said).not.toContain('CANARY');
  });
});
