/**
 * The schema of every HTTP body between parts. Version 1 is the path's `/v1/`.
 * Frames and batches are signed notes (proof/), not JSON; what is here carries or answers them.
 */
import { z } from 'zod';

const text = z.string();
const ms = z.int();
const impact = z.enum(['none', 'minor', 'major', 'critical']);
const phase = z.enum(['investigating', 'identified', 'monitoring', 'resolved']);

/** Answer to an accepted frame or batch. `at` is the collector's clock, for the probe's clock bound. */
export const accepted = z.object({
  result: z.enum(['accepted', 'held']),
  at: ms,
  /** Commit index; of batches only. */
  index: z.int().optional(),
});
export type Accepted = z.infer<typeof accepted>;

/** Answer to anything refused: status as CONTRACTS "Answers". */
export const refused = z.object({
  error: text,
  remedy: text.optional(),
  at: ms,
  /** 428: the services whose bodies the collector could not rebuild. */
  services: z.array(text).optional(),
});
export type Refused = z.infer<typeof refused>;

/**
 * POST /v1/frames: the note as text/plain, or this as application/json when faults have details.
 * `details` is by the line's place in the frame, from "0"; shown to operators, never evidence, cut at 256 characters.
 */
export const frameWithDetails = z.strictObject({ note: text, details: z.record(text, text) });
export type FrameWithDetails = z.infer<typeof frameWithDetails>;

/** POST /v1/batches as application/json: the same note again with the bodies asked for by a 428. */
export const batchWithBodies = z.strictObject({ note: text, bodies: z.record(text, text) });
export type BatchWithBodies = z.infer<typeof batchWithBodies>;

// ------------------------------------------------------------ assignments

export const wireTarget = z.strictObject({
  url: text,
  address: text.optional(),
  address6: text.optional(),
  headers: z.record(text, text),
  allowPrivate: z.boolean(),
  /** Asked over this address family alone. */
  family: z.union([z.literal(4), z.literal(6)]).optional(),
});

export const wireChain = z.strictObject({
  name: text,
  family: text,
  chainId: z.union([z.int(), text]).optional(),
  genesis: text.optional(),
  blockTimeMs: ms,
  maxLagBlocks: z.int(),
  maxAgeMs: ms,
  maxFinalityLagBlocks: z.int().optional(),
  forkDepthBlocks: z.int().optional(),
});

export const assignedMonitor = z.strictObject({
  id: text,
  kind: text,
  intervalMs: ms,
  timeoutMs: ms,
  recheckAfterMs: ms,
  fall: z.int(),
  /** A refusal by a rate limit or a ban (429, 403, …) says nothing of the target; else it is a fail. */
  refusals: z.literal('skip').optional(),
  /** As the operator wrote it; the kind's schema decodes it on the probe. */
  settings: z.unknown(),
  target: wireTarget,
  chain: text.optional(),
});
export type AssignedMonitor = z.infer<typeof assignedMonitor>;

/** What a probe is to do. Its SHA-256 is in the assignment note, which the operator key signs. */
export const assignmentBody = z.strictObject({
  probe: text,
  region: text,
  number: z.int(),
  /** Leaf hash of the configuration, base64. */
  config: text,
  /** Seed of the due times, 32 hex digits. */
  seed: text,
  /** Verifier keys of the logs, one a year, newest last: what checkpoints must be signed by. */
  logKeys: z.array(text).optional(),
  /** Bounds of its spool: bytes on disk, and the age of a batch's last minute; what is over either is dropped as a gap. */
  spool: z.strictObject({ maxBytes: z.int().min(1), maxAgeMs: ms.min(1).optional() }).optional(),
  controls: z.array(text),
  chains: z.array(wireChain),
  monitors: z.array(assignedMonitor),
});
export type AssignmentBody = z.infer<typeof assignmentBody>;

/**
 * Header of each answer to GET /v1/assignments: the operator's verifier key. A probe that was started without
 * --trust takes the first one it sees, prints it and keeps it; every other probe ignores the header.
 */
export const operatorKeyHeader = 'highwater-operator';
/** What a probe that knows neither operator nor origin yet puts as `log` into its first signed request. */
export const unknownOrigin = '-';

/** GET /v1/assignments: 200 with this or `lookNow`, or 204 when there is nothing newer than `after` within `wait`. */
export const assignment = z.strictObject({ note: text, body: text });
export type Assignment = z.infer<typeof assignment>;

/** At most so many monitors in one request to look now. */
export const maxLookNow = 20;
/**
 * Also an answer to GET /v1/assignments: another region saw these fail for the first time, look now. Unsigned: what it can
 * cause is bounded by the probe's own budget for rechecks, and what is seen is written with `re=1`, so it is in no slot.
 */
export const lookNow = z.strictObject({ look: z.array(text).min(1).max(maxLookNow) });
export type LookNow = z.infer<typeof lookNow>;
/** Only who asks with `look=1` gets `lookNow`: older probes would take it for a broken assignment. */
export const assignmentAnswer = z.union([assignment, lookNow]);

// ----------------------------------------------------------------- proofs

/**
 * Header of each signed request of a probe once it has seen a checkpoint: base64 of the newest one that it found
 * consistent, as a note. What the log's key has signed and the collector does not know is proof of another history.
 */
export const checkpointHeader = 'highwater-checkpoint';

/** At most so many leaves in one question for proofs. */
export const maxProofs = 20;

/** A SHA-256 as base64. Of any one tree up to 2^53 entries no proof has more of them. */
const proof = z.array(z.string().length(44)).max(64);
const signedCheckpoint = z.string().max(32_768);
const leafHex = z.string().length(64);

/**
 * GET /v1/proofs?leaf=HEX[&leaf=HEX …][&from=YEAR/SIZE], signed: inclusion proofs for leaves (RFC 6962 leaf hashes, hex)
 * and what leads from the checkpoint that the probe knows to the newest. Hashes are base64 of 32 bytes.
 */
export const logProofs = z.strictObject({
  /**
   * From the oldest log that is needed (of `from`, or of a leaf; without both the newest) to the newest, a log a year,
   * oldest first. Empty: nothing was signed yet.
   */
  logs: z
    .array(
      z.strictObject({
        year: z.int(),
        /** The newest checkpoint of that log, with its signatures. */
        checkpoint: signedCheckpoint,
        /** Of the log of `from` only: the consistency proof; empty when it is of the same size, or larger. */
        consistency: proof,
        /** Of all but the first: the inclusion proof of entry 0, which is `carried`, the last checkpoint of the log before. */
        carried: z.strictObject({ note: signedCheckpoint, inclusion: proof }).optional(),
      }),
    )
    .max(64),
  /** Those that are under one of the checkpoints in `logs`. */
  leaves: z
    .array(z.strictObject({ leaf: leafHex, year: z.int(), index: z.int(), inclusion: proof }))
    .max(maxProofs),
  /** Those that this collector never acknowledged, or no longer knows: they are to be sent again. */
  unknown: z.array(leafHex).max(maxProofs),
});
export type LogProofs = z.infer<typeof logProofs>;

// ------------------------------------------------------------ maintenance

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
export const maintenanceCancelled = z.object({ maintenance, at: ms });
export type MaintenanceCancelled = z.infer<typeof maintenanceCancelled>;

// ----------------------------------------------------------- configuration

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

/** Answer to POST /v1/config (text/yaml): what now holds, and from when. A refused file: 400, all errors in `error`. */
export const configApplied = z.object({
  result: z.enum(['applied', 'unchanged']),
  /** Leaf hash of the configuration, base64. */
  config: text,
  inForceFrom: ms,
  at: ms,
  changes: configChanges,
});
export type ConfigApplied = z.infer<typeof configApplied>;

// --------------------------------------------------------------------- log

/** Of GET /v1/status: the log that is written now. */
export const logStatus = z.object({
  origin: text,
  year: z.int(),
  key: text,
  /** What is signed and published. */
  size: z.int(),
  root: text,
  signedAt: ms.optional(),
  /** Leaves that were acknowledged and are under no checkpoint yet. */
  pending: z.int(),
  /** Since when nothing is signed any more, why, and what to do. */
  refused: z.object({ since: ms, because: text, remedy: text }).optional(),
  witnesses: z.array(
    z.object({
      name: text,
      url: text,
      /** The newest size that it cosigned. */
      size: z.int().optional(),
      at: ms.optional(),
      /** Why its last answer was no cosignature. */
      error: text.optional(),
    }),
  ),
  /** Whether the published checkpoint has the cosignatures that the policy asks for; absent without a policy. */
  quorum: z.boolean().optional(),
});
export type LogStatus = z.infer<typeof logStatus>;

// ------------------------------------------------------------------- feed

/** Something that a person has to look at and that is no incident of what is watched; never public. */
export const alarm = z.object({
  /** One alarm of a key is open at a time. */
  key: text,
  title: text,
  because: text,
  remedy: text,
});
export type Alarm = z.infer<typeof alarm>;

export const incidentUpdate = z.object({ id: text, at: ms, phase, body: text });
export const incident = z.object({
  id: text,
  key: text,
  title: text,
  impact,
  phase,
  startedAt: ms,
  updatedAt: ms,
  resolvedAt: ms.optional(),
  mergedInto: text.optional(),
  services: z.array(text),
  nodes: z.array(text),
  updates: z.array(incidentUpdate),
});

/** One event of the ordered feed. Numbers have no gaps; a reader goes on after the last it has handled. */
export const feedEvent = z.discriminatedUnion('type', [
  z.object({ seq: z.int(), at: ms, type: z.literal('incident.opened'), incident }),
  z.object({ seq: z.int(), at: ms, type: z.literal('incident.updated'), incident }),
  z.object({ seq: z.int(), at: ms, type: z.literal('incident.reopened'), incident }),
  z.object({ seq: z.int(), at: ms, type: z.literal('incident.resolved'), incident }),
  z.object({
    seq: z.int(),
    at: ms,
    type: z.literal('alert.acknowledged'),
    incidentId: text,
    by: text,
  }),
  z.object({
    seq: z.int(),
    at: ms,
    type: z.literal('probe.silent'),
    probe: text,
    region: text,
    since: ms,
  }),
  z.object({ seq: z.int(), at: ms, type: z.literal('probe.heard'), probe: text, region: text }),
  z.object({ seq: z.int(), at: ms, type: z.literal('alarm.raised'), alarm }),
  z.object({ seq: z.int(), at: ms, type: z.literal('alarm.cleared'), key: text }),
]);
export type FeedEvent = z.infer<typeof feedEvent>;

/** GET /v1/events?after=SEQ&wait=30s */
export const feedPage = z.object({
  events: z.array(feedEvent),
  last: z.int(),
  at: ms,
  /** Another one than before: the store was restored, and numbers begin again somewhere before those that were known. */
  history: text.optional(),
});
export type FeedPage = z.infer<typeof feedPage>;

/** POST /v1/alerts/ID/ack, ID of an incident or an alarm. */
export const ackRequest = z.strictObject({ by: z.string().min(1).max(100) });

/** GET /v1/alerts of the alerts role: what is being told to whom, newest first. */
export const alertList = z.object({
  at: ms,
  /** When the collector last answered; absent before the first time. */
  heardAt: ms.optional(),
  alerts: z.array(
    z.object({
      incident,
      state: z.enum(['open', 'held', 'over']),
      acknowledged: z.object({ by: text, at: ms }).optional(),
      /** Channels told in this episode, and when last. */
      told: z.array(z.object({ channel: text, at: ms })),
      /** When the next step, repeat or recovery message is due. */
      nextAt: ms.optional(),
      /** Why it was told as it was, newest last. */
      because: z.array(text),
    }),
  ),
  channels: z.array(z.object({ id: text, kind: text, pending: z.int(), closed: text.optional() })),
});
export type AlertList = z.infer<typeof alertList>;

// ----------------------------------------------------------------- status

const vote = z.object({
  region: text,
  status: z.enum(['up', 'degraded', 'down', 'unknown']),
  at: ms.optional(),
  latencyTenths: z.int().optional(),
  fault: text.optional(),
  detail: text.optional(),
});

const verdict = z.object({
  subject: text,
  status: z.enum(['up', 'degraded', 'down', 'unknown']),
  since: ms,
  because: text,
  votes: z.array(vote),
});

/** `stalled`: most heads stand still; `forked`: nodes have different blocks at one height. */
const headState = z.enum(['moving', 'stalled', 'forked']);

const unwell = z.object({
  state: z.enum(['silent', 'offline', 'clock', 'late', 'apart']),
  since: ms,
  /** `its probe is offline; its answers do not count` */
  because: text,
});

/** GET /v1/status: everything an operator sees; never public. */
export const operatorStatus = z.object({
  at: ms,
  site: text,
  services: z.array(verdict),
  nodes: z.array(verdict),
  monitors: z.array(verdict),
  heads: z.array(
    z.object({
      chain: text,
      height: z.int(),
      /** When the block was made; where blocks have no time, when it was first seen. */
      at: ms,
      /** Nodes and references that it was agreed from. */
      nodes: z.int(),
      references: z.int(),
      state: headState,
      because: text,
      /** As learned from the chain, within bounds of what is configured. */
      blockTimeMs: ms,
    }),
  ),
  /** Those whose answers can not be believed, or that see as down what the others see up. */
  unwellRegions: z.array(unwell.extend({ region: text, name: text })).default([]),
  probes: z.array(
    z.object({
      id: text,
      region: text,
      lastHeardAt: ms.optional(),
      clockBoundMs: z.int().optional(),
      config: text.optional(),
      current: z.boolean(),
      /** The newest minute that its committed batches reach. */
      closedMinute: z.int().optional(),
      /** Why what it sees can not be believed; absent while it is well. */
      unwell: unwell.optional(),
      /** It signed two batches under one number: from there on nothing of this epoch counts. */
      contradicted: z.object({ epoch: z.int(), from: z.int() }).optional(),
    }),
  ),
  incidents: z.array(incident),
  /** Open ones, oldest first. */
  alarms: z
    .array(
      alarm.extend({
        /** What it is acknowledged by. */
        id: text,
        since: ms,
        acknowledged: z.object({ by: text, at: ms }).optional(),
      }),
    )
    .default([]),
  log: logStatus.optional(),
});
export type OperatorStatus = z.infer<typeof operatorStatus>;

/** GET /v1/why?monitor=ID[&at=MS]: votes, the lines behind them and the step of the rule. */
export const why = z.object({
  monitor: text,
  at: ms,
  verdict,
  /** The newest lines of each probe, newest first. */
  lines: z.array(
    z.object({ probe: text, region: text, receivedAt: ms, line: text, detail: text.optional() }),
  ),
  slot: z.object({ minute: z.int(), state: z.enum(['up', 'down', 'unknown']), because: text }).optional(),
  /** What is made of it: its node's verdict now, which lag and being ahead can change too. */
  node: z
    .object({ subject: text, status: z.enum(['up', 'degraded', 'down', 'unknown']), because: text })
    .optional(),
  head: z
    .object({
      chain: text,
      height: z.int(),
      state: headState,
      /** How this node stands to it. */
      because: text,
      blockTimeMs: ms,
      lagBlocks: z.int(),
      /** The lag in time, by the block time. */
      lagMs: z.int(),
    })
    .optional(),
});
export type Why = z.infer<typeof why>;
