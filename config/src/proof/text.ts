/**
 * Reading signed texts: a header line, then `WORD FIELD …` lines in a fixed order.
 * A reader's failures are TextErrors inside and values outside: readText turns them into `{ error }`.
 */
import { isHashText, isId, parseDecimal } from './bytes.ts';
import { isKeyName } from './note.ts';

class TextError extends Error {
  override name = 'TextError';
}

/** A cursor over the lines of one text. Each method fails the whole reading where the text does not fit. */
export interface TextReader {
  /** The fields after WORD in the next line; there must be exactly `count`. */
  take(word: string, count: number): string[];
  /** Everything after WORD and a space in the next line. */
  takeRest(word: string): string;
  /** Whether the next line begins with WORD. */
  at(word: string): boolean;
  /** All lines that are left. */
  rest(): string[];
  fail(message: string): never;
}

/**
 * Reads `text` (ending in LF) with `read` and demands that `format` gives the same bytes again,
 * so that what is accepted has one spelling. Never throws for a text that does not fit.
 */
export function readText<T extends object>(
  text: string,
  header: string,
  read: (lines: TextReader) => T,
  format: (value: T) => string,
): T | { error: string } {
  if (!text.endsWith('\n')) return { error: 'the text does not end in a line feed' };
  const lines = text.slice(0, -1).split('\n');
  if (lines[0] !== header) return { error: `the first line is not ${header}` };
  try {
    const reader = readerOf(lines);
    const value = read(reader);
    if (reader.rest().length > 0) return { error: 'the text goes on after its last line' };
    return format(value) === text ? value : { error: 'the text is not in its one accepted spelling' };
  } catch (error) {
    if (error instanceof TextError) return { error: error.message };
    throw error;
  }
}

function readerOf(lines: readonly string[]): TextReader {
  let next = 1;
  const fail = (message: string): never => {
    throw new TextError(message);
  };
  const at = (word: string): boolean => lines[next]?.startsWith(`${word} `) ?? false;
  const takeRest = (word: string): string => {
    const line = lines[next];
    if (line === undefined || !at(word)) return fail(`line ${next + 1} is not '${word} …'`);
    next += 1;
    return line.slice(word.length + 1);
  };
  return {
    at,
    takeRest,
    fail,
    take(word, count) {
      const fields = takeRest(word).split(' ');
      return fields.length === count
        ? fields
        : fail(`line ${next} does not have ${count} fields after '${word}'`);
    },
    rest() {
      const rest = lines.slice(next);
      next = lines.length;
      return rest;
    },
  };
}

/** The single field of the next line, a whole number of 0 to `max`. */
export function takeNumber(lines: TextReader, word: string, max?: number): number {
  const [field = ''] = lines.take(word, 1);
  return decimal(lines, word, field, max);
}

export function decimal(lines: TextReader, what: string, field: string | undefined, max?: number): number {
  return parseDecimal(field ?? '', max) ?? lines.fail(`${what}: not a whole number in range`);
}

export function takeHash(lines: TextReader, word: string): string {
  const [field] = lines.take(word, 1);
  return hashField(lines, word, field);
}

export function hashField(lines: TextReader, what: string, field = ''): string {
  return isHashText(field) ? field : lines.fail(`${what}: not the base64 of 32 bytes`);
}

export function takeOrigin(lines: TextReader): string {
  const [origin = ''] = lines.take('log', 1);
  return isKeyName(origin)
    ? origin
    : lines.fail('log: the origin is not a name without spaces and plus signs');
}

export function takeId(lines: TextReader, word: string): string {
  const [id] = lines.take(word, 1);
  return idField(lines, word, id);
}

export function idField(lines: TextReader, what: string, field = ''): string {
  return isId(field) ? field : lines.fail(`${what}: not an id in [a-z0-9._-] of 1 to 64 characters`);
}

/** The rest of the next line as words for people. */
export function takeProse(lines: TextReader, word: string, maxChars: number): string {
  const text = lines.takeRest(word);
  return isProse(text, maxChars)
    ? text
    : lines.fail(`${word}: not one line of 1 to ${maxChars} visible characters`);
}

/**
 * Whether a text is one line of 1 to `maxChars` UTF-16 units for people: no space at its ends, nothing that controls,
 * turns the reading direction, breaks the line or is not seen. A list and not a Unicode property, since what is assigned
 * depends on the runtime's version and a leaf must be good for everyone or for nobody.
 */
export function isProse(text: string, maxChars: number): boolean {
  if (text.length < 1 || text.length > maxChars || !text.isWellFormed() || text !== text.trim()) return false;
  return !UNSEEN.test(text);
}

/**
 * Control characters; soft hyphen; Arabic letter mark; zero width space, the marks, embeddings and isolates of
 * direction; line and paragraph separator; invisible operators; byte order mark; interlinear notes, U+FFFE and U+FFFF;
 * tags. The joiners U+200C and U+200D stay: scripts and emoji need them.
 */
const UNSEEN =
  // eslint-disable-next-line no-control-regex -- such characters are what is refused
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\u{e0000}-\u{e007f}]/u;
