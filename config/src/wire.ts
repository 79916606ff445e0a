/**
 * The schema of every HTTP body between parts. Version 1 is the path's `/v1/`.
 * Frames and batches are signed notes (proof/), not JSON; what is here carries or answers them.
 */
import { z } from 'zod';
import { logStatus } from './wire-log.ts';

export * from './wire-log.ts';
export * from './wire-operator.ts';
export * from './wire-reports.ts';

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
  /** By private service that it asks: 32 bytes in hex, under which batches commit to its bodies (proof/body-hash.ts). */
  salts: z.record(text, z.string().regex(/^[0-9a-f]{64}$/)).optional(),
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
  z.object({
    seq: z.int(),
    at: ms,
    type: z.literal('report.published'),
    /** `2026-10` */
    month: text,
    revision: z.int(),
    /** Its summary: a line a service, then what else is to be known. */
    lines: z.array(text),
  }),
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
  /** Evidence: the first day (`2026-11-01`) whose bodies are all kept, and until when months can be counted again. */
  bodies: z
    .object({ keptFrom: text, recomputable: z.array(z.object({ month: text, until: ms })) })
    .optional(),
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
  /** Where the window of `at` is over, the lines that were due in it; else the newest of each probe, newest first. */
  lines: z.array(
    z.object({
      probe: text,
      region: text,
      /** Of a line from the log: when its batch came. */
      receivedAt: ms,
      line: text,
      detail: text.optional(),
      /** The batch that has it, and where that lies in the log. */
      batch: z
        .object({
          epoch: z.int(),
          number: z.int(),
          log: z.object({ year: z.int(), index: z.int() }).optional(),
        })
        .optional(),
      /** Whether the rule counts it in the window; `because` where not. */
      counts: z.boolean().optional(),
      because: text.optional(),
    }),
  ),
  /** The window, in minutes; batches whose bodies can't be read again; lines of it that are not shown. */
  decided: z.object({ first: z.int(), last: z.int(), gone: z.int(), more: z.int() }).optional(),
  slot: z
    .object({
      minute: z.int(),
      state: z.enum(['up', 'down', 'unknown']),
      because: text,
      /** Of the regions with an enrolled probe so many have to say the same. */
      quorum: z.object({ needed: z.int(), regions: z.int() }).optional(),
    })
    .optional(),
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
