/**
 * Lets go of evidence: packs of days that are older than `retention.bodies`. The store says first from which day on bodies
 * are kept, so that nobody is promised what is going; then the object goes, then what named it, a pack at a time.
 */
import { MIXED } from '@highwater/config/proof/packed/pack.ts';
import { DAY_MS, type Instant } from '@highwater/config/time.ts';
import { readUnnamed } from '../bodies/unnamed.ts';
import { batchOf } from '../slots/batch-commit.ts';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { PackRow, ReadTx, Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

const CORE = 'retention';
const KEY = 'bodies';
const PACKS_AT_ONCE = 20;
/** Batches of a pack whose places are forgotten in one transaction. */
const PLACES_AT_ONCE = 500;
/** Of a mixed pack, each of which may have hundreds of bodies. */
const MIXED_AT_ONCE = 5;

interface KeptBodies {
  /** UTC day number. */
  readonly from: number;
}

/** The first UTC day whose bodies are all kept, as far as they came. Days before it may have some. */
export async function keptFrom(tx: ReadTx, startedAt: Instant): Promise<number> {
  const row = await tx.getState(CORE, KEY);
  return Math.max(Math.floor(startedAt / DAY_MS), (row?.value as KeptBodies | undefined)?.from ?? 0);
}

/**
 * Until when all that there was of a month (`2026-11`) can be counted again from its bodies: until those of its first day are
 * let go, or of the day on which the store began. Undefined for what is no month, for one that was over before the store
 * began, and for one of which days are gone.
 *
 * @param from what keptFrom says
 */
export function recomputableUntil(
  month: string,
  bodiesMs: number,
  { from, startedAt }: { readonly from: number; readonly startedAt: Instant },
): Instant | undefined {
  if (!/^[0-9]{4}-(?:0[1-9]|1[0-2])$/.test(month)) return undefined;
  const [year = 0, number = 0] = month.split('-').map(Number);
  const end = Date.UTC(year, number) / DAY_MS;
  const first = Math.max(Date.UTC(year, number - 1) / DAY_MS, Math.floor(startedAt / DAY_MS));
  return first >= end || from > first ? undefined : first * DAY_MS + bodiesMs;
}

async function forgetPlaces(store: Store, { service, commits }: PackRow): Promise<void> {
  const isUnnamed = service === MIXED ? await store.read(LOG_SHARD, readUnnamed) : undefined;
  const atOnce = isUnnamed === undefined ? PLACES_AT_ONCE : MIXED_AT_ONCE;
  for (let at = 0; at < commits.length; at += atOnce) {
    await store.transact(LOG_SHARD, async (tx) => {
      for (const index of commits.slice(at, at + atOnce)) {
        const commit = (await tx.commitsFrom(index, 1)).find((row) => row.index === index);
        for (const ref of (commit && batchOf(commit)?.bodies) ?? []) {
          const isIn = isUnnamed?.(ref.service, index) ?? ref.service === service;
          if (isIn) await tx.dropPlace(ref.hash, index);
        }
      }
    });
  }
}

/** Returns how many packs went. */
export async function dropOldPacks(
  store: Store,
  blobs: Blobs,
  bodiesMs: number,
  now: Instant,
  signal?: AbortSignal,
): Promise<number> {
  // A day goes when all of it is older.
  const before = Math.floor((now - bodiesMs) / DAY_MS);
  let dropped = 0;
  while (!(signal?.aborted ?? false)) {
    const rows = await store.read(LOG_SHARD, (tx) => tx.packsBefore(before, PACKS_AT_ONCE));
    if (rows.length === 0) break;
    await store.transact(LOG_SHARD, async (tx) => {
      const row = await tx.getState(CORE, KEY);
      if (((row?.value as KeptBodies | undefined)?.from ?? 0) >= before) return;
      await tx.putState(CORE, KEY, row?.version ?? 0, { from: before } satisfies KeptBodies);
    });
    for (const row of rows) {
      await blobs.remove(row.blob);
      // The row goes last: done again after a crash, the rest is found by it.
      await forgetPlaces(store, row);
      await store.transact(LOG_SHARD, (tx) => tx.dropPack(row.service, row.day, row.part));
      dropped += 1;
    }
  }
  return dropped;
}
