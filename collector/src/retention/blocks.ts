/** Lets go of views that are older than `retention.slots`, each by its own period, in small transactions. */
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
          tx.dropBlocks(view, period(now - slotsMs), BLOCKS_AT_ONCE),
        );
        dropped += count;
      }
    }
  }
  return dropped;
}
