/** JSON from outside, read within limits. Pure. */

export const maxJsonDepth = 64;

/** A JSON value as read; what it holds is hostile. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The value, or why there is none. Of duplicate keys the last counts, as everywhere in JavaScript. */
export function readJson(text: string): { readonly value: Json } | { readonly because: string } {
  if (isTooDeep(text)) return { because: `nested deeper than ${maxJsonDepth}` };
  try {
    return { value: JSON.parse(text) as Json };
  } catch {
    return { because: text.trim() === '' ? 'empty' : `begins with ${excerpt(text)}` };
  }
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

export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const [left, right] = [Object.keys(a), Object.keys(b)];
  if (Array.isArray(a) !== Array.isArray(b) || left.length !== right.length) return false;
  return left.every(
    (key) =>
      Object.hasOwn(b, key) && sameJson((a as Record<string, Json>)[key], (b as Record<string, Json>)[key]),
  );
}

/** `null`, `array` or what typeof says. */
export function typeOf(value: Json | undefined): string {
  return value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
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
