/** Which shards have views, and how far each has come: also those whose services nobody configures any more. */
import { parseProjection } from '@highwater/config/proof/projection.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD, shardNameOf, type Watched } from '../watched.ts';

export interface FollowedShard {
  readonly shard: string;
  /** Commits that are in its views. */
  readonly next: number;
  /** The last minute that has its slots; -1 for none. */
  readonly closed: number;
}

/** The shard of every service, and of every chain's references, that any configuration of the log names. */
export async function shardsEver(store: Store, watched: Watched): Promise<Map<string, string>> {
  const shardOf = new Map<string, string>();
  const bodies = await store.read(LOG_SHARD, async (tx) => (await tx.leaves()).map(({ body }) => body));
  for (const body of bodies) {
    if (body === undefined) continue;
    const config = parseProjection(body);
    if ('error' in config) continue;
    for (const service of config.services) shardOf.set(service.id, shardNameOf(service));
    for (const { name } of config.chains) shardOf.set(`chain.${name}`, `chain:${name}`);
  }
  for (const [service, shard] of watched.shardOf) shardOf.set(service, shard);
  return shardOf;
}

/** Those whose views were begun. */
export async function followedShards(store: Store, names: Iterable<string>): Promise<FollowedShard[]> {
  const followed: FollowedShard[] = [];
  for (const shard of [...new Set(names)].sort()) {
    const row = await store.read(shard, (tx) => tx.getState('slots', 'all'));
    const state = row?.value as { next: number; closed: number | null } | undefined;
    // Before the first minute is closed there is none, which JSON has no number for.
    if (state !== undefined) followed.push({ shard, next: state.next, closed: state.closed ?? -1 });
  }
  return followed;
}

/** What is watched, as the follower of one shard needs it. */
export function watchedOf(watched: Watched, shardOf: ReadonlyMap<string, string>, shard: string): Watched {
  return {
    ...watched,
    shardOf,
    shards: new Map([[shard, watched.shards.get(shard) ?? []]]),
  };
}
