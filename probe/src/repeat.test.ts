import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '@highwater/config/model.ts';
import { curlWords, headerWord, quoted, redirectWords, urlWords } from './repeat.ts';

/** What a shell makes of words. */
const shell = (words: string, env: Record<string, string> = {}) =>
  execFileSync('bash', ['--norc', '-c', `printf '%s\\0' ${words}`], { env, encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

const asked = (more: Partial<Target>) => ({
  target: { url: 'https://rpc.example.com', headers: {}, allowPrivate: false, ...more },
  timeoutMs: 10_000,
});
const curl = (url: string, more: Partial<Target>) => curlWords(new URL(url), asked(more)).join(' ');

describe('a word of a shell line', () => {
  /** Any, and those that are likely to end a quote. */
  const texts = [
    ...['', 'a b', "it's", '$HOME `id` $(id) \\', 'a\nb\r\tc', '!x', '*', '~', 'ü\u0001\u007f', "'\n'\\"],
    ...fc.sample(
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
      60,
    ),
    ...fc.sample(fc.string({ unit: fc.constantFrom("'", '"', '\\', '$', '\n', '!', 'a', '`') }), 60),
  ].filter((text) => text.isWellFormed());

  it('is one word, the same text, on one line, whatever it holds', () => {
    const words = texts.map(quoted);
    expect(words.every((word) => !/[\n\r]/.test(word))).toBe(true);
    expect(shell(words.join(' '), { LC_ALL: 'C.UTF-8' })).toEqual(texts);
  });

  it('is one word, of which nothing is run, in a shell without such quotes too', () => {
    const words = [...texts, "a\n'; echo INJECTED; #", "\n\\'; echo INJECTED; '"].map(quoted);
    const lines = words.map((word) => `set -- ${word}; echo $#`).join('\n');
    const out = execFileSync('dash', ['-c', lines], { env: {}, encoding: 'utf8' });
    expect(out).toBe('1\n'.repeat(words.length));
  });

  it('of a header leaves a secret to the shell', () => {
    const env = { HIGHWATER_SECRET_A: 'x "y" $z' };
    const word = headerWord('X-$To`ken', 'env:HIGHWATER_SECRET_A');
    expect(word).toBe('\'X-$To`ken: \'"$HIGHWATER_SECRET_A"');
    expect(shell(word, env)).toEqual(['X-$To`ken: x "y" $z']);
    expect(headerWord('X-Token', 'file:secrets/us')).toBe('\'X-Token: \'"$(cat secrets/us)"');
    expect(headerWord('Accept', 'text/plain')).toBe("'Accept: text/plain'");
  });
});

describe('a curl line', () => {
  it.each<[string, string, Partial<Target>, string]>([
    ['the name alone', 'https://a.example/', {}, ''],
    ['an address', 'https://a.example/', { address: '192.0.2.1' }, ' --resolve a.example:443:192.0.2.1'],
    [
      'both, and a port',
      'http://a.example:81/',
      { address: '192.0.2.1', address6: '2001:db8::1' },
      " --resolve 'a.example:81:192.0.2.1,[2001:db8::1]'",
    ],
    [
      'one family of both',
      'http://a.example/',
      { address: '192.0.2.1', address6: '2001:db8::1', family: 6 },
      " --resolve 'a.example:80:[2001:db8::1]'",
    ],
    ['a family', 'http://a.example/', { family: 4 }, ''],
    [
      'an address in the URL',
      'https://192.0.2.9/',
      { address: '192.0.2.1' },
      ' --connect-to 192.0.2.9:443:192.0.2.1:443',
    ],
  ])('leads to %s', (_, url, target, words) => {
    const family = target.family === undefined ? '' : ` -${target.family}`;
    expect(curl(url, target)).toBe(`curl -sS -A Highwater/0.1${family} --max-time 10${words}`);
  });

  it('follows as the check does, and takes a URL as it is', () => {
    const own = { headers: { 'X-Tenant': 'a' } };
    expect(redirectWords(new URL('https://a.example'), 0, own)).toEqual([]);
    expect(redirectWords(new URL('http://a.example'), 2, own)).toEqual(['-L', '--max-redirs 2']);
    expect(redirectWords(new URL('https://a.example'), 1, own)).toContain('--proto-redir =https');
    expect(redirectWords(new URL('https://a.example'), 1, { headers: { A: 'file:us' } })).toEqual([]);
    expect(urlWords(new URL('http://a.example/x?a=[1-3]&b'))).toEqual([
      '--globoff',
      "'http://a.example/x?a=[1-3]&b'",
    ]);
  });
});
