/** The leaf of a monthly report: what it counted up to, and the bytes of its figures. A re-issue is another leaf. */
import { MAX_MINUTE } from './batch.ts';
import { isHashText } from './bytes.ts';
import { parseMonth } from './rule/period.ts';
import { type TextReader, decimal, hashField, readText, takeNumber, takeOrigin } from './text.ts';

const HEADER = 'highwater/report/v1';
/** Of a month that ends with a year there are two logs; more is for those that are made long after. */
export const MAX_REPORT_TREES = 16;
export const RULE = 'rule/v1';

/** A log that the report used: batches at or above `size` do not count in it. */
export interface ReportTree {
  readonly year: number;
  readonly size: number;
  /** Base64. */
  readonly root: string;
}

export interface ReportLeaf {
  /** Origin of the log without the year. */
  readonly origin: string;
  /** `2026-10` */
  readonly month: string;
  /** From 1. */
  readonly revision: number;
  /** UTC minutes, both inclusive. */
  readonly minutes: { readonly first: number; readonly last: number };
  /** By year. */
  readonly trees: readonly ReportTree[];
  /** Bytes and SHA-256 (base64) of report.json. */
  readonly bytes: number;
  readonly hash: string;
}

export function formatReportLeaf(r: ReportLeaf): string {
  const lines = [
    HEADER,
    `log ${r.origin}`,
    `month ${r.month}`,
    `revision ${r.revision}`,
    `rule ${RULE}`,
    `minutes ${r.minutes.first} ${r.minutes.last}`,
    ...r.trees.map(({ year, size, root }) => `tree ${year} ${size} ${root}`),
    `report ${r.bytes} ${r.hash}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The opposite of formatReportLeaf. Never throws. */
export function parseReportLeaf(text: string): ReportLeaf | { error: string } {
  return readText<ReportLeaf>(text, HEADER, readReport, formatReportLeaf);
}

function readReport(lines: TextReader): ReportLeaf {
  const origin = takeOrigin(lines);
  const [month = ''] = lines.take('month', 1);
  if (parseMonth(month) === undefined) lines.fail('month: not a month such as 2026-10');
  const revision = takeNumber(lines, 'revision');
  if (revision < 1) lines.fail('revision: they are counted from 1');
  const [rule] = lines.take('rule', 1);
  if (rule !== RULE) lines.fail(`rule: not ${RULE}`);
  const [first, last] = lines.take('minutes', 2);
  const minutes = {
    first: decimal(lines, 'minutes', first, MAX_MINUTE),
    last: decimal(lines, 'minutes', last, MAX_MINUTE),
  };
  if (minutes.first > minutes.last) lines.fail('minutes: the first is after the last');
  const trees: ReportTree[] = [];
  while (lines.at('tree')) trees.push(takeTree(lines, trees));
  if (trees.length === 0) lines.fail('tree: no log is named');
  const [bytes, hash] = lines.take('report', 2);
  return {
    origin,
    month,
    revision,
    minutes,
    trees,
    bytes: decimal(lines, 'report', bytes),
    hash: hashField(lines, 'report', hash),
  };
}

function takeTree(lines: TextReader, before: readonly ReportTree[]): ReportTree {
  if (before.length === MAX_REPORT_TREES) lines.fail(`tree: over ${MAX_REPORT_TREES} logs`);
  const [yearText, sizeText, root = ''] = lines.take('tree', 3);
  const year = decimal(lines, 'tree', yearText, 9_999);
  if (year <= (before.at(-1)?.year ?? 0)) lines.fail('tree: not sorted by year, each once');
  const size = decimal(lines, 'tree', sizeText);
  return isHashText(root) ? { year, size, root } : lines.fail('tree: its root is not the base64 of 32 bytes');
}
