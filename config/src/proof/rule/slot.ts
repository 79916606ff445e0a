/** The words of `rule/v1`: what a probe or region says, what a slot is, and why one is unknown. */

/** What a probe or a region says of one monitor in one window. */
export type Say = 'up' | 'down' | 'none';

/** What a slot says. */
export type State = 'up' | 'down' | 'unknown';

/** Why a slot is unknown (CONTRACTS "Printed"). */
export type UnknownCause = 'no-data' | 'split' | 'probe' | 'clock';

/** One UTC minute of a monitor, a node or a service, with what lies over it. */
export interface Slot {
  readonly state: State;
  readonly degraded: boolean;
  readonly maintenance: boolean;
  readonly stalled: boolean;
  /** Set where the state is unknown. */
  readonly cause?: UnknownCause;
}

/** Ties are told in this order: what a person can look into first. */
const causeOrder: readonly UnknownCause[] = ['split', 'probe', 'clock', 'no-data'];

/** The most frequent of several causes; a tie goes to split, then probe, then clock, then no data. */
export function commonCause(causes: readonly UnknownCause[]): UnknownCause {
  const times = (cause: UnknownCause): number => causes.filter((c) => c === cause).length;
  return causeOrder.reduce((best, cause) => (times(cause) > times(best) ? cause : best));
}
