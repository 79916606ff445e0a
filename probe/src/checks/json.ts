/** JSON from outside, read within limits. */
import { randomUUID } from 'node:crypto';

/** What is read as JSON. */
export const maxJsonBytes = 4_194_304;
export const maxJsonDepth = 64;
/**
 * Commas, colons and opening brackets. So many of the dearest kind (in 4 MiB, a key of its own for each object) take 66 ms
 * of a core of 2026, in which no other check is served; most take half of that.
 */
export const maxJsonParts = 250_000;
/** Each is read as text first, and then as what it is. */
const partsOfWide = 8;
/** 2^53 has so many digits. */
const leastWideDigits = 16;
/** Integers of more digits stay what JavaScript makes of them: 256 bits have 78. */
const maxExactDigits = 80;

/** A JSON value as read; what it holds is hostile. Integers beyond 2^53 are bigints, all other numbers as always. */
export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** Stands before the digits of an integer that is read as text first. Nobody outside knows it. */
const mark = `${randomUUID()} `;

/** Why a text gives no value. */
export interface Unread {
  readonly because: string;
  /** It may be JSON, of more parts than are read. */
  readonly isTooLarge?: true;
}

/** The value, or why there is none. Of duplicate keys the last counts, as everywhere in JavaScript. */
export function readJson(text: string): { readonly value: Json } | Unread {
  const wide = scan(text);
  if ('because' in wide) return wide;
  try {
    // Parsed once: of a hostile answer two values at a time would not fit into memory. Nor by a reviver: an answer of a
    // MiB would hold up all other checks for a third of a second.
    return {
      value: wide.length === 0 ? (JSON.parse(text) as Json) : exact(JSON.parse(marked(text, wide)) as Json),
    };
  } catch {
    return { because: text.trim() === '' ? 'empty' : `begins with ${excerpt(text)}` };
  }
}

/** From where to where an integer stands that may be beyond 2^53. */
type Span = readonly [from: number, to: number];

/** Such integers outside strings, or why it is not read further. Linear. */
function scan(text: string): Span[] | Unread {
  const wide: Span[] = [];
  let depth = 0;
  let parts = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i += 1;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 44 || code === 58) parts += 1;
    else if (code === 91 || code === 123) {
      parts += 1;
      depth += 1;
      if (depth > maxJsonDepth) return { because: `nested deeper than ${maxJsonDepth}` };
    } else if (code === 93 || code === 125) depth -= 1;
    else if (isDigit(code)) {
      const from = i;
      while (isDigit(text.charCodeAt(i + 1))) i += 1;
      const digits = i + 1 - from;
      if (digits >= leastWideDigits && digits <= maxExactDigits) {
        const begin = text.charCodeAt(from - 1) === 45 ? from - 1 : from;
        if (text.charCodeAt(from) !== 48 && isValue(text, begin, i + 1)) {
          wide.push([begin, i + 1]);
          parts += partsOfWide;
        }
      }
    }
    if (parts > maxJsonParts)
      return { because: `over ${maxJsonParts} commas, colons and brackets in its JSON`, isTooLarge: true };
  }
  return wide;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Whether it stands where a whole value may: what is no JSON must not become some by a pair of quotes. */
function isValue(text: string, from: number, to: number): boolean {
  let before = from - 1;
  while (isSpace(text.charCodeAt(before))) before -= 1;
  let after = to;
  while (isSpace(text.charCodeAt(after))) after += 1;
  return (
    (before < 0 || '[:,'.includes(text.charAt(before))) &&
    (after >= text.length || ',]}'.includes(text.charAt(after)))
  );
}

/** RFC 8259 section 2. */
function isSpace(code: number): boolean {
  return code === 32 || code === 9 || code === 10 || code === 13;
}

/** The same with those integers as marked strings. */
function marked(text: string, wide: readonly Span[]): string {
  let done = 0;
  const pieces: string[] = [];
  for (const [from, to] of wide) {
    pieces.push(text.slice(done, from), JSON.stringify(`${mark}${text.slice(from, to)}`));
    done = to;
  }
  return [...pieces, text.slice(done)].join('');
}

/** Marked strings as the integers that they are, in place. */
function exact(value: Json): Json {
  if (typeof value === 'string') return value.startsWith(mark) ? integer(value.slice(mark.length)) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list = value as Json[];
    for (let at = 0; at < list.length; at += 1) {
      const item = list[at] as Json;
      if (typeof item === 'string' || typeof item === 'object') list[at] = exact(item);
    }
    return list;
  }
  const record = value as Record<string, Json>;
  for (const key of Object.keys(record)) {
    const item = record[key] as Json;
    if (typeof item === 'string' || typeof item === 'object') record[key] = exact(item);
  }
  return record;
}

function integer(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

export function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value at `a.b.0`; undefined where the path leads nowhere. Own properties only. */
export function valueAt(value: Json, path: string): Json | undefined {
  let at: Json | undefined = value;
  for (const step of path === '' ? [] : path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined;
    if (Array.isArray(at) && step === 'length') return undefined;
    at = (at as Record<string, Json>)[step];
  }
  return at;
}

/** Numbers by value, however they are held. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a === 'bigint' || typeof b === 'bigint') return isNumber(a) && isNumber(b) && a == b;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.keys(a), Object.keys(b)];
  if (Array.isArray(a) !== Array.isArray(b) || left.length !== right.length) return false;
  return left.every(
    (key) =>
      Object.hasOwn(b, key) && sameJson((a as Record<string, Json>)[key], (b as Record<string, Json>)[key]),
  );
}

function isNumber(value: Json | undefined): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

/** `null`, `array`, `number` for all numbers, or what typeof says. */
export function typeOf(value: Json | undefined): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return isNumber(value) ? 'number' : typeof value;
}

/** A number in its own digits (ECMAScript 2026); TypeScript's library lacks it. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (this: void, text: string) => unknown };

function hasBigint(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint';
  return Object.values(value).some(hasBigint);
}

/** As JSON.stringify, which throws on a bigint. */
export function jsonText(value: unknown): string {
  if (!hasBigint(value)) return JSON.stringify(value);
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? rawJson(String(inner)) : inner,
  );
}

const maxShown = 80;

/** A value in a message: at most 80 characters of its JSON, at the cost of no more. */
export function shown(value: Json | undefined): string {
  return value === undefined ? 'missing' : beginningOf(value, maxShown).slice(0, maxShown);
}

/** Its JSON, or at least so many characters of it: each entry has one or more, so that no more entries are looked at. */
function beginningOf(value: Json, chars: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, chars));
  if (typeof value !== 'object' || value === null) return jsonText(value);
  const isList = Array.isArray(value);
  const keys = isList ? undefined : Object.keys(value);
  const count = keys?.length ?? (value as readonly Json[]).length;
  let text = isList ? '[' : '{';
  for (let at = 0; at < count; at += 1) {
    if (at > 0) text += ',';
    const key = keys?.[at];
    if (key !== undefined) text += `${JSON.stringify(key.slice(0, chars))}:`;
    if (text.length >= chars) return text;
    text += beginningOf((value as Record<string, Json>)[key ?? at] as Json, chars - text.length);
    if (text.length >= chars) return text;
  }
  return `${text}${isList ? ']' : '}'}`;
}

/**
 * One text for all spellings of a value: sorted keys as in RFC 8785 section 3.2.3, no white space, and integers
 * in all their digits, so that 1e20 and 100000000000000000000 are the same.
 */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonicalJson).join(',')}]`;
  if (isRecord(value)) {
    const keys = Object.keys(value).sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`).join(',')}}`;
  }
  if (typeof value === 'number') return Number.isInteger(value) ? String(BigInt(value)) : String(value);
  return jsonText(value);
}

/** A short piece of a hostile text for a fault's detail. */
export function excerpt(text: string): string {
  const short = text.slice(0, 80).trim();
  return JSON.stringify(short.length < text.trim().length ? `${short}…` : short);
}
