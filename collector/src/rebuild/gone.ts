/** Days whose bodies are gone: what was made of them then stays, for nobody can make it again. */
import { MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { batchOf } from '../slots/batch-commit.ts';
import { readFileBody } from '../bodies/files.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

const AT_ONCE = 500;
const ALL = 2 ** 40;

/** UTC days by shard, of batches below `size` that name a body which is neither in a row nor in a pack nor in a file. */
export async function goneDays(
  store: Store,
  blobs: Blobs,
  shardOf: ReadonlyMap<string, string>,
  size: number,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const gone = new Map<string, Set<number>>();
  const held = new Set(await store.read(LOG_SHARD, (tx) => tx.heldBefore(ALL, ALL)));
  const packed = new Map<string, ReadonlySet<number>>();
  const packedOf = async (service: string, day: number): Promise<ReadonlySet<number>> => {
    const place = `${service} ${day}`;
    const known = packed.get(place);
    if (known !== undefined) return known;
    const packs = await store.read(LOG_SHARD, (tx) => tx.packs(service, day));
    const commits = new Set(packs.flatMap((pack) => pack.commits));
    packed.set(place, commits);
    return commits;
  };
  for (let from = 0; from < size; from += AT_ONCE) {
    const commits = await store.read(LOG_SHARD, (tx) => tx.commitsFrom(from, AT_ONCE));
    for (const commit of commits) {
      const batch = commit.index < size && !held.has(commit.index) ? batchOf(commit) : undefined;
      if (batch === undefined) continue;
      const day = Math.floor(batch.minutes.first / MINUTES_PER_DAY);
      for (const { service, hash } of batch.bodies) {
        const shard = shardOf.get(service);
        if (shard === undefined || gone.get(shard)?.has(day) === true) continue;
        if ((await packedOf(service, day)).has(commit.index)) continue;
        if ((await readFileBody(blobs, hash)) !== undefined) continue;
        gone.set(shard, (gone.get(shard) ?? new Set()).add(day));
      }
    }
  }
  return gone;
}
