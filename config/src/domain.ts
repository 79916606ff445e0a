/** The nouns of the house. Types and a few total functions; plain, readonly, JSON-safe data. */
import type { Fault } from './faults.ts';
import type { Instant } from './time.ts';

export type Outcome = 'ok' | 'degraded' | 'fail' | 'skipped';

/** Where the time of one exchange went, in tenths of a millisecond. A phase that did not happen is 0. */
export interface Phases {
  readonly resolve: number;
  readonly connect: number;
  readonly tls: number;
  readonly firstByte: number;
  readonly transfer: number;
}

/** One answer from one region at one time. */
export interface Observation {
  /** `service/node/check` */
  readonly monitor: string;
  readonly dueAt: Instant;
  readonly outcome: Outcome;
  /** Total time in tenths of a millisecond. */
  readonly latencyTenths: number;
  readonly fault?: Fault;
  /** Keys of the line grammar (CONTRACTS "Line") apart from `p`, `late` and `re`: h, bt, id, fh, g, v, m.ID … */
  readonly facts: Readonly<Record<string, string>>;
  readonly phases?: Phases;
  /** Milliseconds after `dueAt` at which the check began; 0 when on time. */
  readonly lateMs: number;
  /** A recheck: counts for the live verdict, never in slots. */
  readonly recheck: boolean;
}

export type Status = 'up' | 'degraded' | 'down' | 'unknown';

/** What one region says of a monitor now. */
export interface RegionVote {
  readonly region: string;
  readonly status: Status;
  /** Receipt time of the newest observation behind it. */
  readonly at?: Instant;
  readonly latencyTenths?: number;
  readonly fault?: Fault;
}

/**
 * What explains a status beyond its subject: `head-age`, down by the age of the chain's head alone (the chain itself
 * may stand still); `fork`, degraded by other blocks than the other nodes have alone; `certificate`, one that is about
 * to expire or has.
 */
export type Cause = 'head-age' | 'fork' | 'certificate';

/** What the regions agree on for one monitor, node, service or chain (`chain:NAME`). */
export interface Verdict {
  readonly subject: string;
  readonly status: Status;
  readonly since: Instant;
  readonly because: string;
  readonly cause?: Cause;
  readonly votes: readonly RegionVote[];
}

/**
 * A damped verdict that changed; history, cause and outbox in one. `at` is the first failing due time. Of a status
 * that stays while its cause changes `from` and `to` are one.
 */
export interface Flip {
  readonly id: string;
  readonly subject: string;
  readonly at: Instant;
  readonly from: Status;
  readonly to: Status;
  readonly because: string;
  readonly cause?: Cause;
}

export type Impact = 'none' | 'minor' | 'major' | 'critical';
export type Phase = 'investigating' | 'identified' | 'monitoring' | 'resolved';

export interface IncidentUpdate {
  readonly id: string;
  readonly at: Instant;
  readonly phase: Phase;
  readonly body: string;
}

/** A story for people. Automatic ones are keyed by their cause. */
export interface Incident {
  readonly id: string;
  /** `chain:X`, `zone:X`, `service:X`, `node:SERVICE/NODE`; `manual:ID` for those that people write. */
  readonly key: string;
  readonly title: string;
  readonly impact: Impact;
  readonly phase: Phase;
  readonly startedAt: Instant;
  readonly updatedAt: Instant;
  readonly resolvedAt?: Instant;
  /** Resolved only because it turned out to be part of this incident, which goes on: no recovery is told. */
  readonly mergedInto?: string;
  /** Service ids. */
  readonly services: readonly string[];
  /** `service/node` ids that are, or were, down in it. */
  readonly nodes: readonly string[];
  /** Oldest first. */
  readonly updates: readonly IncidentUpdate[];
  /** Of alarms: what to do. */
  readonly remedy?: string;
}

/** The agreed height of a chain. */
export interface Head {
  readonly chain: string;
  readonly height: number;
  readonly at: Instant;
  /** How many nodes it was agreed from; with 1 or 2 there is no majority to speak of. */
  readonly nodes: number;
}

/** Counts of UTC minutes; `all` is their sum (CONTRACTS "Totals"). */
export interface Totals {
  readonly up: number;
  readonly down: number;
  readonly unknown: number;
  readonly maintenance: number;
  readonly stalled: number;
  /** Lies over `up`; not added. */
  readonly degraded: number;
}

export const impactRank: Readonly<Record<Impact, number>> = { none: 0, minor: 1, major: 2, critical: 3 };

/** Splits `service/node/check`. */
export function monitorParts(id: string): { service: string; node: string; check: string } {
  const [service = '', node = '', check = ''] = id.split('/');
  return { service, node, check };
}
