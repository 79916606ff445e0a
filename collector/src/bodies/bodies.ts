/**
 * The bodies of batches, wherever they lie: in a row until they are packed, in a pack of their service and day, or in a
 * file of their own, as versions before kept them. Who reads one checks it against what the batch commits to.
 */
import type { Batch } from '@highwater/config/proof/batch.ts';
import { decodeUtf8 } from '@highwater/config/proof/bytes.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CommitRow, HeldBody, ReadTx, Shown, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { readFileBody } from './files.ts';
import { type Packed, packedIn } from './packed.ts';

export interface Bodies {
  /** The bodies of a batch by service; one that is missing (gone, or never came) is absent. `isWanted` saves work. */
  ofBatch(
    commit: CommitRow,
    batch: Batch,
    isWanted?: (service: string) => boolean,
  ): Promise<ReadonlyMap<string, string>>;
  /**
   * The body that is committed to by a hash (base64), wherever it lies. Where it came more than once, what everyone may
   * read of it is what is given.
   */
  read(hash: string): Promise<{ readonly text: string; readonly shown: Shown } | undefined>;
}

/** Batches that name one body and are looked at to find it: nobody but who sends it again and again has more. */
const MAX_PLACES = 64;

export function openBodies(store: Store, blobs: Blobs, packed: Packed = packedIn(store, blobs)): Bodies {
  const commitAt = async (tx: ReadTx, index: number): Promise<CommitRow | undefined> =>
    (await tx.commitsFrom(index, 1)).find((row) => row.index === index);

  /** In a row or a pack, by the batch that names it. */
  const at = async (index: number, hash: string): Promise<HeldBody | undefined> => {
    const { held, commit } = await store.read(LOG_SHARD, async (tx) => ({
      held: (await tx.heldBodies(index))?.find((body) => body.hash === hash),
      commit: await commitAt(tx, index),
    }));
    if (held !== undefined || commit === undefined) return held;
    const batch = batchOf(commit);
    // Eight bytes of the hash led here: it may be another body's.
    const ref = batch?.bodies.find((each) => each.hash === hash);
    if (batch === undefined || ref === undefined) return undefined;
    const found = await packed.ofBatch(commit, batch, (service) => service === ref.service);
    return found.find((body) => body.hash === hash);
  };

  /** Every shard reads the same commits: the row of one is unpacked once as long as its commit is in memory. */
  const unpacked = new WeakMap<CommitRow, Promise<readonly HeldBody[]>>();
  const heldOf = (commit: CommitRow): Promise<readonly HeldBody[]> => {
    const known = unpacked.get(commit);
    if (known !== undefined) return known;
    const held = store.read(LOG_SHARD, async (tx) => (await tx.heldBodies(commit.index)) ?? []);
    unpacked.set(commit, held);
    held.catch(() => unpacked.delete(commit));
    return held;
  };

  const inFile = async (hash: string): Promise<{ text: string; shown: Shown } | undefined> => {
    const file = await readFileBody(blobs, hash);
    const text = file === undefined ? undefined : decodeUtf8(file.bytes);
    return file === undefined || text === undefined ? undefined : { text, shown: file.shown };
  };

  /** In rows and packs, by the batches that name it. */
  const named = async (hash: string): Promise<HeldBody | undefined> => {
    const places = await store.read(LOG_SHARD, (tx) => tx.bodyPlaces(hash));
    let first: HeldBody | undefined;
    for (const { index } of places.slice(0, MAX_PLACES)) {
      const found = await at(index, hash);
      first ??= found;
      if (found?.shown === 'public') return found;
    }
    return first;
  };

  const read: Bodies['read'] = async (hash) => {
    const first = await named(hash);
    if (first?.shown === 'public') return { text: first.text, shown: 'public' };
    const file = await inFile(hash);
    if (file !== undefined && (first === undefined || file.shown === 'public')) return file;
    // A file goes once a pack has its body: it may have gone between the two looks.
    const found = first ?? (await named(hash));
    return found === undefined ? undefined : { text: found.text, shown: found.shown };
  };

  return {
    async ofBatch(commit, batch, isWanted = () => true) {
      const texts = new Map<string, string>();
      const add = (bodies: readonly HeldBody[]): void => {
        for (const { service, text } of bodies) if (isWanted(service)) texts.set(service, text);
      };
      const isMissing = (service: string): boolean => isWanted(service) && !texts.has(service);
      add(await heldOf(commit));
      if (batch.bodies.some(({ service }) => isMissing(service))) {
        add(await packed.ofBatch(commit, batch, isMissing));
      }
      for (const { service, hash } of batch.bodies) {
        if (!isMissing(service)) continue;
        const text = (await read(hash))?.text;
        if (text !== undefined) texts.set(service, text);
      }
      return texts;
    },
    read,
  };
}
