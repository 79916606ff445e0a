import { describe, expect, it } from 'vitest';
import { expressions } from './expression.ts';
import { readJson } from './json.ts';
import { foundText, jsonExpectation, wishes } from './json-expect.ts';

/** `ok`, or what is not as it should be. `came` is JSON as it comes, '' for nothing. */
function verdict(came: string, written: unknown): string {
  const expectation = jsonExpectation.parse(written);
  const read = came === '' ? { value: undefined } : readJson(came);
  if ('because' in read) throw new Error(read.because);
  const tries = expressions();
  const bad = [...wishes(read.value, expectation, tries)].find(({ held }) => held !== true);
  return bad ? `${foundText(read.value, expectation)}, not ${bad.text}` : 'ok';
}

const bigger = '18446744073709551616';
const biggest = '18446744073709551615';

describe('a value in JSON', () => {
  it.each<[string, unknown, string]>([
    // What is no comparison is what it must equal.
    ['true', true, 'ok'],
    ['null', null, 'ok'],
    ['""', '', 'ok'],
    ['[1,2]', [1, 2], 'ok'],
    ['{"a":1}', { a: 1 }, 'ok'],
    ['{}', {}, 'ok'],
    ['{"min":1}', { equals: { min: 1 } }, 'ok'],
    ['1', '1', '1, not "1"'],
    ['', 1, 'missing, not 1'],
    ['', null, 'missing, not null'],
    // Exact beyond 2^53, in which JavaScript's own numbers are not.
    [biggest, { equals: biggest }, 'ok'],
    [bigger, { equals: biggest }, `${bigger}, not "${biggest}"`],
    [biggest, { max: biggest }, 'ok'],
    [bigger, { max: biggest }, `${bigger}, not at most ${biggest}`],
    ['9007199254740993', { min: '9007199254740993', max: '9007199254740993' }, 'ok'],
    ['9007199254740992', { min: '9007199254740993' }, '9007199254740992, not at least 9007199254740993'],
    [`"${bigger}"`, { max: biggest }, `"${bigger}", not at most ${biggest}`],
    [`-${biggest}`, { min: `-${biggest}` }, 'ok'],
    [`-${bigger}`, { min: `-${biggest}` }, `-${bigger}, not at least -${biggest}`],
    // Numbers, and text that is a whole one.
    ['1.5', { min: 1, max: 1.5 }, 'ok'],
    ['1.5', { max: 1.49 }, '1.5, not at most 1.49'],
    ['0', { min: 0, max: 0 }, 'ok'],
    ['"12"', { min: 12, max: 12 }, 'ok'],
    ['"0x1F"', { min: 31, max: 31 }, 'ok'],
    ['"1e3"', { min: 0 }, '"1e3", not at least 0'],
    ['""', { min: 0 }, '"", not at least 0'],
    ['" 1"', { min: 0 }, '"1", not at least 0'],
    ['true', { min: 0 }, 'true, not at least 0'],
    ['null', { max: 1 }, 'null, not at most 1'],
    ['[]', { min: 0 }, '[], not at least 0'],
    ['', { min: 0 }, 'missing, not at least 0'],
    ['7', { min: 8, max: 9 }, '7, not at least 8'],
    // Text and lists.
    ['"green"', { matches: '^(green|yellow)$' }, 'ok'],
    ['"red"', { matches: '^(green|yellow)$' }, '"red", not a match of ^(green|yellow)$'],
    ['12', { matches: '12' }, '12, not a match of 12'],
    ['"a full node"', { contains: 'full' }, 'ok'],
    ['["eth","net"]', { contains: 'net' }, 'ok'],
    ['["eth","net"]', { contains: 'ne' }, '["eth","net"], not something with "ne"'],
    ['[{"a":[1]}]', { contains: { a: [1] } }, 'ok'],
    ['"12"', { contains: 1 }, '"12", not something with 1'],
    ['{"a":1}', { contains: 'a' }, '{"a":1}, not something with "a"'],
    ['[1,2]', { length: 2 }, 'ok'],
    ['[1,2]', { length: { min: 3 } }, 'of length 2: [1,2], not of length at least 3'],
    ['[1,2]', { length: { max: 1 } }, 'of length 2: [1,2], not of length 0 to 1'],
    ['{"a":1}', { length: 1 }, 'ok'],
    ['"\u{1F600}"', { length: 1 }, 'ok'],
    ['12', { length: 2 }, '12, not of length 2'],
    ['', { exists: false }, 'ok'],
    ['null', { exists: false }, 'null, not missing'],
    ['null', { exists: true }, 'ok'],
    ['', { exists: true }, 'missing, not there'],
  ])('%s by %j: %s', (came, written, expected) => {
    expect(verdict(came, written)).toBe(expected);
  });

  it('is matched within the budget of the check alone', () => {
    const tries = expressions();
    const value = 'a'.repeat(40) + '!';
    const judge = () => [...wishes(value, { matches: '^(a+)+$' }, tries)].map(({ held }) => held);
    expect([judge(), judge()]).toEqual([[undefined], [undefined]]);
  });
});

describe('an expectation', () => {
  it.each<[unknown, string]>([
    [
      { mim: 3 },
      "'mim' is no comparison, did you mean min? A map that is meant as it is stands under equals",
    ],
    [{ gt: 2 }, "'gt' is no comparison, did you mean min? A map that is meant as it is stands under equals"],
    [{ min: 3, mix: 4 }, "'mix' beside a comparison, write one of equals, min, max"],
    [{ min: '1.5' }, 'not a number, write one, in quotes when it is a whole one beyond 2^53'],
    [{ min: true }, 'not a number'],
    [{ min: 2 ** 60 }, 'a number beyond 2^53, which is rounded on its way, write it in quotes'],
    [2 ** 60, 'a number beyond 2^53'],
    [{ a: [2 ** 60] }, 'a number beyond 2^53'],
    [{ equals: { a: 2 ** 60 } }, 'a number beyond 2^53'],
    [{ min: 3, max: 2 }, 'above max, exchange them'],
    [{ min: '18446744073709551616', max: '18446744073709551615' }, 'above max'],
    [{ matches: '(' }, 'not a regular expression of JavaScript'],
    [{ length: -1 }, 'not a whole number that can stand here'],
    [{ length: { least: 1 } }, 'not a length'],
    [{ exists: 'no' }, 'neither true nor false'],
    [{ exists: false, min: 1 }, 'what is not there cannot be compared'],
    [JSON.parse(`${'['.repeat(20)}1${']'.repeat(20)}`), 'nested too deeply'],
  ])('%j is refused: %s', (written, message) => {
    const { error } = jsonExpectation.safeParse(written);
    expect(error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});
