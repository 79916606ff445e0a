/**
 * A check's settings as canonical lines `PATH VALUE`, sorted: what a projection shows of them.
 * `methods.0.method s:eth_blockNumber`; types are marked, so that "1" and 1 differ, and no JSON is signed.
 */
import { compareBytewise, utf8 } from './bytes.ts';

/** Deeper settings than this are a bug of the check kind. */
const MAX_DEPTH = 16;

/** The settings as the operator wrote them, flattened. Throws RangeError for what JSON cannot say. */
export function canonicalSettings(settings: unknown): string[] {
  return flatten(settings, [], 0).sort(compareBytewise);
}

function flatten(value: unknown, path: readonly string[], depth: number): string[] {
  if (depth > MAX_DEPTH) throw new RangeError('settings are nested too deeply');
  const at = path.length > 0 ? path.map((key) => encodeToken(key).replaceAll('.', '%2E')).join('.') : '-';
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${at} []`];
    return value.flatMap((item, i) => flatten(item, [...path, String(i)], depth + 1));
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    if (entries.length === 0) return [`${at} {}`];
    return entries.flatMap(([key, item]) => flatten(item, [...path, key], depth + 1));
  }
  return [`${at} ${scalar(value)}`];
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return `b:${value}`;
  if (typeof value === 'number' && Number.isFinite(value)) return `n:${value}`;
  if (typeof value === 'string') return `s:${encodeToken(value)}`;
  throw new RangeError(`settings hold a ${typeof value}, which no file can say`);
}

/** Text as one word: UTF-8 bytes outside printable ASCII, the space and the percent sign become %XX; nothing is `%`. */
export function encodeToken(text: string): string {
  if (text === '') return '%';
  if (/^[\x21-\x24\x26-\x7e]+$/.test(text)) return text;
  let token = '';
  for (const byte of utf8(text)) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x25;
    token += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return token;
}

/** The text of a word that encodeToken wrote; undefined for any other. */
export function decodeToken(token: string): string | undefined {
  if (token === '%') return '';
  try {
    const text = decodeURIComponent(token);
    return encodeToken(text) === token ? text : undefined;
  } catch {
    return undefined;
  }
}
