/** What a value in the JSON of an answer must be, as an operator writes it, and whether it is. */
import { z } from 'zod';
import { flag, key, wholeBetween } from '@highwater/config/fields.ts';
import { nearest } from '@highwater/config/problems.ts';
import { expressionText, type Expressions, maxMatchedBytes } from './expression.ts';
import { excerpt, isRecord, type Json, sameJson, shown } from './json.ts';
import { inexact, inexactMessage, judged } from './json-settings.ts';

/** 256 bits have 78 digits, and a sign. */
const digits = /^-?[0-9]{1,80}$/;
const limitMessage = 'not a number, write one, in quotes when it is a whole one beyond 2^53';

const limit = z
  .union([z.number(limitMessage), z.string(limitMessage).regex(digits, limitMessage)], limitMessage)
  .superRefine((value, ctx) => {
    if (inexact(value)) ctx.addIssue(inexactMessage);
  });

const lengthMessage = 'not a length, write a whole number or { min: 1, max: 9 }';
const count = wholeBetween(0, 1_000_000_000);
const value = judged(z.json(), (leaf) => (inexact(leaf) ? inexactMessage : undefined));

const comparison = z
  .strictObject({
    equals: key(value.optional(), 'It is the same; a whole number beyond 2^53 in quotes.', 'green'),
    min: key(
      limit.optional(),
      'A number, or a whole one written as text (decimal, or 0x…), that is at least this.',
      3,
    ),
    max: key(limit.optional(), 'Such a number that is at most this.', '18446744073709551615'),
    contains: key(
      value.optional(),
      'A text that has this text in it, or a list that has this entry.',
      'archive',
    ),
    matches: key(
      expressionText('^(green|yellow)$').optional(),
      'A text, its first 64 KiB, that matches this regular expression of JavaScript, within 100 ms of computing for all of a check.',
      '^(green|yellow)$',
    ),
    length: key(
      z
        .union([
          count,
          z.strictObject(
            { min: key(count.optional(), 'At least so many.', 1), max: key(count.optional(), 'At most.', 9) },
            lengthMessage,
          ),
        ])
        .optional(),
      'A list or a map of so many entries, or a text of so many characters; a number, or `min` and `max`.',
      { min: 1 },
    ),
    exists: key(flag.optional(), 'Whether there is anything at all; null is something.', false),
  })
  .superRefine(({ min, max, exists, ...others }, ctx) => {
    if (min !== undefined && max !== undefined && asNumber(min) > asNumber(max))
      ctx.addIssue({ code: 'custom', path: ['min'], message: 'above max, exchange them' });
    if (exists === false && [min, max, ...Object.values(others)].some((each) => each !== undefined))
      ctx.addIssue({
        code: 'custom',
        path: ['exists'],
        message: 'what is not there cannot be compared, remove the rest',
      });
  });
export type JsonExpectation = z.infer<typeof comparison>;

const words: ReadonlySet<string> = new Set(Object.keys(comparison.shape));

/**
 * A map with one of the words of a comparison is one, and then has no other keys; everything else is what the value
 * must equal. A map that has such a word, or one key that is nearly one, and is meant as it is stands under `equals`.
 */
export const jsonExpectation = z.union([comparison, z.json()]).transform((written, ctx): JsonExpectation => {
  const isComparison = keysOf(written).some((name) => words.has(name));
  const meant = isComparison ? undefined : meantWord(written);
  if (meant !== undefined) {
    ctx.addIssue({ code: 'custom', message: meant });
    return z.NEVER;
  }
  const read = comparison.safeParse(isComparison ? written : { equals: written });
  if (read.success) return read.data;
  for (const { path, message } of read.error.issues) {
    const at = isComparison ? path : path.slice(1);
    ctx.addIssue({ code: 'custom', path: at, message: unknownKey(written, at) ?? message });
  }
  return z.NEVER;
});

/** What people write from other languages. */
const otherWords: Readonly<Record<string, string>> = {
  gt: 'min',
  gte: 'min',
  ge: 'min',
  lt: 'max',
  lte: 'max',
  le: 'max',
  eq: 'equals',
  is: 'equals',
  regex: 'matches',
  regexp: 'matches',
  match: 'matches',
  includes: 'contains',
  size: 'length',
};

/** A map of one key that is nearly a word of a comparison is a typing error: it would be compared as a whole. */
function meantWord(written: unknown): string | undefined {
  const [name, ...more] = keysOf(written);
  if (name === undefined || more.length > 0) return undefined;
  const other = Object.hasOwn(otherWords, name.toLowerCase()) ? otherWords[name.toLowerCase()] : undefined;
  const word = other ?? nearest(name, words);
  return word === undefined
    ? undefined
    : `'${name}' is no comparison, did you mean ${word}? A map that is meant as it is stands under equals`;
}

function unknownKey(written: unknown, path: readonly PropertyKey[]): string | undefined {
  const strange = keysOf(written).find((name) => !words.has(name));
  return path.length > 0 || strange === undefined
    ? undefined
    : `'${strange}' beside a comparison, write one of ${[...words].join(', ')}, or the whole map under equals`;
}

function keysOf(written: unknown): string[] {
  return typeof written === 'object' && written !== null && !Array.isArray(written)
    ? Object.keys(written)
    : [];
}

/** One thing asked of a value. */
export interface Wish {
  /** `at least 3`. */
  readonly text: string;
  /** Undefined: the budget for expressions is used up. */
  readonly held: boolean | undefined;
}

/** Everything that is asked of a value, judged one after the other. */
export function* wishes(
  came: Json | undefined,
  { equals, min, max, contains, matches, length, exists }: JsonExpectation,
  tries: Expressions,
): Generator<Wish> {
  if (exists === false) yield { text: 'missing', held: came === undefined };
  if (exists === true) yield { text: 'there', held: came !== undefined };
  if (equals !== undefined) yield { text: shown(equals), held: isEqual(came, equals) };
  const number = numberIn(came);
  if (min !== undefined)
    yield { text: `at least ${min}`, held: number !== undefined && number >= asNumber(min) };
  if (max !== undefined)
    yield { text: `at most ${max}`, held: number !== undefined && number <= asNumber(max) };
  if (contains !== undefined) yield { text: `something with ${shown(contains)}`, held: has(came, contains) };
  if (matches !== undefined)
    yield {
      text: `a match of ${matches}`,
      held: typeof came === 'string' && tries.isMatch(matches, came.slice(0, maxMatchedBytes)),
    };
  if (length !== undefined) yield lengthWish(came, length);
}

function lengthWish(came: Json | undefined, wanted: NonNullable<JsonExpectation['length']>): Wish {
  const { min = 0, max = Infinity } = typeof wanted === 'number' ? { min: wanted, max: wanted } : wanted;
  const found = lengthOf(came);
  const text = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
  return { text: `of length ${text}`, held: found !== undefined && found >= min && found <= max };
}

/** A value from outside for people, with its length where that was asked for. */
export function foundText(came: Json | undefined, { length }: JsonExpectation): string {
  const own = length === undefined ? undefined : lengthOf(came);
  const text = typeof came === 'string' ? excerpt(came) : shown(came);
  return own === undefined ? text : `of length ${own}: ${text}`;
}

/** A config can say an integer beyond 2^53 only in quotes. */
export function isEqual(came: Json | undefined, wanted: Json): boolean {
  return sameJson(came, wanted) || (typeof came === 'bigint' && String(came) === wanted);
}

/** JavaScript compares a number with a bigint exactly. */
function asNumber(limit: number | string): number | bigint {
  return typeof limit === 'number' ? limit : BigInt(limit);
}

/** Many chains write numbers of 64 bits and more as text, since JSON readers round them. */
function numberIn(came: Json | undefined): number | bigint | undefined {
  if (typeof came === 'number' || typeof came === 'bigint') return came;
  if (typeof came !== 'string') return undefined;
  return digits.test(came) || /^0x[0-9a-fA-F]{1,64}$/.test(came) ? BigInt(came) : undefined;
}

function has(came: Json | undefined, part: Json): boolean {
  if (typeof came === 'string') return typeof part === 'string' && came.includes(part);
  return Array.isArray(came) && (came as readonly Json[]).some((item) => isEqual(item, part));
}

/** Characters as people count them, not UTF-16 units. */
function lengthOf(came: Json | undefined): number | undefined {
  if (typeof came === 'string') {
    let count = 0;
    for (let at = 0; at < came.length; at += (came.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) count += 1;
    return count;
  }
  if (Array.isArray(came)) return came.length;
  return isRecord(came) ? Object.keys(came).length : undefined;
}
