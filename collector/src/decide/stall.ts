/** Whether a chain itself stands still: the rule's own test (CONTRACTS "Stalled") on live verdicts. */
import { isStalled } from '@highwater/config/proof/rule/stalled.ts';
import type { Judgement } from './types.ts';

/** A head of a chain: of a node, or of a reference. */
export interface LiveHead {
  readonly operator: string;
  readonly judgement: Pick<Judgement, 'status' | 'cause'>;
}

/**
 * It begins when the rule's test holds. It ends when as many heads move as are old, not when the test fails: a node
 * that stops answering in the midst of it, or one that nobody hears, moves no chain.
 * @param before whether it stood still at the last look
 */
export function standsStill(heads: readonly LiveHead[], before: boolean): boolean {
  const slots = heads.map(({ operator, judgement: { status, cause } }) => {
    const state = status === 'degraded' ? 'up' : status;
    return { operator, state, old: status === 'down' && cause === 'head-age' } as const;
  });
  if (isStalled(slots)) return true;
  const moving = slots.filter(({ state }) => state === 'up').length;
  return before && (moving === 0 || slots.filter(({ old }) => old).length > moving);
}
