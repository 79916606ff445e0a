/**
 * Bodies out of packs. A segment is regenerated at a time (some milliseconds), and stays in memory for a while: whoever asks
 * for one body mostly asks for its neighbours. A pack says whose body one is by probe, epoch and number alone; what is given
 * is what the batch commits to by its hash, and nothing else.
 */
import { sha256 } from '@highwater/config/keys.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import {
  type Directory,
  directoryEnd,
  HEAD_BYTES,
  PackError,
  readDirectory,
  readPackSegment,
} from '@highwater/config/proof/packed/pack.ts';
import { dayOfMinute } from '@highwater/config/time.ts';
import { zstd } from '../packing/zstd.ts';
import { readSalts } from '../ingest/salts.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { CommitRow, HeldBody, PackRow, ReadTx, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** What was packed. */
export interface Packed {
  /** Those of a batch's bodies that are in packs. `isWanted` saves work. */
  ofBatch(
    commit: CommitRow,
    batch: Batch,
    isWanted: (service: string) => boolean,
  ): Promise<readonly HeldBody[]>;
}

/** Texts of regenerated segments in memory, bytes. */
const CACHE_BYTES = 67_108_864;
/** Directories in memory: one has an entry for each body of a day. */
const MAX_DIRECTORIES = 128;

/** Keeps what was asked for last, as far as its sizes allow. */
class Cache<T> {
  readonly #max: number;
  readonly #kept = new Map<string, { value: Promise<T>; size: number }>();
  #size = 0;
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string, make: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const known = this.#kept.get(key);
    if (known !== undefined) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.value;
    }
    const entry = { value: make(), size: 0 };
    this.#kept.set(key, entry);
    entry.value.then(
      (value) => {
        if (this.#kept.get(key) !== entry) return;
        entry.size = sizeOf(value);
        this.#size += entry.size;
        this.#shrink();
      },
      () => this.#kept.delete(key),
    );
    return entry.value;
  }

  #shrink(): void {
    for (const [key, { size }] of this.#kept) {
      if (this.#size <= this.#max) return;
      this.#kept.delete(key);
      this.#size -= size;
    }
  }
}

interface Named {
  readonly directory: Directory;
  readonly byName: ReadonlyMap<string, readonly number[]>;
}

const nameOf = (body: { readonly probe: string; readonly epoch: number; readonly number: number }): string =>
  `${body.probe} ${body.epoch} ${body.number}`;

function named(directory: Directory): Named {
  const byName = new Map<string, number[]>();
  for (const [i, body] of directory.bodies.entries()) {
    const name = nameOf(body);
    const places = byName.get(name);
    if (places === undefined) byName.set(name, [i]);
    else places.push(i);
  }
  return { directory, byName };
}

/** Undefined for a blob that is not there: merged or dropped in this moment. Throws PackError for one that is no pack. */
async function openDirectory(blobs: Blobs, blob: string): Promise<Named | undefined> {
  const head = await blobs.range(blob, 0, HEAD_BYTES);
  if (head === undefined) return undefined;
  const start = await blobs.range(blob, 0, directoryEnd(head));
  return start === undefined ? undefined : named(readDirectory(start, zstd));
}

type Salts = Awaited<ReturnType<typeof readSalts>>;

const opened = new WeakMap<Blobs, Packed>();

/** One for a store and its blobs, so that all who read bodies share what is in memory. */
export function packedIn(store: Store, blobs: Blobs): Packed {
  const known = opened.get(blobs) ?? openPacked((work) => store.read(LOG_SHARD, work), blobs);
  opened.set(blobs, known);
  return known;
}

/** `read` gives a view of the log's shard. */
export function openPacked(read: <T>(work: (tx: ReadTx) => Promise<T>) => Promise<T>, blobs: Blobs): Packed {
  const directories = new Cache<Named | undefined>(MAX_DIRECTORIES);
  const segments = new Cache<readonly string[] | undefined>(CACHE_BYTES);

  const segmentOf = (blob: string, directory: Directory, segment: number) =>
    segments.get(
      `${blob} ${segment}`,
      async () => {
        const { start = 0, end = 0 } = directory.segments[segment] ?? {};
        const bytes = await blobs.range(blob, start, end);
        return bytes === undefined ? undefined : readPackSegment(directory, segment, bytes, zstd);
      },
      (texts) => (texts ?? []).reduce((sum, text) => sum + text.length, 0),
    );

  const inPack = async (
    { blob, service }: PackRow,
    saltOf: Salts,
    name: string,
    ref: { readonly bytes: number; readonly hash: string },
  ): Promise<HeldBody | undefined> => {
    const found = await directories.get(
      blob,
      () => openDirectory(blobs, blob),
      () => 1,
    );
    for (const place of found?.byName.get(name) ?? []) {
      const body = found?.directory.bodies[place];
      if (found === undefined || body === undefined) continue;
      const text = (await segmentOf(blob, found.directory, body.segment))?.[body.place];
      if (text === undefined || howCommitted(ref, utf8(text), saltOf(service), sha256) === undefined)
        continue;
      return { service, hash: ref.hash, shown: body.shown, text };
    }
    return undefined;
  };

  return {
    async ofBatch(_, batch, isWanted) {
      const day = dayOfMinute(batch.minutes.last);
      const bodies: HeldBody[] = [];
      for (const ref of batch.bodies) {
        if (!isWanted(ref.service)) continue;
        const { rows, saltOf } = await read(async (tx) => ({
          rows: await tx.packs(ref.service, day),
          saltOf: await readSalts(tx),
        }));
        for (const row of rows) {
          const body = await inPack(row, saltOf, nameOf(batch), ref).catch((error: unknown) => {
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
