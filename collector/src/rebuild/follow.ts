/** The follower of one shard, from the first commit to where the views that are there have come, and no minute further. */
import { MINUTE_MS, type Clock } from '@highwater/config/time.ts';
import { CLOSE_AFTER_MS, openSlots } from '../slots/slots.ts';
import type { Bodies } from '../bodies/bodies.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import { type FollowedShard, followedShards } from './shards.ts';

/** Longer than the longest window that is waited for, minutes. */
const MOST_AHEAD = 60;

/** A moment at which `minute` is the last that is over for long enough. */
const momentOf = (minute: number): number => (minute + 1) * MINUTE_MS + CLOSE_AFTER_MS;

/**
 * How far minutes were closed says not when: where a window went on after them, it was later. The earliest moment at
 * which they can be closed closes none after them, for what can be closed at one moment can be at any later one.
 */
export async function follow(
  store: Store,
  blobs: Blobs,
  bodies: Bodies,
  watched: Watched,
  { shard, closed }: FollowedShard,
): Promise<void> {
  let now = momentOf(closed);
  const clock: Clock = { now: () => now, monotonic: () => now };
  const slots = openSlots(watched, store, blobs, clock, undefined, { bodies, only: shard });
  for (let ahead = 0; ahead <= MOST_AHEAD; ahead += 1) {
    now = momentOf(closed + ahead);
    do {
      await slots.beat();
      await slots.flush();
    } while (slots.owes());
    const [made] = await followedShards(store, [shard]);
    if (made !== undefined && made.closed >= closed) return;
  }
  throw new Error(`${shard}: minute ${closed} can not be closed again`);
}
