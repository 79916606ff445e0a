/** Which shards have views, and how far each has come: also those whose services nobody configures any more. */
import { parseProjection } from '@highwater/config/proof/projection.ts';
import type { Store } from '../store/store.ts';
import { shardsEver } from '../slots/shards-ever.ts';
import { LOG_SHARD } from '../watched.ts';

export interface FollowedShard {
  readonly shard: string;
  /** Commits that are in its views. */
  readonly next: number;
  /** The last minute that has its slots; -1 for none. */
  readonly closed: number;
}

/** The shards that any configuration of the log names. */
export async function namesEver(store: Store): Promise<readonly string[]> {
  const leaves = await store.read(LOG_SHARD, (tx) => tx.leaves());
  const configs = leaves.flatMap(({ body }) => {
    const config = body === undefined ? undefined : parseProjection(body);
    return config === undefined || 'error' in config ? [] : [config];
  });
  return shardsEver(configs).names;
}

/** Those whose views were begun. */
export async function followedShards(store: Store, names: readonly string[]): Promise<FollowedShard[]> {
  const followed: FollowedShard[] = [];
  for (const shard of [...new Set(names)].sort()) {
    const row = await store.read(shard, (tx) => tx.getState('slots', 'all'));
    const state = row?.value as { next: number; closed: number | null } | undefined;
    // Before the first minute is closed there is none, which JSON has no number for.
    if (state !== undefined) followed.push({ shard, next: state.next, closed: state.closed ?? -1 });
  }
  return followed;
}
