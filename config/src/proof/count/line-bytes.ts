/**
 * One line of a body, read where it stands: what nearly all lines are, by hand and without an object. Whatever is not plain is
 * left to parseLine, so that exactly what that accepts is accepted (properties.test.ts).
 */
import { isRefusal, faultFromId } from '../../faults.ts';
import { MAX_INSTANT } from '../bytes.ts';
import { MAX_LINE_BYTES, MAX_TENTHS, parseLine } from '../line.ts';
import { OLD_HEAD } from '../rule/none.ts';

/** What a line says by itself, whatever it is judged by. */
export const OK = 0;
export const DEGRADED = 1;
export const FAIL = 2;
export const FAIL_OLD = 3;
/** Skipped for a refusal: nothing to go by. */
export const REFUSED = 4;
/** The probe's own trouble, and that with its clock. */
export const PROBE = 5;
export const PROBE_CLOCK = 6;

/** What was read last. One for all: lines are read one after the other. */
export const line = {
  dueAt: 0,
  said: OK,
  latencyTenths: 0,
  lateMs: 0,
  isRecheck: false,
  /** -1: none. */
  height: -1,
  certificateAt: -1,
  /** `m.ID` with a number: how many, where their ids begin and end, and what they say. */
  methods: 0,
};
/** A check has no more methods: what a line tells beyond them counts as nothing. */
export const MAX_METHODS = 16;
export const methodFrom = new Uint32Array(MAX_METHODS);
export const methodTo = new Uint32Array(MAX_METHODS);
export const methodTenths = new Uint32Array(MAX_METHODS);

const LF = 10;
const SPACE = 32;
const COMMA = 44;
const DASH = 45;
const DOT = 46;
const ZERO = 48;
const EQUALS = 61;
/** Digits of which the number is exact. */
const MAX_DIGITS = 15;

/** The number that was read last: in an array, so that it is not an object each time. */
const number = new Float64Array(1);
const MAX_INT_DIGITS = 9;
const SCALES = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/** Reads a number into `number`; returns where it ends, -1 for what is not plain. */
function decimalAt(bytes: Uint8Array, from: number, max: number): number {
  let at = from;
  let low = 0;
  let digit = (bytes[at] ?? 0) - ZERO;
  const middle = from + MAX_INT_DIGITS;
  while (digit >= 0 && digit <= 9 && at < middle) {
    low = (low * 10 + digit) | 0;
    at += 1;
    digit = (bytes[at] ?? 0) - ZERO;
  }
  let value = low;
  if (at === middle) {
    let rest = 0;
    const end = from + MAX_DIGITS;
    while (digit >= 0 && digit <= 9 && at < end) {
      rest = (rest * 10 + digit) | 0;
      at += 1;
      digit = (bytes[at] ?? 0) - ZERO;
    }
    value = low * (SCALES[at - middle] ?? 1) + rest;
  }
  const isLonger = digit >= 0 && digit <= 9;
  if (at === from || isLonger || value > max || (bytes[from] === ZERO && at > from + 1)) return -1;
  number[0] = value;
  return at;
}

function prefixAt(bytes: Uint8Array, from: number): number {
  for (let at = from; at < from + 8; at += 1) {
    const byte = bytes[at] ?? 0;
    if (!((byte >= ZERO && byte <= 57) || (byte >= 97 && byte <= 102))) return -1;
  }
  return from + 8;
}

function phasesAt(bytes: Uint8Array, from: number): number {
  let at = from;
  for (let i = 0; i < 5; i += 1) {
    at = decimalAt(bytes, at, MAX_TENTHS);
    if (at === -1) return -1;
    if (i < 4 && bytes[at++] !== COMMA) return -1;
  }
  return at;
}

function isIdByte(byte: number): boolean {
  return (
    (byte >= 97 && byte <= 122) ||
    (byte >= 65 && byte <= 90) ||
    (byte >= ZERO && byte <= 57) ||
    byte === DOT ||
    byte === 95 ||
    byte === DASH
  );
}

/** Where the value of `X.ID=` begins; -1 for what is not plain. */
function afterId(bytes: Uint8Array, key: number): number {
  let at = key + 2;
  while (isIdByte(bytes[at] ?? 0)) at += 1;
  const length = at - key - 2;
  return length >= 1 && length <= 64 && bytes[at] === EQUALS ? at + 1 : -1;
}

function methodAt(bytes: Uint8Array, key: number): number {
  const from = afterId(bytes, key);
  if (from === -1) return -1;
  const end = decimalAt(bytes, from, MAX_TENTHS);
  if (end !== -1 && line.methods < MAX_METHODS) {
    methodFrom[line.methods] = key + 2;
    methodTo[line.methods] = from - 1;
    methodTenths[line.methods] = number[0] ?? 0;
    line.methods += 1;
  }
  return end;
}

function equalAt(bytes: Uint8Array, key: number): number {
  const from = afterId(bytes, key);
  if (from === -1) return -1;
  const dot = prefixAt(bytes, from);
  return dot === -1 || bytes[dot] !== DOT ? -1 : prefixAt(bytes, dot + 1);
}

/** Whether the key is this one letter, or these two, with its `=`. */
const isKey = (bytes: Uint8Array, at: number, second: number): boolean =>
  bytes[at + 1] === second && bytes[at + 2] === EQUALS;

const isLate = (bytes: Uint8Array, at: number): boolean =>
  bytes[at + 1] === 97 && bytes[at + 2] === 116 && bytes[at + 3] === 101 && bytes[at + 4] === EQUALS;

/** Reads the fact whose key begins at `at`; returns where it ends, -1 for one that is not plain. */
function factAt(bytes: Uint8Array, at: number): number {
  let end: number;
  switch (bytes[at] ?? 0) {
    case 98: // bt
      return isKey(bytes, at, 116) ? decimalAt(bytes, at + 3, MAX_INSTANT) : -1;
    case 99: // ce, cl, cv
      if (isKey(bytes, at, 101)) {
        end = decimalAt(bytes, at + 3, MAX_INSTANT);
        line.certificateAt = number[0] ?? 0;
        return end;
      }
      return isKey(bytes, at, 108) || isKey(bytes, at, 118) ? decimalAt(bytes, at + 3, MAX_INSTANT) : -1;
    case 101: // e.ID
      return bytes[at + 1] === DOT ? equalAt(bytes, at) : -1;
    case 102: // fh, fp
      if (isKey(bytes, at, 112)) return prefixAt(bytes, at + 3);
      return isKey(bytes, at, 104) ? decimalAt(bytes, at + 3, Number.MAX_SAFE_INTEGER) : -1;
    case 103: // g
      return bytes[at + 1] === EQUALS ? prefixAt(bytes, at + 2) : -1;
    case 104: // h
      if (bytes[at + 1] !== EQUALS) return -1;
      end = decimalAt(bytes, at + 2, Number.MAX_SAFE_INTEGER);
      line.height = number[0] ?? 0;
      return end;
    case 105: // id
      return isKey(bytes, at, 100) ? prefixAt(bytes, at + 3) : -1;
    case 108: // late
      if (!isLate(bytes, at)) return -1;
      end = decimalAt(bytes, at + 5, MAX_TENTHS);
      line.lateMs = number[0] ?? 0;
      return number[0] === 0 ? -1 : end;
    case 109: // m.ID
      return bytes[at + 1] === DOT ? methodAt(bytes, at) : -1;
    case 112: // p
      return bytes[at + 1] === EQUALS ? phasesAt(bytes, at + 2) : -1;
    case 114: // re
      if (!isKey(bytes, at, 101) || bytes[at + 3] !== ZERO + 1) return -1;
      line.isRecheck = true;
      return at + 4;
    case 115: // sc
      if (!isKey(bytes, at, 99)) return -1;
      end = decimalAt(bytes, at + 3, 999);
      return end === at + 6 && (number[0] ?? 0) >= 100 ? end : -1;
    case 118: // v
      return bytes[at + 1] === EQUALS ? decimalAt(bytes, at + 2, Number.MAX_SAFE_INTEGER) : -1;
    default:
      return -1;
  }
}

/** Whether the word at `a` is above the one at `b`; both end at `=`. */
function isKeyAbove(bytes: Uint8Array, a: number, b: number): boolean {
  for (let i = 0; ; i += 1) {
    const own = bytes[a + i] ?? 0;
    const other = bytes[b + i] ?? 0;
    if (own === EQUALS) return false;
    if (other === EQUALS) return true;
    if (own !== other) return own > other;
  }
}

const NOT_A_FAULT = -1;
/** Of an id of the closed list: what a line with it says, in bits. */
const IS_PROBE = 1;
const IS_CLOCK = 2;
const IS_REFUSAL = 4;
const IS_OLD = 8;
const faults = new Map<string, number>();

function faultBits(id: string): number {
  const known = faults.get(id);
  if (known !== undefined) return known;
  const fault = faultFromId(id);
  if (fault === undefined) return NOT_A_FAULT;
  const bits =
    (fault.source === 'probe' ? IS_PROBE : 0) |
    (fault.operation === 'clock' ? IS_CLOCK : 0) |
    (isRefusal(fault) ? IS_REFUSAL : 0) |
    (id === OLD_HEAD ? IS_OLD : 0);
  faults.set(id, bits);
  return bits;
}

export function textAt(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at += 1) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

function saidOf(outcome: number, bits: number): number {
  if ((bits & IS_PROBE) !== 0) return (bits & IS_CLOCK) === 0 ? PROBE : PROBE_CLOCK;
  if (outcome === 115) return REFUSED;
  if (outcome !== 102) return outcome === 111 ? OK : DEGRADED;
  return (bits & IS_OLD) === 0 ? FAIL : FAIL_OLD;
}

/** Where the outcome that begins at `at` ends; -1 for no outcome. */
function outcomeEnd(bytes: Uint8Array, at: number): number {
  const word = bytes[at] === 111 ? 'ok' : (words[bytes[at] ?? 0] ?? '');
  if (word === '') return -1;
  for (let i = 1; i < word.length; i += 1) if (bytes[at + i] !== word.charCodeAt(i)) return -1;
  return at + word.length;
}
const words: readonly string[] = Object.assign(new Array<string>(128).fill(''), {
  100: 'degraded',
  102: 'fail',
  115: 'skipped',
});

/**
 * Reads into `line` what follows the monitor and its space. Returns where the line's LF stands; -1 for a line that is not plain.
 *
 * @param start where the whole line begins, @param due where its due time does
 */
export function plainLine(bytes: Uint8Array, start: number, due: number): number {
  let at = decimalAt(bytes, due, MAX_INSTANT);
  if (at === -1 || bytes[at] !== SPACE) return -1;
  line.dueAt = number[0] ?? 0;
  const outcome = bytes[at + 1] ?? 0;
  at = outcomeEnd(bytes, at + 1);
  if (at === -1 || bytes[at] !== SPACE) return -1;
  at = decimalAt(bytes, at + 1, MAX_TENTHS);
  if (at === -1 || bytes[at] !== SPACE) return -1;
  line.latencyTenths = number[0] ?? 0;
  at += 1;
  let bits = 0;
  if (bytes[at] === DASH) {
    // Of those without a fault only the first two may be.
    if (outcome !== 111 && outcome !== 100) return -1;
    at += 1;
  } else {
    let end = at;
    while ((bytes[end] ?? LF) !== SPACE && (bytes[end] ?? LF) !== LF) end += 1;
    bits = end - at > 100 ? NOT_A_FAULT : faultBits(textAt(bytes, at, end));
    if (bits === NOT_A_FAULT || outcome === 111) return -1;
    if (outcome === 115 && (bits & (IS_PROBE | IS_REFUSAL)) === 0) return -1;
    at = end;
  }
  line.said = saidOf(outcome, bits);
  line.lateMs = 0;
  line.isRecheck = false;
  line.height = -1;
  line.certificateAt = -1;
  line.methods = 0;
  let previous = -1;
  while (bytes[at] === SPACE) {
    const key = at + 1;
    at = factAt(bytes, key);
    if (at === -1 || (previous !== -1 && !isKeyAbove(bytes, key, previous))) return -1;
    previous = key;
  }
  return bytes[at] === LF && at - start <= MAX_LINE_BYTES ? at : -1;
}

/** Reads any line into `line`, its LF at `end`; returns the monitor, undefined for what parseLine refuses. */
export function anyLine(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > MAX_LINE_BYTES) return undefined;
  const text = textAt(bytes, start, end);
  const read = parseLine(text);
  if ('error' in read) return undefined;
  const { facts, fault, outcome } = read;
  line.dueAt = read.dueAt;
  line.latencyTenths = read.latencyTenths;
  line.lateMs = read.lateMs;
  line.isRecheck = read.recheck;
  line.said = saidOf(
    outcome.charCodeAt(0),
    fault ? faultBits(`${fault.source}.${fault.operation}.${fault.code}`) : 0,
  );
  line.height = facts['h'] === undefined ? -1 : Number(facts['h']);
  line.certificateAt = facts['ce'] === undefined ? -1 : Number(facts['ce']);
  line.methods = 0;
  // Where they stand, since ids are taken from the bytes.
  for (
    let at = text.indexOf(' m.');
    at !== -1 && line.methods < MAX_METHODS;
    at = text.indexOf(' m.', at + 1)
  ) {
    const equals = text.indexOf('=', at);
    const space = text.indexOf(' ', equals);
    const said = text.slice(equals + 1, space === -1 ? undefined : space);
    if (!/^[0-9]+$/.test(said)) continue;
    methodFrom[line.methods] = start + at + 3;
    methodTo[line.methods] = start + equals;
    methodTenths[line.methods] = Number(said);
    line.methods += 1;
  }
  return read.monitor;
}
