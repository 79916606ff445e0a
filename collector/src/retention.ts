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

async function drop(store: Store, receivedBefore: number, pos: number, probe?: string): Promise<number> {
  let dropped = 0;
  for (;;) {
    const count = await store.transact(LOG_SHARD, (tx) => tx.dropFrames(receivedBefore, pos, AT_ONCE, probe));
    dropped += count;
    if (count < AT_ONCE) return dropped;
  }
}

/** Position up to which a probe has all its lines in batches; 0 when it has made none. */
async function batchedUpTo(store: Store, probe: string): Promise<number> {
  const row = await store.read(LOG_SHARD, (tx) => tx.getState('spool', probe));
  return (row?.value as SpoolState | undefined)?.pos ?? 0;
}

/**
 * Deletes old frames that every shard has taken in: `position` is the last of those. A probe whose lines are not in
 * batches holds back its own frames alone. Returns how many.
 */
export async function dropOldFrames(
  watched: Watched,
  store: Store,
  position: number,
  clock: Clock,
): Promise<number> {
  const { hotMs } = watched.config.retention;
  const now = clock.now();
  let dropped = await drop(store, now - UNBATCHED_TIMES * hotMs, position);
  for (const { id } of watched.config.probes) {
    dropped += await drop(store, now - hotMs, Math.min(position, await batchedUpTo(store, id)), id);
  }
  return dropped;
}
