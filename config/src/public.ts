/**
 * The only types that the web may see. The collector makes a PublicSnapshot from its own state by naming
 * each field; the site parses it with this schema, so that nothing else can pass by accident.
 */
import { z } from 'zod';

const text = z.string();
const ms = z.int();
const count = z.int().min(0);
const status = z.enum(['up', 'degraded', 'down', 'unknown']);

export const publicTotals = z.strictObject({
  up: count,
  down: count,
  unknown: count,
  maintenance: count,
  stalled: count,
  degraded: count,
});

/** One UTC day: counts of minutes. `date` is `2026-11-21`. */
export const publicDay = publicTotals.extend({ date: text });
export type PublicDay = z.infer<typeof publicDay>;

/** Uptime of 90 days as rule/v1 prints it. Texts end in ` %`; absent where the rule gives none. */
export const publicUptime = z.strictObject({
  figure: text.optional(),
  coverage: text.optional(),
  atLeast: text.optional(),
  atMost: text.optional(),
  incomplete: z.boolean(),
});
export type PublicUptime = z.infer<typeof publicUptime>;

/** How many minutes of being down the objective allows, of the minutes that are known, and how many are left. */
export const publicAllowance = z.strictObject({
  /** `99.9 %`. */
  objective: text,
  /** Whole minutes, rounded down. */
  allowedMinutes: count,
  /** Minutes down. */
  spentMinutes: count,
  /** allowedMinutes - spentMinutes: negative when it is overspent. */
  leftMinutes: z.int(),
  /** leftMinutes had all unknown minutes been down, and had they been up; absent where nothing is unknown. */
  leftAtLeastMinutes: z.int().optional(),
  leftAtMostMinutes: z.int().optional(),
  /** leftMinutes of allowedMinutes, rounded down: `61.3425 %`, `-12.0000 %`; absent where nothing is allowed. */
  left: text.optional(),
});
export type PublicAllowance = z.infer<typeof publicAllowance>;

export const publicBudgetSummary = publicAllowance.extend({ period: z.literal('30d') });
export type PublicBudgetSummary = z.infer<typeof publicBudgetSummary>;

export const publicRegionVote = z.strictObject({
  region: text,
  status,
  at: ms.optional(),
  latencyTenths: count.optional(),
  /** `source.operation.code`; never the detail, which may hold addresses. */
  fault: text.optional(),
});

/** Latency of one node's checks in one region by hour: the median of the answers that came, within 1 %. */
export const publicLatency = z.strictObject({
  region: text,
  /** Start of the first hour, ms; one entry an hour, null where nothing was measured. */
  from: ms,
  hourlyTenths: z.array(count.nullable()),
});

/** One method of one node over the last 24 hours, all regions together. */
export const publicMethod = z.strictObject({
  check: text,
  method: text,
  /** Answers with a time. */
  calls: count,
  /** Of those, tenths of a millisecond, within 1 %; absent without any. */
  p50Tenths: count.optional(),
  p95Tenths: count.optional(),
  /** Answers with a fault, most frequent first. */
  faults: z.array(z.strictObject({ fault: text, count })),
  /** Start of the first hour, ms; medians, one an hour, null where nothing was measured. */
  from: ms,
  hourlyP50Tenths: z.array(count.nullable()),
});
export type PublicMethod = z.infer<typeof publicMethod>;

export const publicNode = z.strictObject({
  id: text,
  zone: text,
  status,
  since: ms.optional(),
  because: text,
  height: count.optional(),
  /** Negative when it is ahead. */
  lagBlocks: z.int().optional(),
  /** The lag in time, by the chain's block time. */
  lagMs: z.int().optional(),
  headAt: ms.optional(),
  finalizedHeight: count.optional(),
  checks: z.array(
    z.strictObject({
      id: text,
      kind: text,
      /** Asked over this address family alone, apart from the other: the id then ends in `.v4` or `.v6`. */
      family: z.union([z.literal(4), z.literal(6)]).optional(),
      status,
      because: text,
      regions: z.array(publicRegionVote),
    }),
  ),
  latency: z.array(publicLatency),
  methods: z.array(publicMethod),
  days: z.array(publicDay),
  uptime: publicUptime,
});
export type PublicNode = z.infer<typeof publicNode>;

export const publicService = z.strictObject({
  id: text,
  name: text,
  description: text.optional(),
  group: text.optional(),
  status,
  /** Statuspage word, with the regional and maintenance cases that `status` cannot say. */
  component: z.enum([
    'operational',
    'degraded_performance',
    'partial_outage',
    'major_outage',
    'under_maintenance',
  ]),
  since: ms.optional(),
  because: text,
  /** The agreed head of its chain. */
  head: z
    .strictObject({
      chain: text,
      height: count,
      /** When the block was made; where blocks have no time, when it was first seen. */
      at: ms,
      /** Nodes and references that it was agreed from. */
      nodes: count,
      /** `stalled`: most heads stand still; `forked`: nodes have different blocks at one height. */
      state: z.enum(['moving', 'stalled', 'forked']),
      because: text,
      /** As learned from the chain, within bounds of what is configured. */
      blockTimeMs: ms,
    })
    .optional(),
  nodes: z.array(publicNode),
  /** Oldest first, at most 90; days before the first record are absent. */
  days: z.array(publicDay),
  uptime: publicUptime,
  /** 0 to 1, of at most six decimals. */
  objectiveRatio: z.number().optional(),
  /** Of a service with an objective; kept snapshots from before have none. */
  budget: publicBudgetSummary.optional(),
});
export type PublicService = z.infer<typeof publicService>;

export const publicIncident = z.strictObject({
  id: text,
  title: text,
  impact: z.enum(['none', 'minor', 'major', 'critical']),
  phase: z.enum(['investigating', 'identified', 'monitoring', 'resolved']),
  startedAt: ms,
  updatedAt: ms,
  resolvedAt: ms.optional(),
  services: z.array(text),
  nodes: z.array(text),
  updates: z.array(
    z.strictObject({
      id: text,
      at: ms,
      phase: z.enum(['investigating', 'identified', 'monitoring', 'resolved']),
      body: text,
    }),
  ),
});
export type PublicIncident = z.infer<typeof publicIncident>;

/** Minutes that are declared to count apart. Those of private services alone are left out. */
export const publicMaintenance = z.strictObject({
  id: text,
  title: text,
  body: text.optional(),
  /** `SERVICE` and `SERVICE/NODE`, sorted. */
  of: z.array(text),
  /** [startsAt, endsAt), whole minutes; of one that was cancelled before it began, those that it would have had. */
  startsAt: ms,
  endsAt: ms,
  declaredAt: ms,
  cancelledAt: ms.optional(),
  /** At `generatedAt`. `cancelled`: before it covered a minute; one that was ended early is over. */
  state: z.enum(['planned', 'active', 'over', 'cancelled']),
});
export type PublicMaintenance = z.infer<typeof publicMaintenance>;

/** A region and whether what it sees can be believed. */
export const publicRegion = z.strictObject({
  id: text,
  name: text,
  probes: count,
  heardAt: ms.optional(),
  /**
   * `offline`: its own network is gone; `clock`: its clock is wrong; `late`: stopped or too busy; `apart`: it sees as down
   * what the others see up. Kept snapshots from before this was told have none.
   */
  state: z.enum(['well', 'silent', 'offline', 'clock', 'late', 'apart']).default('well'),
  /** Unless it is well. */
  since: ms.optional(),
  /** Unless it is well: `its probe is offline; its answers do not count`. */
  because: text.optional(),
});
export type PublicRegion = z.infer<typeof publicRegion>;

export const publicSnapshot = z.strictObject({
  version: z.literal(1),
  site: z.strictObject({ name: text, url: text }),
  /** The collector's clock when it was made. */
  generatedAt: ms,
  /** When the newest observation was received; absent before the first. */
  observedAt: ms.optional(),
  /** Older than this is stale: twice the shortest interval, at least two minutes. */
  staleAfterMs: ms,
  /** First start of this installation: where its history begins. */
  startedAt: ms,
  regions: z.array(publicRegion),
  /** What can be promised with so many regions, in a sentence. */
  holds: text,
  services: z.array(publicService),
  /** Newest first: all open ones, and those of the last 90 days, at most 100. Impact none is left out. */
  incidents: z.array(publicIncident),
  /** By its beginning: all that are planned or active, and those of the last 90 days, at most 100. Kept snapshots from before have none. */
  maintenance: z.array(publicMaintenance).default([]),
});
export type PublicSnapshot = z.infer<typeof publicSnapshot>;
