/**
 * What a report counts from lines: integers alone, each of which anybody can count again. Fields that are lists of numbers
 * are so because there are many of them.
 */
import { z } from 'zod';

const count = z.int().min(0);
const text = z.string();

const counts = {
  up: count,
  down: count,
  unknown: count,
  stalled: count,
  /** Lies over `up`; not added. */
  degraded: count,
  unknownNoData: count,
  unknownSplit: count,
  unknownProbe: count,
  unknownClock: count,
  /** Single requests that counted, and those that succeeded. */
  requests: count,
  succeeded: count,
};

/** RuleTotals. */
export const reportTotals = z.strictObject({
  ...counts,
  maintenance: count,
  inMaintenance: z.strictObject(counts),
});

/** One subject as the regions agreed, or as one of them saw it. */
export const countedSubject = z.strictObject({
  /** `rpc`, `rpc/eu`, `rpc/eu/head`. */
  subject: text,
  /** Left out: as agreed. */
  region: text.optional(),
  totals: reportTotals,
});

/** A day of a service or node as agreed, by place in the month: up, down, unknown, maintenance, stalled, degraded. */
const day = z.tuple([count, count, count, count, count, count]);

export const countedDays = z.strictObject({ subject: text, days: z.array(day) });

/** Minutes in which a service or node was down, one after the other without another in between; maintenance apart. */
export const countedOutage = z.strictObject({ subject: text, firstMinute: count, minutes: count });

/**
 * Latencies of lines that count as ok or degraded (as many as `succeeded`, with the minutes that stand still), in tenths of a millisecond: the bin (proof/count/latency-bins.ts) of the one of rank
 * ceil(ratio x count), told by its upper end.
 */
const latency = { count, p50Tenths: count, p95Tenths: count, p99Tenths: count };

export const countedLatency = z.strictObject({
  /** A service, or a node: `rpc`, `rpc/eu`. */
  subject: text,
  /** Left out: of all regions together. */
  region: text.optional(),
  /** `*` is the whole check. */
  method: text,
  ...latency,
});

/** Of a service, all regions and methods `*`, by day: count, p50, p95, p99. */
export const countedLatencyDays = z.strictObject({
  subject: text,
  days: z.array(z.tuple([count, count, count, count])),
});

/**
 * How far a node was behind: in each stretch of five minutes the highest height that it told, held against the highest that two
 * nodes or references of its chain had reached.
 */
export const countedHead = z.strictObject({
  /** `rpc/eu` */
  subject: text,
  chain: text,
  /** Stretches in which both are known. */
  stretches: count,
  /** In these it was level, or ahead. */
  level: count,
  /** Blocks; nearest rank over the stretches, 0 where it was level or ahead. */
  lagP50Blocks: count,
  lagP95Blocks: count,
  lagMaxBlocks: count,
  /** The highest height that it told in the month. */
  highest: count,
});

/** A certificate as a check saw it last in the month: expiry (fact `ce`, Unix ms), and days left at the month's end. */
export const countedCertificate = z.strictObject({
  monitor: text,
  expiresAt: count,
  daysLeft: z.int(),
});

export const countedService = z.strictObject({
  id: text,
  chain: text.optional(),
  /** Minutes of the month for which it was configured and public. */
  minutes: count,
  subjects: z.array(countedSubject),
  days: z.array(countedDays),
  outages: z.array(countedOutage),
  latency: z.array(countedLatency),
  latencyDays: z.array(countedLatencyDays),
  heads: z.array(countedHead),
  certificates: z.array(countedCertificate),
});

/**
 * Minutes in which a probe's key was enrolled and its region asked, and no line that was read is due; told where there are more
 * than the window of the shortest interval that it has, and two.
 */
const silence = z.strictObject({ firstMinute: count, minutes: count });
/** Numbers of an epoch that its full spool dropped, or that are in no log as far as it was counted. */
const gap = z.strictObject({ epoch: count, first: count, last: count, why: z.enum(['dropped', 'missing']) });

export const countedProbe = z.strictObject({
  id: text,
  /** Whole verifier key: a probe with two keys in the month is told twice. */
  key: text,
  region: text,
  operator: text,
  /** Its operator is none that a configuration of the range names as its own; of older ones, which name none, none of a node. */
  isByOthers: z.boolean(),
  /** Of the month. */
  batches: count,
  lines: count,
  gaps: z.array(gap),
  silent: z.array(silence),
  /** Epochs that count for nothing from a number on: it signed two texts under it. */
  voided: z.array(z.strictObject({ epoch: count, from: count })),
});

/** Batches of earlier months that came after their report had been counted. */
export const countedLater = z.strictObject({
  month: text,
  probe: text,
  batches: count,
  lines: count,
  firstMinute: count,
  lastMinute: count,
});

export const counted = z.strictObject({
  services: z.array(countedService),
  probes: z.array(countedProbe),
  later: z.array(countedLater),
  /** Bodies that batches commit to and that could not be had: their lines count for nothing. */
  missing: z.array(z.strictObject({ service: text, date: text, bodies: count })),
});

export type Counted = z.infer<typeof counted>;
export type CountedService = z.infer<typeof countedService>;
export type CountedProbe = z.infer<typeof countedProbe>;
export type CountedLatency = z.infer<typeof countedLatency>;
export type CountedCertificate = z.infer<typeof countedCertificate>;
export type CountedLater = z.infer<typeof countedLater>;
export type CountedHead = z.infer<typeof countedHead>;
export type ReportTotals = z.infer<typeof reportTotals>;
