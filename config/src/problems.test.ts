import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPath, nearest, showValue } from './problems.ts';

describe('did you mean', () => {
  it.each([
    ['timout', 'timeout'],
    ['teimout', 'timeout'],
    ['TIMEOUT', 'timeout'],
    ['nmae', 'name'],
    ['adress', 'address'],
  ])('%s is probably %s', (word, meant) => {
    expect(nearest(word, ['every', 'name', 'timeout', 'address', 'address6'])).toBe(meant);
  });

  it.each(['zzz', '', 'refusals'])('%o is nothing known', (word) => {
    expect(nearest(word, ['every', 'timeout'])).toBeUndefined();
  });

  it('a word of the list means itself, and one edit of a long word is found', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.stringMatching(/^[a-z]{5,12}$/), { minLength: 1, maxLength: 5 }),
        (words) => {
          expect(nearest(words[0] ?? '', words)).toBe(words[0]);
          expect(nearest(`${words[0]}x`, [words[0] ?? ''])).toBe(words[0]);
        },
      ),
    );
  });
});

describe('values in messages', () => {
  it.each([
    [['site', 'url'], 'https://user:secret@h.example/a/b?k=v', '"https://[hidden]@h.example/…"'],
    [['site', 'url'], 'https://h.example:8080', '"https://h.example:8080"'],
    [['services', 0, 'nodes', 0, 'headers', 'X-Any'], 'secret', '[hidden]'],
    [['alerts', 'channels', 0, 'from'], 'secret', '[hidden]'],
    [['alerts', 'channels', 0, 'to', 1], 'ops@example,com', '"ops@example,com"'],
    [['alerts', 'channels', 0, 'to', 1], 'user:secret@example.com', '[hidden]'],
    [['alerts', 'channels', 0, 'smtp'], 'ops@example.com', '[hidden]'],
    [['alerts', 'channels', 0, 'kind'], 'slack', '"slack"'],
    [['services', 0, 'apiKey'], 'secret', '[hidden]'],
    [['a'], 'x'.repeat(100), `"${'x'.repeat(60)}…"`],
    [['a'], undefined, '(missing)'],
    [['a'], null, '(empty)'],
    [['a'], [1], '(a list)'],
    [['a'], { b: 1 }, '(a map)'],
    [['a'], 42, '42'],
    [['a'], '\u001b[2J', '"\\u001b[2J"'],
  ])('%j: %j is shown as %s', (path, value, shown) => {
    expect(showValue(path as (string | number)[], value)).toBe(shown);
  });
});

describe('paths', () => {
  it('read like the file', () => {
    expect(formatPath(['services', 0, 'nodes', 1, 'url'])).toBe('services[0].nodes[1].url');
    expect(formatPath(['headers', 'X-Token'])).toBe('headers.X-Token');
    expect(formatPath(['a b', 'c'])).toBe('["a b"].c');
    expect(formatPath([])).toBe('(file)');
  });
});
