/** Of the bodies in wire.ts, those by which an operator declares something: maintenance, a remark, a configuration. */
import { z } from 'zod';

const text = z.string();
const ms = z.int();

/** One line, and several: no other control characters. */
const oneLine = /^[^\p{Cc}\u2028\u2029]*$/u;
const severalLines = /^[^\p{Cc}]*(?:\n[^\p{Cc}]*)*$/u;

/**
 * POST /v1/maintenance: `of` holds services and nodes (`SERVICE`, `SERVICE/NODE`); it begins now without `startsAt`.
 * It counts in whole minutes, from the first after it was logged at the earliest.
 */
export const maintenanceRequest = z.strictObject({
  title: z.string().trim().min(1).max(200).regex(oneLine),
  body: z.string().trim().max(2_000).regex(severalLines).optional(),
  of: z.array(z.string().max(200)).min(1).max(1_000),
  startsAt: ms.min(0).optional(),
  forMs: ms.min(60_000),
});
export type MaintenanceRequest = z.infer<typeof maintenanceRequest>;

export const maintenance = z.object({
  /** First 16 hex digits of the leaf hash. */
  id: text,
  title: text,
  body: text.optional(),
  of: z.array(text),
  /** [startsAt, endsAt): the minutes that it covers; of one cancelled before it began, those that it would have. */
  startsAt: ms,
  endsAt: ms,
  declaredAt: ms,
  /** When it was cancelled: it ends at `endsAt` instead of later. */
  cancelledAt: ms.optional(),
  /** `cancelled`: before it covered a minute; one that was ended early is over. */
  state: z.enum(['planned', 'active', 'over', 'cancelled']),
});
export type Maintenance = z.infer<typeof maintenance>;

/** GET /v1/maintenance: planned and active first, then the newest hundred that are over or cancelled. */
export const maintenanceList = z.object({ at: ms, maintenance: z.array(maintenance) });
export type MaintenanceList = z.infer<typeof maintenanceList>;

/** Answer to POST /v1/maintenance. */
export const maintenanceDeclared = z.object({
  /** `held`: exactly this was declared before. */
  result: z.enum(['declared', 'held']),
  maintenance,
  /** What may be other than was meant, in sentences: that it counts later, or not for a service. */
  warnings: z.array(text),
  at: ms,
});
export type MaintenanceDeclared = z.infer<typeof maintenanceDeclared>;

/** POST /v1/maintenance/ID/cancel: from `endsAt` on it covers nothing; without it, as soon as can be. */
export const maintenanceCancel = z.strictObject({ endsAt: ms.min(0).optional() });
export const maintenanceCancelled = z.object({ maintenance, warnings: z.array(text).default([]), at: ms });
export type MaintenanceCancelled = z.infer<typeof maintenanceCancelled>;

/**
 * POST /v1/annotations: a remark about an entry of the log. `of` is its leaf hash (base64 or hex) or its place,
 * `YEAR/INDEX`; `text` one line of at most 2,000 characters.
 */
export const annotationRequest = z.strictObject({ of: z.string().max(100), text: z.string() });
export type AnnotationRequest = z.infer<typeof annotationRequest>;

export const annotationWritten = z.object({
  /** `held`: exactly this was written before. */
  result: z.enum(['written', 'held']),
  /** Leaf hash of the remark, and of what it is about; base64. */
  leaf: text,
  of: text,
  at: ms,
});
export type AnnotationWritten = z.infer<typeof annotationWritten>;

const changedIds = z.object({ added: z.array(text), removed: z.array(text), changed: z.array(text) });

/** What one configuration has other than the one before, by id; `other` names the parts of it that have no ids. */
export const configChanges = z.object({
  services: changedIds,
  nodes: changedIds,
  monitors: changedIds,
  probes: changedIds,
  other: z.array(text),
});
export type ConfigChanges = z.infer<typeof configChanges>;

/**
 * Answer to POST /v1/config (text/yaml) and POST /v1/config/reload: what now holds, and from when. A refused file: 400, all
 * errors in `error`.
 */
export const configApplied = z.object({
  result: z.enum(['applied', 'unchanged']),
  /** Leaf hash of the configuration, base64. */
  config: text,
  /** Whether that leaf was written now: what is not public of a configuration is in no leaf. */
  isNewLeaf: z.boolean(),
  /** The file that holds it, on the collector's machine: callers have the token. */
  file: text,
  inForceFrom: ms,
  at: ms,
  changes: configChanges,
});
export type ConfigApplied = z.infer<typeof configApplied>;

/** Answer to GET /v1/config: where the configuration that runs is kept, for callers with the token. */
export const configPlace = z.object({
  /** Absolute, on the collector's machine. */
  file: text,
  /** The data folder, with all links followed. */
  data: text,
  /** Of the log without the year. */
  origin: text,
});
export type ConfigPlace = z.infer<typeof configPlace>;
