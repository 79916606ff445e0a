/**
 * What the log proves to a probe (GET /v1/proofs): that it holds the probe's batches, and that it continues the one
 * that the probe has seen. Read from the published files alone, as anybody could; only what was acknowledged and is not
 * known any more is told from the store.
 */
import { sha256 } from '@highwater/config/keys.ts';
import { decodeHex, encodeBase64 } from '@highwater/config/proof/bytes.ts';
import {
  consistencyProof,
  inclusionProof,
  tilesForConsistency,
  tilesForInclusion,
} from '@highwater/config/proof/tree.ts';
import type { LogProofs } from '@highwater/config/wire.ts';
import type { Log } from '../log/log.ts';
import { fetchTiles, type Published, readPublished } from '../log/witness-proof.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

export interface ProofQuestion {
  /** Leaf hashes, hex, at most `maxProofs`. */
  readonly leaves: readonly string[];
  /** The newest checkpoint that the probe found consistent. */
  readonly from: { readonly year: number; readonly size: number } | undefined;
}

type ReadableLog = Pick<Log, 'years' | 'checkpoint' | 'tile' | 'place'>;

/** A leaf and its place under a published checkpoint. */
interface Placed {
  readonly leaf: string;
  readonly index: number;
}

/** Throws when a tile of a published checkpoint is missing. */
export async function proofsFor(
  log: ReadableLog,
  store: Store,
  { leaves, from }: ProofQuestion,
): Promise<LogProofs> {
  const published = await publishedLogs(log);
  const { placed, unknown } = await placesOf(log, store, leaves, published);
  const newest = published.at(-1);
  const needed = [...placed.keys(), from?.year ?? newest?.year ?? 0];
  const first = Math.min(...needed, newest?.year ?? 0);
  const answer: LogProofs = { logs: [], leaves: [], unknown };
  let before: Published | undefined;
  for (const { year, checkpoint, whole } of published.filter((each) => each.year >= first)) {
    const { size } = checkpoint;
    const own = placed.get(year) ?? [];
    const old = from?.year === year && from.size > 0 && from.size < size ? from.size : size;
    const tiles = await fetchTiles(log, year, [
      ...tilesForConsistency(old, size),
      ...(before ? tilesForInclusion(0, size) : []),
      ...own.flatMap(({ index }) => tilesForInclusion(index, size)),
    ]);
    const pathTo = (index: number) => inclusionProof(index, size, tiles, sha256).map(encodeBase64);
    answer.logs.push({
      year,
      checkpoint: whole,
      consistency: consistencyProof(old, size, tiles, sha256).map(encodeBase64),
      ...(before ? { carried: { note: before.note, inclusion: pathTo(0) } } : {}),
    });
    for (const { leaf, index } of own) answer.leaves.push({ leaf, year, index, inclusion: pathTo(index) });
    before = checkpoint;
  }
  return answer;
}

/** The newest published checkpoint of each year, oldest first; those that have none yet left out. */
async function publishedLogs(
  log: ReadableLog,
): Promise<{ readonly year: number; readonly checkpoint: Published; readonly whole: string }[]> {
  const found = await Promise.all(
    log.years.map(async ({ year, key }) => {
      const whole = await log.checkpoint(year);
      const checkpoint = await readPublished({ checkpoint: async () => whole }, year, key);
      return whole === undefined || checkpoint === undefined ? [] : [{ year, checkpoint, whole }];
    }),
  );
  return found.flat();
}

/** By year those that are under its checkpoint, and those that this store does not have. */
async function placesOf(
  log: ReadableLog,
  store: Store,
  leaves: readonly string[],
  published: readonly { readonly year: number; readonly checkpoint: Published }[],
): Promise<{ placed: Map<number, Placed[]>; unknown: string[] }> {
  const placed = new Map<number, Placed[]>();
  const unknown: string[] = [];
  for (const leaf of new Set(leaves)) {
    const hash = encodeBase64(decodeHex(leaf) ?? new Uint8Array());
    const commit = await store.read(LOG_SHARD, (tx) => tx.commitByHash(hash));
    const place = commit && (await log.place(commit.index));
    if (!commit) unknown.push(leaf);
    const under = published.find(({ year }) => year === place?.year)?.checkpoint;
    if (!place || !under || place.index >= under.size) continue;
    placed.set(place.year, [...(placed.get(place.year) ?? []), { leaf, index: place.index }]);
  }
  return { placed, unknown };
}
