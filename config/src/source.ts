/** The text of a config file -> plain data, and where in the text each path stands. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Alias, Document, Node, YAMLError } from 'yaml';
import type { Path } from './problems.ts';

/** Larger files are refused: nobody writes them by hand, and reading them is not bounded otherwise. */
export const maxConfigBytes = 1024 * 1024;
/** Uses of YAML aliases, counted expanded. */
const maxAliasUses = 100;

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Source {
  readonly value: unknown;
  /** The place of a path's key or value; of the nearest parent that exists when it is missing. */
  place(path: Path, on: 'key' | 'value'): Place;
}

export interface SyntaxProblem extends Place {
  readonly message: string;
}

/** What YAML's own errors mean. The library's messages quote the text, which may hold secrets. */
const syntaxMessages: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) with an anchor or tag, remove them',
  BAD_ALIAS: 'an alias (*name) that cannot stand here, write the value out',
  BAD_DIRECTIVE: 'an unknown % directive, remove it',
  BAD_DQ_ESCAPE: 'an unknown \\ escape in double quotes, write \\\\ or use single quotes',
  BAD_INDENT:
    'wrong indentation, or a bracket before it is not closed: align it with its neighbours, two spaces a level',
  BAD_SCALAR_START: 'text beginning with a special character, put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a key where a value is expected, begin a new line or put the text in quotes',
  BLOCK_IN_FLOW: 'an indented block inside { } or [ ], use one style',
  DUPLICATE_KEY: 'this key stands here twice, keep one',
  MISSING_CHAR: 'something is missing here: a quote, comma, bracket or the space after a colon, add it',
  MULTILINE_IMPLICIT_KEY: 'a key over several lines, or a colon inside text, put the text in quotes',
  MULTIPLE_DOCS: 'a second YAML document (---), keep one',
  NON_STRING_KEY: 'a key that is not text, put it in quotes',
  RESOURCE_EXHAUSTION: 'nested too deeply, write it flatter',
  TAB_AS_INDENT: 'a tab in the indentation, write spaces',
  TAG_RESOLVE_FAILED: 'an unknown !tag, remove it',
  UNEXPECTED_TOKEN:
    'something that YAML does not expect here, look at brackets, quotes and indentation before it',
};

/** Reads a config's text. Only syntax is judged here; all syntax errors come at once. */
export function readSource(text: string): Source | { readonly syntax: readonly SyntaxProblem[] } {
  const whole = (message: string) => ({ syntax: [{ line: 1, column: 1, message }] });
  if (text.startsWith('\uFEFF'))
    return whole('begins with a byte order mark, save the file as UTF-8 without BOM');
  if (Buffer.byteLength(text) > maxConfigBytes) return whole('larger than 1 MiB, write a smaller file');
  try {
    return parse(text);
  } catch (error) {
    // Deep nesting overflows the parser's stack; an alias bomb makes toJS throw a ReferenceError.
    if (error instanceof RangeError) return whole('nested too deeply, write it flatter');
    if (error instanceof ReferenceError)
      return whole('too many uses of YAML aliases (*name), write the values out');
    throw error;
  }
}

function parse(text: string): Source | { readonly syntax: readonly SyntaxProblem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: true,
  });
  const faults: YAMLError[] = [...document.errors, ...document.warnings];
  const problems = [...faults.map((fault) => syntaxProblem(fault, lines)), ...lostAliases(document, lines)];
  if (problems.length > 0) return { syntax: once(problems) };
  const value: unknown = document.toJS({ maxAliasCount: maxAliasUses });
  return { value, place: (path, on) => toPlace(lines, offsetOf(document, path, on)) };
}

function syntaxProblem(fault: YAMLError, lines: LineCounter): SyntaxProblem {
  const message = syntaxMessages[fault.code] ?? 'not valid YAML, look at brackets, quotes and indentation';
  return { ...toPlace(lines, fault.pos[0]), message };
}

/** Aliases whose anchor does not stand before them, or stands on what they are in, which would have no end. */
function lostAliases(document: Document.Parsed, lines: LineCounter): SyntaxProblem[] {
  const lost: Alias[] = [];
  visit(document, {
    Alias(_key, alias, around) {
      const node = alias.resolve(document);
      if (node === undefined || around.includes(node)) lost.push(alias);
    },
  });
  const message = 'an alias (*name) whose anchor (&name) does not stand before it, write the value out';
  return lost.map((alias) => ({ ...toPlace(lines, alias.range?.[0] ?? 0), message }));
}

/** One mistake often confuses the parser twice at the same place. */
function once(problems: readonly SyntaxProblem[]): SyntaxProblem[] {
  const seen = new Set<string>();
  return problems.filter(({ line, column, message }) => {
    const text = `${line}:${column} ${message}`;
    if (seen.has(text)) return false;
    seen.add(text);
    return true;
  });
}

function toPlace(lines: LineCounter, offset: number): Place {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

function offsetOf(document: Document.Parsed, path: Path, on: 'key' | 'value'): number {
  let node: Node | null | undefined = document.contents;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (!pair) return offset;
      const keyOffset = (pair.key as Node).range?.[0] ?? offset;
      if (on === 'key' && depth === path.length - 1) return keyOffset;
      node = pair.value as Node | null;
      offset = node?.range?.[0] ?? keyOffset;
    } else if (isSeq(node)) {
      const item = node.items[Number(step)] as Node | undefined;
      if (!item) return offset;
      node = item;
      offset = node.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/** Bytes of a file -> text, keeping a byte order mark so that it can be refused. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
