/**
 * Lets go of views that are older than `retention.slots`, each by its own period, in small transactions. What charts alone
 * are made of goes earlier.
 */
import { DAY_MS, HOUR_MS, type Instant } from '@highwater/config/time.ts';
import type { Store, View } from '../store/store.ts';

const BLOCKS_AT_ONCE = 500;

function monthOf(at: Instant): number {
  const date = new Date(at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** The period in which an instant lies: periods before it are over by then. */
export const periodOf: Readonly<Record<View, (at: Instant) => number>> = {
  slots: (at) => Math.floor(at / DAY_MS),
  totals: monthOf,
  heads: (at) => Math.floor(at / HOUR_MS),
  latency: (at) => Math.floor(at / HOUR_MS),
  'latency-days': (at) => Math.floor(at / DAY_MS),
};

/**
 * Charts show hours of two days and days of a month; what is kept beyond is for whoever looks into an incident of a quarter,
 * and compares a day with that of the year before.
 */
const CHARTS_STAY_MS: Partial<Record<View, number>> = {
  heads: 90 * DAY_MS,
  latency: 90 * DAY_MS,
  'latency-days': 400 * DAY_MS,
};

/** How long blocks of a view are kept, ms. */
export function staysMs(view: View, slotsMs: number): number {
  return Math.min(slotsMs, CHARTS_STAY_MS[view] ?? slotsMs);
}

/** Returns how many blocks of the shards went. */
export async function dropOldBlocks(
  store: Store,
  shards: Iterable<string>,
  slotsMs: number,
  now: Instant,
  signal?: AbortSignal,
): Promise<number> {
  let dropped = 0;
  for (const shard of shards) {
    for (const [view, period] of Object.entries(periodOf) as [View, (at: Instant) => number][]) {
      for (let count = BLOCKS_AT_ONCE; count === BLOCKS_AT_ONCE && !(signal?.aborted ?? false);) {
        count = await store.transact(shard, (tx) =>
          tx.dropBlocks(view, period(now - staysMs(view, slotsMs)), BLOCKS_AT_ONCE),
        );
        dropped += count;
      }
    }
  }
  return dropped;
}
