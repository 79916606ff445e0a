import { describe, expect, it } from 'vitest';
import { expressions } from './expression.ts';

/** Matches, after it has tried every way to cut up the letters before: twice the time for every one or two more. */
const slow = '^(a|aa)+$|b';
const letters = (count: number) => `${'a'.repeat(count)}b`;

describe('the budget of expressions', () => {
  it('is used up by slow ones that match, as by those that do not', () => {
    const tries = expressions();
    expect(tries.isMatch('^a', 'ab')).toBe(true);
    const each = Array.from({ length: 20 }, (_, index) => tries.isMatch(slow, letters(24 + index)));
    expect(each.at(0)).toBe(true);
    const known = each.indexOf(undefined);
    expect(known).toBeGreaterThan(0);
    expect(new Set(each.slice(known))).toEqual(new Set([undefined]));
    expect(tries.isMatch('^a', 'ab')).toBeUndefined();
  });

  it('is new for each check', () => {
    const used = expressions();
    expect(used.isMatch(slow, letters(60))).toBeUndefined();
    expect(expressions().isMatch('^a', 'ab')).toBe(true);
  });

  it('is told as not known, not as no match', () => {
    const tries = expressions();
    expect(tries.isMatch('^b', 'ab')).toBe(false);
    expect(tries.isMatch(slow, letters(60))).toBeUndefined();
    expect(tries.isMatch('^b', 'ab')).toBeUndefined();
  });
});
