/** How long to wait before the next attempt. Pure. */
import { MINUTE_MS } from '@highwater/config/time.ts';

/** Low enough that what was held up arrives within two minutes of the far side's recovery. */
export const maxBackoffMs = MINUTE_MS;
export const minBackoffMs = 1_000;

/**
 * Milliseconds after the `attempt`th attempt (from 1): doubles from one second to a minute, of which a random
 * half is taken off (`random` in 0..1), so that many that failed together do not come back together.
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(30, Math.max(0, attempt - 1)));
  return Math.round(full * (1 - random / 2));
}
