/** The plain data that the collector's decisions work on. All of it is JSON: what is saved is what is loaded. */
import type { Cause, Flip, Head, Impact, Incident, RegionVote, Status } from '@highwater/config/domain.ts';
import type { FaultId } from '@highwater/config/faults.ts';
import type { Instant } from '@highwater/config/time.ts';

/**
 * A decision with memory. Returns the next state and what should happen; never does it.
 * The driver saves both in one transaction and carries the effects out from the outbox.
 */
export type Core<State, Event, Effect> = (
  state: State,
  event: Event,
  now: Instant,
) => readonly [State, readonly Effect[]];

/** One observation as the live verdict needs it. Skipped ones and faults of the probe never get here. */
export interface Answer {
  readonly monitor: string;
  readonly probe: string;
  readonly region: string;
  /** When the check was due; for a recheck the time of the recheck itself. */
  readonly dueAt: Instant;
  /** When the collector received it: freshness is counted from here, never from the probe's clock. */
  readonly receivedAt: Instant;
  readonly outcome: 'ok' | 'degraded' | 'fail';
  readonly latencyTenths: number;
  readonly fault?: FaultId;
  readonly detail?: string;
  readonly recheck: boolean;
  readonly height?: number;
  readonly blockAt?: Instant;
  /** First 8 hex digits of the genesis hash: nodes of other chains are never compared. */
  readonly genesis?: string;
  readonly blockId?: string;
  readonly finalizedHeight?: number;
  /** An older block, by which forks are seen. */
  readonly checkpoint?: Block;
  /** By method, what nodes are compared by: `PARAMS8.RESULT8`. */
  readonly equal?: Readonly<Record<string, string>>;
}

/** A block by its height and the first 8 hex digits of its id; of the chain with this genesis, where that is told. */
export interface Block {
  readonly height: number;
  readonly id: string;
  readonly genesis?: string;
}

/** One result of a method that nodes are compared by, both as 8 hex digits of their SHA-256. */
export interface Reply {
  readonly params: string;
  readonly result: string;
  readonly receivedAt: Instant;
}

/** Why a probe could not tell of a monitor: a fault of its own, or a check that it skipped. It is no answer. */
export interface ProbeTrouble {
  readonly monitor: string;
  readonly probe: string;
  readonly region: string;
  readonly receivedAt: Instant;
  readonly fault: FaultId;
}

/** What one probe says of one monitor, damped by `fall` and `rise`. */
export interface Streak {
  /** `unknown` only before `fall` failing answers have confirmed a first failure. */
  readonly state: 'ok' | 'fail' | 'unknown';
  /** Due time of the first answer of the row that led to `state`. */
  readonly sinceDueAt: Instant;
  /** Answers in a row that contradict `state`; 0 when the newest agrees. */
  readonly against: number;
  /** Due time of the first answer of that row. */
  readonly againstSinceDueAt?: Instant;
  /** While `state` is ok: whether it is degraded, damped by the same `fall` and `rise`. */
  readonly degraded: boolean;
  /** Answers in a row that contradict `degraded`. */
  readonly degradedAgainst: number;
  /** Fault of the newest answer that was not ok, for the `because`. */
  readonly trouble?: { readonly fault?: FaultId; readonly detail?: string };
  readonly newest: Answer;
  /** The newest checkpoints that it has reported, oldest first. */
  readonly blocks?: readonly Block[];
  /** By method, the newest results, one for each of the newest parameters, oldest first. */
  readonly replies?: Readonly<Record<string, readonly Reply[]>>;
}

/** How monitors are judged: from the configuration. */
export interface MonitorPolicy {
  readonly id: string;
  readonly fall: number;
  readonly rise: number;
  /** Assigned regions that have an enrolled probe: n is their number. */
  readonly regions: readonly string[];
  readonly quorum: number;
  /** Two intervals + timeout + 5 s. */
  readonly freshMs: number;
}

/** A region's vote with what the judgement needs beside it. */
export interface Vote extends RegionVote {
  /** Due time from which the region has said so. */
  readonly sinceDueAt?: Instant;
  /** Of the probes behind a vote that says up: how many are plainly ok, how many degraded. */
  readonly ok: number;
  readonly degraded: number;
}

/** A verdict without its memory: what the votes say now. */
export interface Judgement {
  readonly status: Status;
  readonly because: string;
  /** Of a monitor only; empty for nodes and services. */
  readonly votes: readonly Vote[];
  /** For `down` the first failing due time, for `up` the due time that completed it; of what was last known, if at all, for `unknown`. */
  readonly sinceDueAt?: Instant;
  /** Regions whose own answers say that it is down, whatever the others say; sorted. */
  readonly downIn: readonly string[];
  /** Regions that see anything of it down; sorted. More than `downIn` only for services. */
  readonly troubleIn: readonly string[];
  readonly cause?: Cause;
  /** Impact none: some regions see trouble, too few for a verdict. A sentence. */
  readonly notice?: string;
}

/** A service as its judgement needs it. */
export interface ServicePolicy {
  readonly id: string;
  readonly minUp: number;
  /** `service/node` ids of the nodes with a monitor that counts. */
  readonly nodes: readonly string[];
}

/** Services, nodes and zones as the incident decision needs them: watched nodes only (with a check that counts). */
export interface Topology {
  readonly services: readonly {
    readonly id: string;
    readonly name: string;
    readonly group?: string;
    readonly chain?: string;
    readonly minUp: number;
    /** Node ids without the service: `eu`, not `rpc/eu`. */
    readonly nodes: readonly { readonly id: string; readonly zone: string }[];
  }[];
  /** Those whose heads are compared. */
  readonly chains?: readonly {
    readonly id: string;
    /** How long a node whose head is old waits to see whether its chain stands still; 0: it can't be seen. */
    readonly stallWaitMs: number;
  }[];
}

/** Limits of a chain that heads and lag are judged by. */
export interface ChainPolicy {
  readonly name: string;
  readonly blockTimeMs: number;
  readonly maxLagBlocks: number;
}

/** What one probe last read of one node's head, or of a reference's. */
export interface HeadSample {
  readonly monitor: string;
  /** `service/node`, or `chain.NAME/HOST` of a reference. */
  readonly node: string;
  readonly probe: string;
  readonly genesis?: string;
  readonly height: number;
  /** When the node had this height. */
  readonly at: Instant;
  /** When the block was made, by its own time. */
  readonly blockAt?: Instant;
  readonly finalizedHeight?: number;
  /** It failed by its age: such a head is asked only when the whole chain stands still. */
  readonly isOld?: boolean;
  /** The check's own limit, where it has one. */
  readonly maxLagBlocks?: number;
  /** By receipt: from then on it is not counted. */
  readonly freshUntil: Instant;
}

/** A head agreed among the nodes of one chain that share a genesis. */
export interface AgreedHead extends Head {
  readonly genesis?: string;
  /** When it was made, as most that are at it say; absent for families that don't tell. */
  readonly blockAt?: Instant;
  /** How many of `nodes` are references. */
  readonly references: number;
}

/** How a node stands to its chain's agreed head; of several head checks the one that is off. */
export interface Standing {
  readonly head: AgreedHead;
  readonly height: number;
  /** Negative when ahead. */
  readonly lagBlocks: number;
  /** The same by the chain's block time. */
  readonly lagMs: number;
  readonly finalizedHeight?: number;
  readonly verdict: 'level' | 'behind' | 'ahead';
  readonly because: string;
}

/**
 * Any flips may be handed in, those of monitors are ignored. What one look gave belongs in one event: then a node and
 * its service that come back together are one update, not two.
 */
export type IncidentEvent = (
  { readonly type: 'flips'; readonly flips: readonly Flip[] } | { readonly type: 'tick' }
) & {
  /** What is under maintenance now; nothing when it is left out. */
  readonly maintained?: Cover;
};

/** What is under maintenance (`SERVICE`, `SERVICE/NODE`, as it was declared), and until when. */
export type Cover = ReadonlyMap<string, Instant>;

export type IncidentEffect = {
  readonly type: 'opened' | 'updated' | 'reopened' | 'resolved';
  readonly incident: Incident;
  readonly impact: Impact;
};

/** A chain's heads as they are now. */
export interface Heads {
  readonly heads: readonly AgreedHead[];
  readonly byNode: ReadonlyMap<string, Standing>;
  /** The block time that they were compared along. */
  readonly blockTimeMs: number;
}
