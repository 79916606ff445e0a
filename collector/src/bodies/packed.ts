/**
 * Bodies out of packs. A segment is regenerated at a time (some milliseconds), and stays in memory for a while: whoever asks
 * for one body mostly asks for its neighbours. A pack says whose body one is by probe, epoch and number alone; what is given
 * is what the batch commits to by its hash, and nothing else. A pack that should have a body and does not give it is damaged:
 * the body is missing, and who opened the packs is told.
 */
import { sha256 } from '@highwater/config/keys.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { MIXED, PackError } from '@highwater/config/proof/packed/pack.ts';
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
  /** Those of a batch's bodies that are in this pack. */
  inPack(pack: PackRow, batch: Batch): Promise<readonly HeldBody[]>;
}

/** Texts of regenerated segments in memory, bytes; where that is not said. */
const CACHE_BYTES = 67_108_864;

export interface PackedOptions {
  /** In place of one in this thread. */
  readonly reader?: PackReader;
  readonly cacheBytes?: number;
  /** Told of each pack that is damaged, or whose object is not there although a row names it; once. */
  readonly damaged?: (pack: PackRow, says: string) => void;
}

/** Looks at a body's packs: what is merged meanwhile is in another one at the next. */
const LOOKS = 3;

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
  { reader = readPacks(blobs), cacheBytes = CACHE_BYTES, damaged = () => undefined }: PackedOptions = {},
): Packed {
  const told = new Set<string>();
  const tell = (pack: PackRow, says: string): void => {
    if (told.has(pack.blob)) return;
    told.add(pack.blob);
    damaged(pack, says);
  };
  const segments = new Cache<readonly string[] | undefined>(cacheBytes);

  const segmentOf = (blob: string, segment: number) =>
    segments.get(
      `${blob} ${segment}`,
      () => reader.segment(blob, segment),
      (texts) => (texts ?? []).reduce((sum, text) => sum + text.length, 0),
    );

  const inPack = async (
    { blob }: PackRow,
    saltOf: Salts,
    name: BodyName,
    ref: Batch['bodies'][number],
  ): Promise<HeldBody | undefined> => {
    const { service } = ref;
    for (const { segment, place, shown } of await reader.find(blob, name)) {
      const text = (await segmentOf(blob, segment))?.[place];
      // Of a mixed pack a batch has hundreds of one name: most are told apart before anything is hashed.
      if (text === undefined || (text !== '' && !text.startsWith(`${service}/`))) continue;
      if (howCommitted(ref, utf8(text), saltOf(service), sha256) === undefined) continue;
      return { service, hash: ref.hash, shown, text };
    }
    return undefined;
  };

  /** In the pack that has it; a pack that says so and does not give it is damaged, unless another has taken its place. */
  const find = async (
    index: number,
    day: number,
    name: BodyName,
    ref: Batch['bodies'][number],
  ): Promise<HeldBody | undefined> => {
    let failed: readonly PackRow[] = [];
    for (let look = 0; look < LOOKS; look += 1) {
      const { rows, saltOf } = await read(async (tx) => ({
        rows: [...(await tx.packs(ref.service, day)), ...(await tx.packs(MIXED, day))],
        saltOf: await readSalts(tx),
      }));
      const still = failed.filter(({ blob }) => rows.some((row) => row.blob === blob));
      const tried = new Set(failed.map(({ blob }) => blob));
      const left = look === 0 ? rows : rows.filter(({ blob }) => !tried.has(blob));
      for (const row of left) {
        const body = await inPack(row, saltOf, name, ref).catch((error: unknown) => {
          if (!(error instanceof PackError)) throw error;
          tell(row, error.message);
        });
        if (body !== undefined) return body;
      }
      for (const row of still) tell(row, 'a body that it should have is not in it, or it is not there');
      failed = rows.filter(
        // A mixed one has of a batch what no configuration had named: which that is it does not say.
        ({ service, commits }) => service !== MIXED && commits.includes(index),
      );
      if (failed.length === still.length) return undefined;
    }
    return undefined;
  };

  return {
    async ofBatch(commit, batch, isWanted) {
      const day = dayOfMinute(batch.minutes.last);
      const { probe, epoch, number } = batch;
      const bodies: HeldBody[] = [];
      for (const ref of batch.bodies) {
        if (!isWanted(ref.service)) continue;
        const body = await find(commit.index, day, { probe, epoch, number }, ref);
        if (body !== undefined) bodies.push(body);
      }
      return bodies;
    },
    async inPack(row, { probe, epoch, number, bodies: refs }) {
      const saltOf = await read(readSalts);
      const bodies: HeldBody[] = [];
      for (const ref of refs) {
        if (row.service !== MIXED && row.service !== ref.service) continue;
        const body = await inPack(row, saltOf, { probe, epoch, number }, ref).catch((error: unknown) => {
          if (!(error instanceof PackError)) throw error;
          tell(row, error.message);
        });
        if (body !== undefined) bodies.push(body);
      }
      return bodies;
    },
  };
}
