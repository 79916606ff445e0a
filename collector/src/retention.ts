/** Lets go of what is kept twice: frames whose lines are all in batches, once they are older than `retention.hot`. */
import type { Clock } from '@highwater/config/time.ts';
import type { SpoolState } from './ingest/rebuild.ts';
import type { Store } from './store/store.ts';
import { LOG_SHARD, type Watched } from './watched.ts';

const AT_ONCE = 5_000;
/**
 * Frames that no batch holds are kept so many times as long. Then they go too: the probe has their lines in its
 * spool and sends the bodies with the batch, and one that makes no batches must not fill the disk.
 */
const UNBATCHED_TIMES = 2;

async function drop(store: Store, receivedBefore: number, pos: number): Promise<number> {
  let dropped = 0;
  for (;;) {
    const count = await store.transact(LOG_SHARD, (tx) => tx.dropFrames(receivedBefore, pos, AT_ONCE));
    dropped += count;
    if (count < AT_ONCE) return dropped;
  }
}

/** Position up to which every probe that was heard has all its lines in batches. */
async function batchedUpTo(watched: Watched, store: Store, position: number): Promise<number> {
  return store.read(LOG_SHARD, async (tx) => {
    let pos = position;
    for (const { id } of watched.config.probes) {
      if ((await tx.getState('heard', id)) === undefined) continue;
      const spool = (await tx.getState('spool', id))?.value as SpoolState | undefined;
      pos = Math.min(pos, spool?.pos ?? 0);
    }
    return pos;
  });
}

/** Deletes old frames that every shard has taken in: `position` is the last of those. Returns how many. */
export async function dropOldFrames(
  watched: Watched,
  store: Store,
  position: number,
  clock: Clock,
): Promise<number> {
  const { hotMs } = watched.config.retention;
  const now = clock.now();
  const batched = await drop(store, now - hotMs, await batchedUpTo(watched, store, position));
  return batched + (await drop(store, now - UNBATCHED_TIMES * hotMs, position));
}
