/** Of the bodies in wire.ts, those of monthly reports. The report itself is report/report.ts. */
import { z } from 'zod';

const text = z.string();
const ms = z.int();
const count = z.int().min(0);

/** Headline of a service: minutes of the month as the rule counts them, maintenance apart. */
const reportedService = z.object({
  id: text,
  name: text,
  objectiveMillionths: count.optional(),
  up: count,
  down: count,
  unknown: count,
  stalled: count,
  degraded: count,
  maintenance: count,
  /** As `printedUptime` gives it: absent where the rule gives no figure. */
  uptime: text.optional(),
  coverage: text.optional(),
  incomplete: z.boolean(),
});

export const publishedReport = z.object({
  /** `2026-10` */
  month: text,
  revision: z.int().min(1),
  madeAt: ms,
  /** Leaf hash of its note, base64. */
  leaf: text,
  /** Of the archive (.tar.gz). */
  bytes: count,
  services: z.array(reportedService),
  /** Files of the bundle. */
  files: count,
  /** Differences to the revision before, where there is one. */
  differences: count.optional(),
});
export type PublishedReport = z.infer<typeof publishedReport>;

export const reportPhase = z.enum(['log', 'bodies', 'report', 'publishing']);

export const reportMaking = z.object({
  month: text,
  revision: z.int().min(1),
  isDraft: z.boolean(),
  phase: reportPhase,
  doneBytes: count,
  /** As far as it is known; never below what is done. */
  allBytes: count,
  /** What is being read, for people. */
  of: text,
  since: ms,
});

/** GET /v1/reports: newest month first, of each month the newest revision first. */
export const reportList = z.object({
  at: ms,
  reports: z.array(publishedReport),
  making: reportMaking.optional(),
  /** The next that is made by itself. */
  next: z.object({ month: text, dueAt: ms }).optional(),
  /** The last one that failed, until it is made. */
  failed: z.object({ month: text, because: text, tries: count, retryAt: ms.optional() }).optional(),
  /** Drafts that are kept for download: unsigned, not in the log. */
  drafts: z.array(z.object({ month: text, madeAt: ms, until: ms, bytes: count })),
});
export type ReportList = z.infer<typeof reportList>;

/** POST /v1/reports/YYYY-MM: `revise` makes another revision of one that is there. */
export const reportRequest = z.strictObject({ revise: z.boolean().optional() });

/** 202 `making`, also when it was being made; 200 `there`. Of a draft, `revision` is 0. */
export const reportAsked = z.object({
  result: z.enum(['making', 'there']),
  month: text,
  revision: count,
  at: ms,
});
export type ReportAsked = z.infer<typeof reportAsked>;

/** 409: not settled, with the time at which it will be made; or what is in the way. */
export const reportTooEarly = z.object({
  error: text,
  remedy: text.optional(),
  at: ms,
  dueAt: ms.optional(),
});
export type ReportTooEarly = z.infer<typeof reportTooEarly>;

/** Files that GET /v1/reports/MONTH/FILE gives besides, whole and as they are: `?revision=N`, `?draft=1`. */
export const reportFiles = [
  'report.json',
  'report.note',
  'report.tlog-proof',
  'report.consistency',
  'report.md',
  'report.csv',
  'README.md',
] as const;
/** The archive, by the same way. Range requests are not served. */
export const reportArchive = 'tar.gz';
/** GET /v1/reports/MONTH/bundle/NAME: one file of the bundle, always with content-encoding gzip. */
export const bundlePrefix = 'bundle/';
