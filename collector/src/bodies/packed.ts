/**
 * Bodies out of packs. A segment is regenerated at a time (some milliseconds), and stays in memory for a while: whoever asks
 * for one body mostly asks for its neighbours. A pack says whose body one is by probe, epoch and number alone; what is given
 * is what the batch commits to by its hash, and nothing else.
 */
import { sha256 } from '@highwater/config/keys.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { PackError } from '@highwater/config/proof/packed/pack.ts';
import { dayOfMinute } from '@highwater/config/time.ts';
import { readSalts } from '../ingest/salts.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CommitRow, HeldBody, PackRow, ReadTx, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import { Cache } from './cache.ts';
import type { BodyName } from './pack-names.ts';
import { type PackReader, readPacks } from './read-packs.ts';

/** What was packed. */
export interface Packed {
  /** Those of a batch's bodies that are in packs. `isWanted` saves work. */
  ofBatch(
    commit: CommitRow,
    batch: Batch,
    isWanted: (service: string) => boolean,
  ): Promise<readonly HeldBody[]>;
}

/** Texts of regenerated segments in memory, bytes; where that is not said. */
const CACHE_BYTES = 67_108_864;

export interface PackedOptions {
  /** In place of one in this thread. */
  readonly reader?: PackReader;
  readonly cacheBytes?: number;
}

type Salts = Awaited<ReturnType<typeof readSalts>>;

const opened = new WeakMap<Blobs, Packed>();

/** One for a store and its blobs, so that all who read bodies share what is in memory. Who asks first says how it is read. */
export function packedIn(store: Store, blobs: Blobs, options?: PackedOptions): Packed {
  const known = opened.get(blobs) ?? openPacked((work) => store.read(LOG_SHARD, work), blobs, options);
  opened.set(blobs, known);
  return known;
}

/** `read` gives a view of the log's shard. */
export function openPacked(
  read: <T>(work: (tx: ReadTx) => Promise<T>) => Promise<T>,
  blobs: Blobs,
  { reader = readPacks(blobs), cacheBytes = CACHE_BYTES }: PackedOptions = {},
): Packed {
  const segments = new Cache<readonly string[] | undefined>(cacheBytes);

  const segmentOf = (blob: string, segment: number) =>
    segments.get(
      `${blob} ${segment}`,
      () => reader.segment(blob, segment),
      (texts) => (texts ?? []).reduce((sum, text) => sum + text.length, 0),
    );

  const inPack = async (
    { blob, service }: PackRow,
    saltOf: Salts,
    name: BodyName,
    ref: { readonly bytes: number; readonly hash: string },
  ): Promise<HeldBody | undefined> => {
    for (const { segment, place, shown } of await reader.find(blob, name)) {
      const text = (await segmentOf(blob, segment))?.[place];
      if (text === undefined || howCommitted(ref, utf8(text), saltOf(service), sha256) === undefined)
        continue;
      return { service, hash: ref.hash, shown, text };
    }
    return undefined;
  };

  return {
    async ofBatch(_, batch, isWanted) {
      const day = dayOfMinute(batch.minutes.last);
      const { probe, epoch, number } = batch;
      const bodies: HeldBody[] = [];
      for (const ref of batch.bodies) {
        if (!isWanted(ref.service)) continue;
        const { rows, saltOf } = await read(async (tx) => ({
          rows: await tx.packs(ref.service, day),
          saltOf: await readSalts(tx),
        }));
        for (const row of rows) {
          const body = await inPack(row, saltOf, { probe, epoch, number }, ref).catch((error: unknown) => {
            // A pack that is damaged gives nothing; what it should have given is missing, which its readers tell.
            if (error instanceof PackError) return undefined;
            throw error;
          });
          if (body === undefined) continue;
          bodies.push(body);
          break;
        }
      }
      return bodies;
    },
  };
}
