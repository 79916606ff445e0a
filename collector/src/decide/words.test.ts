import { expect, it } from 'vitest';
import { byFrequency, formatCount, listed, plural } from './words.ts';

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [1_234_567, '1,234,567'],
])('%i is written %s', (count, text) => expect(formatCount(count)).toBe(text));

it('counts things', () => {
  expect([plural(1, 'block'), plural(0, 'block'), plural(2_000, 'block')]).toEqual([
    '1 block',
    '0 blocks',
    '2,000 blocks',
  ]);
});

it('lists words', () => {
  expect([listed([]), listed(['a']), listed(['a', 'b']), listed(['a', 'b', 'c'])]).toEqual([
    '',
    'a',
    'a and b',
    'a, b and c',
  ]);
});

it('puts the most frequent first, equals by alphabet', () => {
  expect(byFrequency(['b', 'c', 'a', 'c'])).toEqual(['c', 'a', 'b']);
});
