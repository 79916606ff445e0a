import { describe, expect, it } from 'vitest';
import { byGenesis } from './kin.ts';

const grouped = (text: string) =>
  Object.fromEntries(
    [...byGenesis(text.split(' '), (item) => item.split(':')[1])].map(([genesis, own]) => [
      genesis,
      own.join(' '),
    ]),
  );

describe('nodes by their genesis', () => {
  it.each([
    ['a:x b:x c:y', { x: 'a:x b:x', y: 'c:y' }],
    ['a:x b:x c:y d', { x: 'a:x b:x d', y: 'c:y' }],
    ['d a:y b:x', { x: 'b:x d', y: 'a:y' }],
    ['a b', { '': 'a b' }],
  ])('%s', (items, expected) => {
    expect(grouped(items)).toEqual(expected);
  });
});
