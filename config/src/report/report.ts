/**
 * report.json: `counted` and `logged` can be made again from the bundle; `told` is the operator's word. All keys are written
 * in the order of the schema, so that the same report is the same bytes.
 */
import { z } from 'zod';
import { counted } from './counted.ts';
import { logged } from './logged.ts';

const count = z.int().min(0);
const text = z.string();

export const toldIncident = z.strictObject({
  id: text,
  title: text,
  impact: text,
  startedAt: count,
  /** When it was opened, acknowledged, resolved: Unix ms. */
  openedAt: count,
  acknowledgedAt: count.optional(),
  resolvedAt: count.optional(),
  services: z.array(text),
  nodes: z.array(text),
  updates: z.array(z.strictObject({ at: count, phase: text, body: text })),
});

/** A month before, as its report has it. */
export const toldBefore = z.strictObject({
  month: text,
  revision: count,
  services: z.array(z.strictObject({ id: text, up: count, down: count, unknown: count, maintenance: count })),
});

export const told = z.strictObject({
  site: z.strictObject({ name: text, url: text }),
  operator: text,
  /** When this revision was made, Unix ms. */
  madeAt: count,
  services: z.array(
    z.strictObject({ id: text, name: text, group: text.optional(), objectiveMillionths: count.optional() }),
  ),
  incidents: z.array(toldIncident),
  /** Newest first. */
  before: z.array(toldBefore),
  /** Where the operator says that the month's end is put. */
  anchor: text.optional(),
});

/** What differs from the revision before, as paths of this file: `counted.services.rpc.up: 43190 -> 43188`. */
export const supersedes = z.strictObject({
  revision: count,
  /** Leaf hash of its note, base64. */
  leaf: text,
  differences: z.array(text),
  /** More than are told. */
  more: count,
});

export const report = z.strictObject({
  version: z.literal(1),
  rule: z.literal('rule/v1'),
  month: text,
  revision: count.min(1),
  minutes: z.strictObject({ first: count, last: count }),
  /** Unsigned, in no log, of a month that has not settled: counted up to this minute (`minutes.last`), and no further. */
  draft: z.strictObject({ lastMinute: count }).optional(),
  /** Origin of the log without the year. */
  origin: text,
  /** Verifier key of the operator, who signs configurations and the report. */
  operatorKey: text,
  /** Of the bundle's policy: how many witnesses there are, and how many cosigned the end of the last log. */
  witnesses: z.strictObject({ signed: count, all: count }),
  logs: z.array(z.strictObject({ year: count, start: count, size: count, root: text, key: text })),
  supersedes: supersedes.optional(),
  counted,
  logged,
  told,
});
export type Report = z.infer<typeof report>;
export type Told = z.infer<typeof told>;

export const MAX_REPORT_BYTES = 64 * 1024 * 1024;
/** Told of two revisions. */
export const MAX_DIFFERENCES = 200;

/** The bytes of report.json: what its note commits to. */
export function formatReport(value: Report): string {
  return `${JSON.stringify(report.parse(value), undefined, 1)}\n`;
}

/** Undefined fields are left out, unknown ones refused. Never throws. */
export function parseReport(json: string): Report | { error: string } {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { error: 'it is no JSON' };
  }
  const read = report.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    return { error: `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it is no report'}` };
  }
  return formatReport(read.data) === json
    ? read.data
    : { error: 'it is not written as formatReport writes it' };
}
