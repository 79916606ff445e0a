/** Whether finality lags for so long that somebody should know. */
import type { Fault } from '@highwater/config/faults.ts';
import type { Chain } from '@highwater/config/model.ts';
import { MINUTE_MS, type Instant } from '@highwater/config/time.ts';
import { fault } from '../fault.ts';

/** How long a gap over the limit must last: Parity's own alert for nodes (polkadot-sdk alerting-rules.yaml). */
const patienceMs = 8 * MINUTE_MS;
/** So many times the limit is not waited for. */
const atOnce = 5;

/** @param memory keeps since when the gap has been over the limit */
export function finalityTrouble(
  finalized: number | undefined,
  best: number,
  at: Instant,
  { maxFinalityLagBlocks: limit }: Chain,
  memory: Map<string, unknown>,
): Fault | undefined {
  const gap = finalized === undefined ? 0 : best - finalized;
  if (limit === undefined || gap <= limit) {
    memory.delete('finality');
    return undefined;
  }
  const since = (memory.get('finality') as Instant | undefined) ?? at;
  memory.set('finality', since);
  if (gap <= atOnce * limit && at - since < patienceMs) return undefined;
  return fault('target.head.finality', `${gap} blocks between best and finalized, limit ${limit}`);
}
