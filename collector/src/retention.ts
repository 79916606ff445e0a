/** Lets go of what is kept twice: frames whose lines are all in batches, once they are older than `retention.hot`. */
import type { Clock } from '@highwater/config/time.ts';
import type { SpoolState } from './ingest/rebuild.ts';
import type { Live } from './live/heart.ts';
import type { Store } from './store/store.ts';
import { LOG_SHARD, type Watched } from './watched.ts';

const AT_ONCE = 5_000;

/**
 * Deletes old frames up to the first that some probe has a line in which no batch holds yet, and up to what every
 * shard has taken in. Returns how many.
 */
export async function dropOldFrames(
  watched: Watched,
  store: Store,
  live: Live,
  clock: Clock,
): Promise<number> {
  const before = clock.now() - watched.config.retention.hotMs;
  let dropped = 0;
  for (;;) {
    const count = await store.transact(LOG_SHARD, async (tx) => {
      let pos = live.position();
      for (const { id } of watched.config.probes) {
        const spool = (await tx.getState('spool', id))?.value as SpoolState | undefined;
        pos = Math.min(pos, spool?.pos ?? 0);
      }
      return tx.dropFrames(before, pos, AT_ONCE);
    });
    dropped += count;
    if (count < AT_ONCE) return dropped;
  }
}
