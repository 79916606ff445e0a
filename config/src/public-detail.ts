/**
 * What the page of one public service is made of, beside the snapshot: its numbers, and its charts. Like the snapshot it
 * is built by naming each field, and parsed with this schema, so that nothing else can pass by accident.
 */
import { z } from 'zod';
import { publicAllowance, publicBudgetSummary, publicTotals, publicUptime } from './public.ts';

const text = z.string();
const ms = z.int();
const count = z.int().min(0);
const tenths = count;

// ------------------------------------------------------------------ numbers

/**
 * `24h`: the last 1,440 closed minutes. `7d`, `30d`, `90d`: so many UTC days, today included. `2026-11`: a UTC month, as far
 * as it has come.
 */
export const publicPeriodName = z.string().regex(/^(24h|7d|30d|90d|[0-9]{4}-(0[1-9]|1[0-2]))$/);

/** Unknown minutes by cause; their sum is `unknown` of the totals. */
export const publicUnknown = z.strictObject({ noData: count, split: count, probe: count, clock: count });

/** What was counted, and what the rule prints of it. */
export const publicCounted = z.strictObject({
  /** Minutes. */
  totals: publicTotals,
  unknown: publicUnknown,
  /** Single requests that counted, and those that succeeded; without those in maintenance or while the chain stood still. */
  requests: count,
  succeeded: count,
  uptime: publicUptime,
  /** With the minutes in maintenance put back by what they would have been. */
  withMaintenance: publicUptime,
  /** The share of requests that succeeded: `99.9950 %`; absent without any. */
  share: text.optional(),
});
export type PublicCounted = z.infer<typeof publicCounted>;

export const publicPeriod = publicCounted.extend({
  period: publicPeriodName,
  /** UTC minutes since 1970, both inclusive, that the period spans. Those before the first record are in no count. */
  firstMinute: count,
  lastMinute: count,
});
export type PublicPeriod = z.infer<typeof publicPeriod>;

export const publicSubject = z.strictObject({
  /** `rpc`, `rpc/a`, `rpc/a/head`. */
  subject: text,
  /** As this region alone saw it; absent where the regions agreed by the rule. */
  region: text.optional(),
  /** 24h, 7d, 30d, 90d, this month, the month before; each stands even where nothing was counted. */
  periods: z.array(publicPeriod),
});
export type PublicSubject = z.infer<typeof publicSubject>;

/** How fast the budget goes in a window that ends with the last closed minute; 1.00 would spend it in just the period. */
export const publicBurn = z.strictObject({
  window: z.enum(['1h', '6h', '1d', '3d']),
  /** Two decimals, rounded up: `14.40`. */
  rate: text.optional(),
  /** Why there is no rate: nothing is known of the window, or an objective of 100 % has no budget that could go. */
  none: z.enum(['no-data', 'no-budget']).optional(),
  /** Had all unknown minutes been up, and had they been down; absent where nothing is unknown, and without a budget. */
  atLeast: text.optional(),
  atMost: text.optional(),
});
export type PublicBurn = z.infer<typeof publicBurn>;

/** The budget of 30 days, and how fast it goes. */
export const publicBudget = publicBudgetSummary.extend({
  /** 1h, 6h, 1d, 3d. */
  burn: z.array(publicBurn),
});
export type PublicBudget = z.infer<typeof publicBudget>;

export const publicNumbers = z.strictObject({
  /**
   * The service, its nodes, their checks; after the service and each node, the same as single regions saw it. Of checks, and
   * of a node as a region saw it, 30d alone: `GET /v1/uptime` answers for any other period.
   */
  subjects: z.array(publicSubject),
  /** Absent for a service without an objective. */
  budget: publicBudget.optional(),
});
export type PublicNumbers = z.infer<typeof publicNumbers>;

// -------------------------------------------------------------------- uptime

/** The longest range that is answered for, days. */
export const MAX_UPTIME_DAYS = 400;

/** `GET /v1/uptime`: one subject over a range that was asked for. */
export const uptimeAnswer = publicCounted.extend({
  version: z.literal(1),
  subject: text,
  region: text.optional(),
  /** Named ones alone: `30d`. */
  period: publicPeriodName.optional(),
  /** UTC minutes since 1970, both inclusive. */
  firstMinute: count,
  lastMinute: count,
  /** UTC days with anything counted, oldest first; none for `24h`, which is no number of days. `date` is `2026-11-21`. */
  days: z.array(publicCounted.extend({ date: text })).max(MAX_UPTIME_DAYS),
  /** Of a service with an objective, as its regions agreed. */
  budget: publicAllowance.optional(),
});
export type UptimeAnswer = z.infer<typeof uptimeAnswer>;

// ------------------------------------------------------------------- charts

/** Of the answers of some time: how many had a latency, and their quantiles in tenths of a millisecond, within 1 %. */
export const publicQuantiles = z.strictObject({
  count,
  p50Tenths: tenths,
  p95Tenths: tenths,
  p99Tenths: tenths,
});
export type PublicQuantiles = z.infer<typeof publicQuantiles>;

export const publicMethodLatency = z.strictObject({
  region: text,
  /** `*` is every answer of the service's checks. */
  method: text,
  /** Start of the first hour, ms. */
  from: ms,
  /** One entry an hour, null where nothing was measured. */
  hours: z.array(publicQuantiles.nullable()).max(48),
});
export type PublicMethodLatency = z.infer<typeof publicMethodLatency>;

export const publicNodeHeads = z.strictObject({
  /** Start of the first entry, ms. */
  from: ms,
  everyMs: z.int().min(1),
  /** The highest height seen in each stretch, null without any. */
  heights: z.array(count.nullable()).max(289),
  /** Below the highest that at least two nodes or references have reached; negative when it is ahead. */
  lagBlocks: z.array(z.int().nullable()).max(289),
});
export type PublicNodeHeads = z.infer<typeof publicNodeHeads>;

export const publicNodeCharts = z.strictObject({
  node: text,
  /** UTC days, oldest first; those without an answer are absent. `date` is `2026-11-21`. */
  days: z.array(publicQuantiles.extend({ date: text })).max(30),
  /** The last 24 h; absent for a node without heads. */
  heads: publicNodeHeads.optional(),
});
export type PublicNodeCharts = z.infer<typeof publicNodeCharts>;

export const publicCharts = z.strictObject({
  latency: z.array(publicMethodLatency),
  /** Methods that are measured and not shown: those asked least, where there are more than 16; absent without any. */
  leftOut: z.array(text).optional(),
  nodes: z.array(publicNodeCharts),
});
export type PublicCharts = z.infer<typeof publicCharts>;

// ---------------------------------------------------------------- the whole

/** `GET /v1/services/ID`. */
export const publicServiceDetail = z.strictObject({
  version: z.literal(1),
  /** The service's id. */
  service: text,
  /** When this was made, ms. */
  generatedAt: ms,
  /** First start of this installation, ms: where its history begins. */
  startedAt: ms,
  numbers: publicNumbers,
  charts: publicCharts,
});
export type PublicServiceDetail = z.infer<typeof publicServiceDetail>;

/** The same with what is most of it not looked at yet: whoever reads it checks that piece by piece, and not at one go. */
export const publicServiceShell = publicServiceDetail.extend({
  numbers: publicNumbers.extend({ subjects: z.array(z.unknown()) }),
  charts: publicCharts.extend({ nodes: z.array(z.unknown()) }),
});
