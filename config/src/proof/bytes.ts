/** Bytes and their strict texts: each value has exactly one accepted spelling, or signed texts would be malleable. */

/**
 * SHA-256, handed in: the browser's and Node's differ, the arithmetic around them does not. It does not keep `data`, which
 * is filled anew afterwards.
 */
export type Hash = (data: Uint8Array) => Uint8Array;

/** Largest Unix time that a Date holds; later ones are refused wherever a time is read. */
export const MAX_INSTANT = 8_640_000_000_000_000;

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text of well-formed UTF-8; undefined for any other bytes. A byte order mark is kept as text. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Order of the UTF-8 bytes of two ASCII texts, which is the order of their code units. */
export function compareBytewise(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** Lower-case hex of whole bytes; undefined for anything else. */
export function decodeHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const sextets = new Map([...alphabet].map((letter, value) => [letter.charCodeAt(0), value]));

/** RFC 4648 section 4, padded. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const word = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += letter(word >> 18) + letter(word >> 12);
    text += (left > 1 ? letter(word >> 6) : '=') + (left > 2 ? letter(word) : '=');
  }
  return text;
}

function letter(word: number): string {
  return alphabet.charAt(word & 63);
}

/**
 * Strict: standard alphabet, padded, no white space, no stray bits at the end.
 * Exactly what encodeBase64 writes is accepted; undefined for anything else.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  const letters = text.length - padding;
  let word = 0;
  let bits = 0;
  let at = 0;
  for (let i = 0; i < letters; i += 1) {
    const value = sextets.get(text.charCodeAt(i));
    if (value === undefined) return undefined;
    word = ((word << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[at] = (word >> bits) & 0xff;
    at += 1;
  }
  const strayBits = word & ((1 << bits) - 1);
  return strayBits === 0 ? bytes : undefined;
}

/** The base64 of exactly 32 bytes: how a SHA-256 stands in a text. */
export function isHashText(text: string): boolean {
  return text.length === 44 && decodeBase64(text)?.length === 32;
}

/** The code of the digit 0. */
const ZERO = 48;

/** A decimal integer of 0 to `max`, no sign, no leading zero; undefined for anything else. */
export function parseDecimal(text: string, max: number = Number.MAX_SAFE_INTEGER): number | undefined {
  const { length } = text;
  if (length === 0 || length > 16 || (length > 1 && text.charCodeAt(0) === ZERO)) return undefined;
  // By hand: every line has six of them. Exact as far as `max` goes, which is below 2^53.
  let value = 0;
  for (let i = 0; i < length; i += 1) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return value <= max ? value : undefined;
}

/** As parseDecimal, with a minus sign allowed before anything but 0. */
export function parseInteger(text: string): number | undefined {
  if (!text.startsWith('-')) return parseDecimal(text);
  const size = parseDecimal(text.slice(1));
  return size === undefined || size === 0 ? undefined : -size;
}

/** An id of the house: a service, a node, a check, a probe, a region. */
export function isId(text: string): boolean {
  return /^[a-z0-9._-]{1,64}$/.test(text);
}

/** `service/node/check` */
export function isMonitorId(text: string): boolean {
  return /^[a-z0-9._-]{1,64}\/[a-z0-9._-]{1,64}\/[a-z0-9._-]{1,64}$/.test(text);
}
