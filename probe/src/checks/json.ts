/** JSON from outside, read within limits. Pure. */

export const maxJsonDepth = 64;
/** Integers of more digits stay what JavaScript makes of them: 256 bits have 78. */
const maxExactDigits = 80;

/** A JSON value as read; what it holds is hostile. Integers beyond 2^53 are bigints, all other numbers as always. */
export type Json =
  null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };

/** What ECMAScript 2026 has and TypeScript's library lacks: the text of a number, and a text as it is. */
const exact = JSON as unknown as {
  parse(text: string, reviver: (key: string, value: Json, at: { readonly source?: string }) => Json): Json;
  rawJSON(text: string): unknown;
};

/** The beginning of a number that may be beyond 2^53: only then is the slower reading worth it. */
const wideNumber = /(?:^|[\s:,[-])[0-9]{16}/;

/** The value, or why there is none. Of duplicate keys the last counts, as everywhere in JavaScript. */
export function readJson(text: string): { readonly value: Json } | { readonly because: string } {
  if (isTooDeep(text)) return { because: `nested deeper than ${maxJsonDepth}` };
  try {
    if (wideNumber.test(text)) return { value: exact.parse(text, exactNumber) };
    return { value: JSON.parse(text) as Json };
  } catch {
    return { because: text.trim() === '' ? 'empty' : `begins with ${excerpt(text)}` };
  }
}

function exactNumber(_: string, value: Json, { source }: { readonly source?: string }): Json {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return source.length <= maxExactDigits && /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
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

/** As JSON.stringify, which throws on a bigint. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'bigint' ? exact.rawJSON(String(inner)) : inner,
  );
}

/** A value in a message: at most 80 characters of its JSON. */
export function shown(value: Json | undefined): string {
  return value === undefined ? 'missing' : jsonText(value).slice(0, 80);
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

/** Whether brackets outside strings nest too deeply. Linear. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 92) i += 1;
      else if (code === 34) quoted = false;
    } else if (code === 34) quoted = true;
    else if (code === 91 || code === 123) {
      depth += 1;
      if (depth > maxJsonDepth) return true;
    } else if (code === 93 || code === 125) depth -= 1;
  }
  return false;
}
