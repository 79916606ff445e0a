/**
 * One piece of the config through its schema, with every mistake as a Finding. Pieces are decoded apart
 * (each region, node, check …), so that a mistake in one hides none in the others.
 */
import { z } from 'zod';
import { nearest, showShape, showValue } from './problems.ts';
import type { Finding, Path } from './problems.ts';
import { notYet, plannedKeys } from './planned.ts';

/** One piece: where it stands, as written, and decoded when nothing is wrong with it. */
export interface Entry<T> {
  readonly path: Path;
  readonly raw: unknown;
  readonly value: T | undefined;
}

const unset = '\u0000';

/** Decodes `raw`; every mistake goes to `findings`. Undefined when there was one. */
export function decode<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  path: Path,
  findings: Finding[],
): z.output<S> | undefined {
  const result = schema.safeParse(raw, { error: () => unset });
  if (result.success) return result.data;
  const seen = new Set<string>();
  for (const finding of result.error.issues.flatMap((issue) => toFindings(schema, raw, path, issue))) {
    // A text that is both too long and malformed is one mistake to its writer: the first message is enough.
    const place = JSON.stringify([finding.path, finding.on]);
    if (!seen.has(place)) findings.push(finding);
    seen.add(place);
  }
  return undefined;
}

/** Decodes each item of a list; a missing list is an empty one. */
export function decodeList<S extends z.ZodType>(
  schema: S,
  raw: unknown,
  path: Path,
  limit: number,
  findings: Finding[],
): Entry<z.output<S>>[] {
  return listOf(raw, path, limit, findings).map((item, index) => {
    const itemPath = [...path, index];
    return { path: itemPath, raw: item, value: decode(schema, item, itemPath, findings) };
  });
}

/** The items of a list as written, at most `limit`. */
export function listOf(raw: unknown, path: Path, limit: number, findings: Finding[]): readonly unknown[] {
  if (!Array.isArray(raw)) return [];
  if (raw.length <= limit) return raw;
  findings.push(wrong(path, raw, `${raw.length} entries, write at most ${limit}`));
  return raw.slice(0, limit);
}

/** A mistake in a value. */
export function wrong(path: Path, value: unknown, message: string): Finding {
  return { path, on: 'value', value: showValue(path, value), message };
}

/** A text field of something that may be anything. */
export function textOf(raw: unknown, name: string): string | undefined {
  const value = fieldOf(raw, name);
  return typeof value === 'string' ? value : undefined;
}

/** A field of something that may be anything. */
export function fieldOf(raw: unknown, name: string | number): unknown {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, name)) return undefined;
  return (raw as Record<string | number, unknown>)[name];
}

/** A key that is not in the schema: a planned one, a typing error, or nothing known. */
export function unknownKey(path: Path, raw: unknown, known: readonly string[]): Finding {
  const name = String(path.at(-1));
  const at = { path, on: 'key', value: showShape(raw) } as const;
  if (plannedKeys[generic(path.slice(0, -1))]?.includes(name))
    return { ...at, message: `${notYet}, remove it` };
  const near = nearest(name, known);
  const remedy = near === undefined ? `write one of: ${known.join(', ')}` : `did you mean ${near}?`;
  return { ...at, message: `unknown key, ${remedy}` };
}

/** `services[].nodes[]`: a path without its indexes. */
function generic(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}

function toFindings(schema: z.ZodType, raw: unknown, base: Path, issue: z.core.$ZodIssue): Finding[] {
  const inner = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  const path = [...base, ...inner];
  const value = inner.reduce<unknown>(fieldOf, raw);
  const target = schemaAt(schema, inner);
  if (issue.code === 'unrecognized_keys') {
    const inside = target && bare(target);
    const known = inside instanceof z.ZodObject ? Object.keys(inside.shape) : [];
    return issue.keys.map((name) => unknownKey([...path, name], fieldOf(value, name), known));
  }
  // A bad key of a record: the mistake is in the key, and its message is inside.
  if (issue.code === 'invalid_key') {
    const message = issue.issues.map((nested) => nested.message).find((text) => text !== unset);
    return [
      { path, on: 'key', value: showShape(value), message: message ?? 'not a key that can stand here' },
    ];
  }
  const message =
    issue.message === unset || issue.message === '' ? sentence(issue, value, target) : issue.message;
  return [wrong(path, value, message)];
}

/** What is wrong where the schema has no words of its own. */
function sentence(issue: z.core.$ZodIssue, value: unknown, target: z.ZodType | undefined): string {
  const remedy = remedyOf(target) ?? 'look at the examples in docs/config.md';
  if (value === undefined) return `required, ${remedy}`;
  switch (issue.code) {
    case 'invalid_type': {
      const type = typeNames[issue.expected];
      return `not ${type?.name ?? issue.expected}, ${type?.remedy ?? remedy}`;
    }
    case 'invalid_value':
      return `not one of the values allowed, write ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return `${sizes[issue.origin]?.small ?? 'too small'}, write ${String(issue.minimum)} or more`;
    case 'too_big':
      return `${sizes[issue.origin]?.big ?? 'too large'}, write ${String(issue.maximum)} or less`;
    case 'invalid_union':
      return unionSentence(issue, remedy);
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return `not of the form expected, ${remedy}`;
  }
}

/** Of the forms a value may have, the one whose complaint has words of its own. */
function unionSentence(issue: z.core.$ZodIssueInvalidUnion, remedy: string): string {
  const worded = issue.errors.flat().find((nested) => nested.message !== unset && nested.message !== '');
  return worded?.message ?? `none of the forms that can stand here, ${remedy}`;
}

const sizes: Readonly<Record<string, { readonly small: string; readonly big: string }>> = {
  string: { small: 'too few characters', big: 'too many characters' },
  array: { small: 'too few entries', big: 'too many entries' },
};

/** Types by the name that zod gives them: what people call them, and what to write where there is no example. */
const typeNames: Readonly<Record<string, { readonly name: string; readonly remedy: string }>> = {
  string: { name: 'text', remedy: 'write text, in quotes if it has special characters' },
  number: { name: 'a number', remedy: 'write a number without quotes' },
  int: { name: 'a whole number', remedy: 'write a whole number without quotes' },
  boolean: { name: 'true or false', remedy: 'write true or false without quotes' },
  array: { name: 'a list', remedy: 'write a list, [ … ] or lines that begin with -' },
  object: { name: 'a map', remedy: 'write a map, { key: value } or lines of key: value' },
  record: { name: 'a map', remedy: 'write a map, { key: value } or lines of key: value' },
};

/** What to write instead, by the example or the description of the key. */
function remedyOf(target: z.ZodType | undefined): string | undefined {
  const meta = metaOf(target);
  const [example] = meta?.examples ?? [];
  if (example !== undefined) return `write for example ${written(example)}`;
  return meta?.description === undefined
    ? undefined
    : `write ${lowerFirst(meta.description.replace(/\.$/, ''))}`;
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

interface Meta {
  readonly description?: string | undefined;
  readonly examples?: readonly unknown[] | undefined;
}

/** The description and example of a schema, through its wrappers. */
export function metaOf(schema: z.ZodType | undefined): Meta | undefined {
  for (let at = schema; at !== undefined; at = unwrap(at)) {
    const meta = at.meta();
    if (meta?.description !== undefined || meta?.['examples'] !== undefined) return meta;
  }
  return undefined;
}

/** The schema inside optional, default, transform …; undefined when there is none. */
export function unwrap(schema: z.ZodType): z.ZodType | undefined {
  const definition = schema.def as { innerType?: z.ZodType; in?: z.ZodType };
  return definition.innerType ?? definition.in;
}

/** Through all wrappers. */
export function bare(schema: z.ZodType): z.ZodType {
  let at = schema;
  for (let inner = unwrap(at); inner !== undefined; inner = unwrap(at)) at = inner;
  return at;
}

/** The schema of what stands at a path inside a schema; undefined where that is not one thing. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const step of path) {
    const inside: z.ZodType = bare(at);
    if (inside instanceof z.ZodObject) at = (inside.shape as Record<string, z.ZodType | undefined>)[step];
    else if (inside instanceof z.ZodArray) at = inside.element as z.ZodType;
    else if (inside instanceof z.ZodRecord) at = inside.valueType as z.ZodType;
    else return undefined;
    if (at === undefined) return undefined;
  }
  return at;
}
