/** The first file of a bundle: which month, and which part of which logs. Signed by nothing: the report's note must agree. */
import { daysOfMonth, minutesOfDays, parseMonth } from '../proof/rule/period.ts';
import { type TextReader, decimal, readText, takeOrigin } from '../proof/text.ts';

const HEADER = 'highwater/range/v1';
const MAX_TREES = 16;
/** Earlier entries that still matter. */
const MAX_LEAVES = 65_536;

export interface RangeTree {
  readonly year: number;
  /** Size of the start checkpoint; 0 for none. No batch of the month is below it. */
  readonly start: number;
  /** Size of the end checkpoint: what is at or above it does not count. */
  readonly size: number;
}

export interface Range {
  readonly month: string;
  /** Of a draft: the last minute that is counted, of this month. Left out: the month's last. */
  readonly last?: number;
  /** Origin of the log without the year. */
  readonly origin: string;
  /** By year, without a gap. */
  readonly trees: readonly RangeTree[];
  /** Earlier entries that are in the bundle: ascending, each below its log's `start`, or of a log before the first. */
  readonly leaves: readonly { readonly year: number; readonly index: number }[];
  /** How far the report of the month before had counted, by year; none where there is no such report. */
  readonly before: readonly { readonly year: number; readonly size: number }[];
}

export function formatRange(r: Range): string {
  const lines = [
    HEADER,
    `month ${r.month}`,
    ...(r.last === undefined ? [] : [`last ${r.last}`]),
    `log ${r.origin}`,
    ...r.trees.map(({ year, start, size }) => `tree ${year} ${start} ${size}`),
    ...r.leaves.map(({ year, index }) => `leaf ${year} ${index}`),
    ...r.before.map(({ year, size }) => `before ${year} ${size}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** The opposite of formatRange. Never throws. */
export function parseRange(text: string): Range | { error: string } {
  return readText<Range>(text, HEADER, read, formatRange);
}

function read(lines: TextReader): Range {
  const [month = ''] = lines.take('month', 1);
  const number = parseMonth(month);
  if (number === undefined) return lines.fail('month: not a month such as 2026-10');
  const last = lines.at('last') ? decimal(lines, 'last', lines.take('last', 1)[0]) : undefined;
  const minutes = minutesOfDays(daysOfMonth(number));
  if (last !== undefined && (last < minutes.first || last > minutes.last))
    lines.fail('last: not a minute of the month');
  const origin = takeOrigin(lines);
  const trees: RangeTree[] = [];
  while (lines.at('tree')) {
    if (trees.length === MAX_TREES) lines.fail(`tree: over ${MAX_TREES} logs`);
    const [year, start, size] = lines.take('tree', 3);
    const tree = {
      year: decimal(lines, 'tree', year, 9_999),
      start: decimal(lines, 'tree', start),
      size: decimal(lines, 'tree', size),
    };
    const lastYear = trees.at(-1)?.year;
    if (lastYear !== undefined && tree.year !== lastYear + 1)
      lines.fail('tree: not sorted by year without a gap');
    if (tree.start > tree.size) lines.fail('tree: it ends before it begins');
    if (lastYear !== undefined && tree.start !== 0) lines.fail('tree: only the first begins within its log');
    trees.push(tree);
  }
  const [first] = trees;
  if (first === undefined) return lines.fail('tree: no log is named');
  const leaves: { year: number; index: number }[] = [];
  while (lines.at('leaf')) {
    if (leaves.length === MAX_LEAVES) lines.fail(`leaf: over ${MAX_LEAVES}`);
    const leaf = pair(lines, 'leaf', 'index');
    const earlier = leaves.at(-1);
    if (
      earlier !== undefined &&
      (leaf.year < earlier.year || (leaf.year === earlier.year && leaf.index <= earlier.index))
    )
      lines.fail('leaf: not sorted, each once');
    if (leaf.year > first.year || (leaf.year === first.year && leaf.index >= first.start))
      lines.fail('leaf: it is among the entries');
    leaves.push(leaf);
  }
  const before: { year: number; size: number }[] = [];
  while (lines.at('before')) {
    if (before.length === MAX_TREES) lines.fail(`before: over ${MAX_TREES} logs`);
    const tree = pair(lines, 'before', 'size');
    if (tree.year <= (before.at(-1)?.year ?? 0)) lines.fail('before: not sorted by year, each once');
    const own = trees.find(({ year }) => year === tree.year);
    if (tree.year > first.year && own === undefined) lines.fail('before: it is of no log that is here');
    if (own !== undefined && tree.size > own.size) lines.fail('before: it is behind the end');
    before.push(tree);
  }
  return { month, ...(last === undefined ? {} : { last }), origin, trees, leaves, before };
}

/** The minutes that are counted: the whole month, or of a draft so much of it as is known. */
export function minutesOfRange({ month, last }: Pick<Range, 'month' | 'last'>): {
  first: number;
  last: number;
} {
  const minutes = minutesOfDays(daysOfMonth(parseMonth(month) ?? 0));
  return { first: minutes.first, last: last ?? minutes.last };
}

function pair<Name extends string>(
  lines: TextReader,
  word: string,
  name: Name,
): { year: number } & Record<Name, number> {
  const [year, value] = lines.take(word, 2);
  return { year: decimal(lines, word, year, 9_999), [name]: decimal(lines, word, value) } as {
    year: number;
  } & Record<Name, number>;
}
