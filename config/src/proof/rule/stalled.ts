/** A chain that stands still is no fault of its nodes (CONTRACTS "Stalled"). */
import type { State } from './slot.ts';

/** One head of a chain in one minute: of a node, or of a reference. */
export interface HeadSlot {
  readonly state: State;
  /** Down by `target.head.old` alone. */
  readonly old: boolean;
  readonly operator: string;
}

/** Service ids that begin with this are references: their heads are evidence, in no node's or service's slot. */
export const REFERENCE_PREFIX = 'chain.';

/** At least three heads of at least two operators, and more than half of those not unknown, are down by age alone. */
export function isStalled(heads: readonly HeadSlot[]): boolean {
  const old = heads.filter((head) => head.state === 'down' && head.old);
  const known = heads.filter((head) => head.state !== 'unknown');
  const operators = new Set(old.map((head) => head.operator));
  return old.length >= 3 && operators.size >= 2 && 2 * old.length > known.length;
}
