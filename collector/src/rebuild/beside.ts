/**
 * A store for making views anew: the evidence is the main store's, as far as the views there have followed it, and
 * nothing else of it is seen; what is made goes into a store of its own. The main one is never written.
 */
import type { CommitRow, ReadTx, Store, Tx } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

type Evidence = Pick<
  ReadTx,
  | 'commitsFrom'
  | 'commitSize'
  | 'commitByHash'
  | 'batches'
  | 'batchesSince'
  | 'batchesCovering'
  | 'leaves'
  | 'heldBodies'
  | 'bodyPlaces'
  | 'heldBefore'
  | 'packs'
  | 'packsBefore'
  | 'meta'
>;

/** Of the log what was committed below `size`; bodies as they lie now. */
function evidenceOf(log: ReadTx, size: number, followed: (index: number) => void): Evidence {
  const isSeen = (commit: CommitRow): boolean => commit.index < size;
  const seen = async (rows: Promise<readonly CommitRow[]>): Promise<CommitRow[]> =>
    (await rows).filter(isSeen);
  return {
    commitsFrom(index, limit) {
      followed(index);
      return seen(log.commitsFrom(index, limit));
    },
    commitSize: async () => Math.min(size, await log.commitSize()),
    async commitByHash(hash) {
      const row = await log.commitByHash(hash);
      return row !== undefined && isSeen(row) ? row : undefined;
    },
    batches: (probe, epoch, number) => seen(log.batches(probe, epoch, number)),
    batchesSince: (probe, epoch, number, limit) => seen(log.batchesSince(probe, epoch, number, limit)),
    batchesCovering: (probe, first, last) => seen(log.batchesCovering(probe, first, last)),
    leaves: () => seen(log.leaves()),
    heldBodies: (index, isWanted) => log.heldBodies(index, isWanted),
    bodyPlaces: (hash) => log.bodyPlaces(hash),
    heldBefore: (day, limit) => log.heldBefore(day, limit),
    packs: (service, day) => log.packs(service, day),
    packsBefore: (day, limit) => log.packsBefore(day, limit),
    meta: (key) => log.meta(key),
  };
}

/**
 * @param size commits that are seen
 * @param followed told from which commit on they are read
 * Disposing of it closes neither store: who opened them does.
 */
export function besideStore(
  main: Store,
  scratch: Store,
  size: number,
  followed: (index: number) => void = () => undefined,
): Store {
  return {
    transact<T>(shard: string, work: (tx: Tx) => Promise<T>): Promise<T> {
      if (shard !== LOG_SHARD) return scratch.transact(shard, work);
      return main.read(LOG_SHARD, (log) =>
        scratch.transact(LOG_SHARD, (own) => work({ ...own, ...evidenceOf(log, size, followed) })),
      );
    },
    read<T>(shard: string, work: (tx: ReadTx) => Promise<T>): Promise<T> {
      if (shard !== LOG_SHARD) return scratch.read(shard, work);
      return main.read(LOG_SHARD, (log) =>
        scratch.read(LOG_SHARD, (own) => work({ ...own, ...evidenceOf(log, size, followed) })),
      );
    },
    async [Symbol.asyncDispose]() {
      // Nothing here is its own.
    },
  };
}
