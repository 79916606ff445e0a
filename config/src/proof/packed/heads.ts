/**
 * Heads in order of time, so that each is near the highest of its chain so far, and what is told of a block is told once.
 * Chains are told apart by how high they are: nothing in a line names one.
 */
import { numberOf } from './line-parts.ts';
import { Group, inOrderOfTime, isOfHead, keyColumn, type Kind, MAX_GROUPS, type Shape } from './segment.ts';
import type { ColumnsReader, ColumnsWriter } from './columns.ts';
import type { Texts } from './texts.ts';
import { type ByteReader, type ByteWriter, MAX_NUMBER, PackError, unzigzag, zigzag } from './wire.ts';

/** What a segment that is written knows of its lines. */
export interface HeadsToWrite {
  readonly columns: ColumnsWriter;
  readonly texts: Texts;
  readonly table: { readonly monitors: readonly string[]; readonly keyKinds: readonly Kind[] };
  /** By line. */
  readonly ats: readonly number[];
  readonly monitorOfLine: readonly number[];
  readonly heads: readonly {
    readonly line: number;
    readonly shape: Shape;
    readonly values: readonly string[];
  }[];
}

/** What a segment that is read knows of its lines. */
export interface HeadsToRead {
  readonly columns: ColumnsReader;
  readonly text: (number: number) => string;
  readonly keyKinds: readonly Kind[];
  readonly groupOf: readonly number[];
  /** Lines with heads. */
  readonly headLines: readonly number[];
  /** By line. */
  readonly ats: readonly number[];
  readonly shapeOfLine: readonly Shape[];
  readonly monitorOfLine: readonly number[];
  /** By key and line. */
  readonly values: readonly (string | number)[][];
}

/** Heights of one chain in a segment lie nearer than this. */
const NEAR_BLOCKS = 100_000;

const heightAt = (shape: Shape, kinds: readonly Kind[]): number =>
  shape.keys.findIndex((key) => kinds[key] === 'height');

const isHash = (text: string): boolean => /^[0-9a-f]{8}$/.test(text);

function putHash(out: ByteWriter, hex: string): void {
  for (let i = 0; i < 8; i += 2) out.byte(Number.parseInt(hex.slice(i, i + 2), 16));
}

function takeHash(from: ByteReader): string {
  const bytes = from.bytes(4);
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** `HEIGHT.ID`; undefined for anything else. */
function blockOf(text: string): { height: number; id: string } | undefined {
  const dot = text.indexOf('.');
  const [height, id] = [numberOf(text.slice(0, Math.max(dot, 0))), text.slice(dot + 1)];
  return height >= 0 && isHash(id) ? { height, id } : undefined;
}

/** Numbers of the keys by name that heads are told with. */
const idKeyOf = (kinds: readonly Kind[]): number => kinds.indexOf('block');

/** Returns the group of each monitor. */
export function writeHeads(writer: HeadsToWrite): number[] {
  const { table, ats, heads, monitorOfLine, columns, texts } = writer;
  const kinds = table.keyKinds;
  const groupOf: (number | undefined)[] = table.monitors.map(() => undefined);
  const groups: Group[] = [];
  const byLine = new Map(heads.map((head) => [head.line, head]));
  const groupFor = (monitor: number, height: number): Group => {
    let number = groupOf[monitor];
    if (number === undefined) {
      number = groups.findIndex((group) => Math.abs(group.highest - height) < NEAR_BLOCKS);
      if (number < 0) number = Math.min(groups.length, MAX_GROUPS - 1);
      groupOf[monitor] = number;
    }
    return (groups[number] ??= new Group());
  };
  const order = inOrderOfTime([...byLine.keys()], ats);
  for (const line of order) {
    const { shape, values } = byLine.get(line) as (typeof heads)[number];
    const place = heightAt(shape, kinds);
    const height = place < 0 ? 0 : numberOf(values[place] ?? '');
    const group = groupFor(monitorOfLine[line] ?? 0, height);
    if (place >= 0) {
      columns.at(keyColumn(shape.keys[place] ?? 0)).signed(height - group.highest);
      group.highest = Math.max(group.highest, height);
    }
    for (const [i, key] of shape.keys.entries()) {
      const kind = kinds[key] as Kind;
      if (!isOfHead(kind) || kind === 'height') continue;
      const value = values[i] ?? '';
      const out = columns.at(keyColumn(key));
      if (group.told(height, key) === value) {
        out.number(0);
        continue;
      }
      const number = kind === 'near' ? numberOf(value) : -1;
      const block = kind === 'fork' ? blockOf(value) : undefined;
      if (number >= 0) {
        out.number(2 + zigzag(number - group.last(key)));
        group.setLast(key, number);
      } else if (kind === 'block' && isHash(value)) {
        out.number(2);
        putHash(columns.at(keyColumn(key, 2)), value);
      } else if (block !== undefined) {
        out.number(2);
        columns.at(keyColumn(key, 2)).signed(height - block.height);
        const isTold = group.told(block.height, idKeyOf(kinds)) === block.id;
        columns.at(keyColumn(key, 3)).number(isTold ? 0 : 1);
        if (!isTold) putHash(columns.at(keyColumn(key, 4)), block.id);
      } else {
        out.number(1);
        columns.at(keyColumn(key, 1)).number(texts.of(value));
      }
      group.tell(height, key, value);
    }
  }
  return groupOf.map((group) => group ?? 0);
}

/** Fills in the values of heads. Throws PackError. */
export function readHeads(reader: HeadsToRead): void {
  const { keyKinds: kinds, ats, headLines, shapeOfLine, monitorOfLine, groupOf, columns, values } = reader;
  const groups: Group[] = [];
  const idKey = idKeyOf(kinds);
  for (const line of inOrderOfTime(headLines, ats)) {
    const shape = shapeOfLine[line] as Shape;
    const group = (groups[groupOf[monitorOfLine[line] ?? 0] ?? 0] ??= new Group());
    const place = heightAt(shape, kinds);
    let height = 0;
    if (place >= 0) {
      const key = shape.keys[place] ?? 0;
      height = checked(group.highest + columns.at(keyColumn(key)).signed());
      if (height > group.highest) group.highest = height;
      (values[key] as (string | number)[])[line] = height;
    }
    for (const key of shape.keys) {
      const kind = kinds[key] as Kind;
      if (!isOfHead(kind) || kind === 'height') continue;
      const code = columns.at(keyColumn(key)).number();
      let value: string;
      if (code === 0) {
        const told = group.told(height, key);
        if (told === undefined) throw new PackError('a head is as one that was not told');
        value = told;
      } else {
        value = readTold(reader, group, { kind, key, code, height, idKey });
        group.tell(height, key, value);
      }
      (values[key] as (string | number)[])[line] = value;
    }
  }
}

function readTold(
  { columns, text }: HeadsToRead,
  group: Group,
  what: { kind: Kind; key: number; code: number; height: number; idKey: number },
): string {
  const { kind, key, code, height, idKey } = what;
  if (code === 1) return text(columns.at(keyColumn(key, 1)).number());
  if (kind === 'near') {
    const number = checked(group.last(key) + unzigzag(code - 2));
    group.setLast(key, number);
    return String(number);
  }
  if (code !== 2) throw new PackError('a head is told in an unknown way');
  if (kind === 'block') return takeHash(columns.at(keyColumn(key, 2)));
  const of = checked(height - columns.at(keyColumn(key, 2)).signed());
  const id =
    columns.at(keyColumn(key, 3)).number(1) === 0
      ? group.told(of, idKey)
      : takeHash(columns.at(keyColumn(key, 4)));
  if (id === undefined) throw new PackError('a block is as one that was not told');
  return `${of}.${id}`;
}

function checked(value: number): number {
  if (value < 0 || value > MAX_NUMBER) throw new PackError('a number is out of bounds');
  return value;
}
