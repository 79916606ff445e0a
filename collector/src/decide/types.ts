/** The plain data that the collector's decisions work on. */
import type { Head, Impact, Incident, RegionVote, Status } from '@highwater/config/domain.ts';
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
}

/** What one probe says of one monitor, damped by `fall` and `rise`. */
export interface Streak {
  readonly state: 'ok' | 'fail';
  /** Answers in a row that contradict `state`; 0 when the newest agrees. */
  readonly against: number;
  /** Due time of the first answer of that row, or of the row that led to `state`. */
  readonly sinceDueAt: Instant;
  readonly newest: Answer;
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

/** A verdict without its memory: what the votes say now. */
export interface Judgement {
  readonly status: Status;
  readonly because: string;
  readonly votes: readonly RegionVote[];
  /** For `down`: the first failing due time; otherwise the due time of the newest answer behind it. */
  readonly sinceDueAt?: Instant;
}

/** Services, nodes and zones as the incident decision needs them. */
export interface Topology {
  readonly services: readonly {
    readonly id: string;
    readonly name: string;
    readonly group?: string;
    readonly chain?: string;
    readonly minUp: number;
    readonly nodes: readonly { readonly id: string; readonly zone: string }[];
  }[];
}

/** How a node stands to its chain's agreed head. */
export interface Standing {
  readonly head: Head;
  readonly height: number;
  /** Negative when ahead. */
  readonly lagBlocks: number;
  readonly verdict: 'level' | 'behind' | 'ahead';
  readonly because: string;
}

export type IncidentEffect = {
  readonly type: 'opened' | 'updated' | 'reopened' | 'resolved';
  readonly incident: Incident;
  readonly impact: Impact;
};
