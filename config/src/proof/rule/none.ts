/**
 * The lines that say nothing (CONTRACTS "None"), one function a clause. A line that meets none of them
 * counts as ok, degraded or fail.
 */
import type { Observation } from '../../domain.ts';
import { faultId } from '../../faults.ts';
import { isDue } from '../due.ts';
import type { UnknownCause } from './slot.ts';

/** A batch whose clock bound is above this says nothing. */
export const MAX_CLOCK_BOUND_MS = 2_000;
/** The fault that the stalled overlay looks for. */
export const OLD_HEAD = 'target.head.old';

export type NoneReason =
  | 'recheck'
  | 'enrolment'
  | 'contradiction'
  | 'clock'
  | 'config'
  | 'skipped'
  | 'probe-fault'
  | 'not-due'
  | 'late'
  | 'repeat';

/** What is known of the batch and the monitor that a line belongs to. */
export interface LineContext {
  /** Of the monitor under the configuration of its window's first minute. */
  readonly intervalMs: number;
  readonly phaseMs: number;
  /** The batch's clock bound, ms; -1 when the probe does not know it. */
  readonly clockBoundMs: number;
  /** Whether the batch's index is above its key's enrolment and below its revocation. */
  readonly enrolled: boolean;
  /** Whether the key signed two different batches at this number of the epoch or below. */
  readonly contradicted: boolean;
  /** Whether the batch ran the configuration in force, or one with the same entry for this monitor. */
  readonly entryHolds: boolean;
}

export type LineClass =
  | { readonly as: 'ok' | 'degraded' | 'fail'; readonly old: boolean }
  | { readonly as: null; readonly because: NoneReason; readonly cause: UnknownCause | undefined };

/** How one line counts, and if it does not, by which clause. The clause on repeats is earlierClaim's. */
export function classifyLine(line: Observation, context: LineContext): LineClass {
  for (const [because, holds] of clauses) {
    if (holds(line, context)) return { as: null, because, cause: causeOf(because, line) };
  }
  if (line.outcome === 'skipped') throw new RangeError('unreachable: a skipped line is none');
  return { as: line.outcome, old: line.outcome === 'fail' && isOldHead(line) };
}

type Clause = (line: Observation, context: LineContext) => boolean;

export const isRecheck: Clause = (line) => line.recheck;
export const isOutsideEnrolment: Clause = (_, context) => !context.enrolled;
export const isContradicted: Clause = (_, context) => context.contradicted;
export const isClockUnsure: Clause = (_, { clockBoundMs }) =>
  clockBoundMs < 0 || clockBoundMs > MAX_CLOCK_BOUND_MS;
export const isOtherConfig: Clause = (_, context) => !context.entryHolds;
export const isSkipped: Clause = (line) => line.outcome === 'skipped';
export const isProbeFault: Clause = (line) => line.fault?.source === 'probe';
export const isNotDue: Clause = (line, { phaseMs, intervalMs }) => !isDue(line.dueAt, phaseMs, intervalMs);
export const isLate: Clause = (line, { intervalMs }) => 2 * line.lateMs > intervalMs;

/** In the order in which a reason is given; whether a line counts does not depend on it. */
const clauses: readonly (readonly [NoneReason, Clause])[] = [
  ['recheck', isRecheck],
  ['enrolment', isOutsideEnrolment],
  ['contradiction', isContradicted],
  ['clock', isClockUnsure],
  ['config', isOtherConfig],
  ['skipped', isSkipped],
  ['probe-fault', isProbeFault],
  ['not-due', isNotDue],
  ['late', isLate],
];

/** What a line that says nothing tells of why its slot may be unknown; undefined for one that leaves no hole. */
function causeOf(because: NoneReason, line: Observation): UnknownCause | undefined {
  if (because === 'recheck' || because === 'repeat') return undefined;
  if (because === 'enrolment' || because === 'config') return 'no-data';
  if (because === 'clock') return 'clock';
  // A refusal, which the operator has skipped: the probe is well, but there is nothing to go by.
  if (because === 'skipped' && line.fault?.source !== 'probe') return 'no-data';
  return line.fault?.source === 'probe' && line.fault.operation === 'clock' ? 'clock' : 'probe';
}

function isOldHead(line: Observation): boolean {
  return line.fault !== undefined && faultId(line.fault) === OLD_HEAD;
}

/** A line's place in the order in which its probe made it. */
export interface Claim {
  readonly epoch: number;
  readonly number: number;
  /** undefined: two different lines of one batch, so that neither is believed. */
  readonly line: string | undefined;
}

/**
 * Of two lines for one monitor, probe and due time the one that stands: that of the lower (epoch, number).
 * In any order and repetition the same claim results. Rechecks are no claims: they never replace a scheduled check.
 */
export function earlierClaim(a: Claim, b: Claim): Claim {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? a : b;
  if (a.number !== b.number) return a.number < b.number ? a : b;
  return a.line === b.line ? a : { epoch: a.epoch, number: a.number, line: undefined };
}
