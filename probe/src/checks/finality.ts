/** Whether finality lags for so long that somebody should know. */
import type { Fault } from '@highwater/config/faults.ts';
import type { Chain } from '@highwater/config/model.ts';
import { MINUTE_MS, type Instant } from '@highwater/config/time.ts';
import { fault } from '../fault.ts';

/** How long a gap over the limit must last: Parity's own alert for nodes (polkadot-sdk alerting-rules.yaml). */
const patienceMs = 8 * MINUTE_MS;
/** So many times the limit is not waited for. */
const atOnce = 5;

/** When the gap was first seen over the limit, and from when on nothing was said of it since. */
interface Over {
  readonly since: Instant;
  readonly silentSince?: Instant;
}

/**
 * To be called in each round with a head, whatever else is wrong.
 * @param finalized undefined where the node does not say: for a while that is neither better nor worse
 * @param memory keeps since when the gap has been over the limit
 */
export function finalityTrouble(
  finalized: number | undefined,
  best: number,
  at: Instant,
  { maxFinalityLagBlocks: limit }: Chain,
  memory: Map<string, unknown>,
): Fault | undefined {
  if (limit === undefined) return undefined;
  const over = memory.get('finality') as Over | undefined;
  if (finalized === undefined) {
    if (over) memory.set('finality', { silentSince: at, ...over } satisfies Over);
    return undefined;
  }
  const gap = best - finalized;
  if (gap <= limit) {
    memory.delete('finality');
    return undefined;
  }
  const silentMs = over?.silentSince === undefined ? 0 : at - over.silentSince;
  const since = over && silentMs < patienceMs ? over.since : at;
  memory.set('finality', { since } satisfies Over);
  if (gap <= atOnce * limit && at - since < patienceMs) return undefined;
  return fault('target.head.finality', `${gap} blocks between best and finalized, limit ${limit}`);
}
