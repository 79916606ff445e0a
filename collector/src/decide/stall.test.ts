import { describe, expect, it } from 'vitest';
import { type LiveHead, standsStill } from './stall.ts';

const states: Readonly<Record<string, LiveHead['judgement']>> = {
  o: { status: 'down', cause: 'head-age' },
  d: { status: 'down' },
  u: { status: 'up' },
  g: { status: 'degraded' },
  '?': { status: 'unknown' },
};

/** A letter a head; each has an operator of its own unless some are named. */
function heads(letters: string, operators = 'ABCDEFGH'): LiveHead[] {
  return [...letters].map((letter, i) => ({
    operator: operators[i] ?? '',
    judgement: states[letter] ?? { status: 'unknown' },
  }));
}

describe('a chain', () => {
  it.each([
    ['ooo', true],
    ['oo', false],
    ['oou', false],
    ['ooou', true],
    ['ooouu', true],
    ['ooouuu', false],
    ['ooo???', true],
    ['ooog', true],
    ['ooodd', true],
    ['oooddd', false],
    ['ddd', false],
    ['???', false],
    ['', false],
  ])('with heads %s is said to stand still: %s', (letters, expected) => {
    expect(standsStill(heads(letters), false)).toBe(expected);
  });

  it('needs two operators', () => {
    expect(standsStill(heads('ooo', 'AAA'), false)).toBe(false);
    expect(standsStill(heads('ooo', 'AAB'), false)).toBe(true);
  });

  it.each([
    ['ood', true],
    ['odd', true],
    ['ddd', true],
    ['???', true],
    ['oou', true],
    ['ou', false],
    ['ooug', false],
    ['u??', false],
    ['ddu', false],
  ])('that stands still goes on doing so with %s: %s', (letters, expected) => {
    expect(standsStill(heads(letters), true)).toBe(expected);
  });
});
