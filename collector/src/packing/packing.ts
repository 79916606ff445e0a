/**
 * The job that packs bodies, and the rows it makes. The work is done by a thread; here is what only the store's one writer
 * may do, in small transactions. What is about to be written or removed is in the store first (core `packing`), so that
 * whatever a crash leaves among the blobs is found and removed.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Clock } from '@highwater/config/time.ts';
import type { Logger } from 'pino';
import type { Blobs } from '../store/blobs/blobs.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';
import type { PackingPort } from './pack-days.ts';
import { isToWalk, putWalked } from './pack-files.ts';
import { packableBefore } from './plan.ts';
import type { PackingCall, PackingData } from './worker.ts';

const CORE = 'packing';
/** Batches whose bodies are dropped in one transaction. */
const DROP_AT_ONCE = 50;
const PLACES_AT_ONCE = 500;

/** What was packed, and let go, since the process began. */
export interface PackingFigures {
  objects: number;
  lines: number;
  bytes: number;
  bodyBytes: number;
  failed: number;
  droppedPacks: number;
  droppedBlocks: number;
}

export interface Packing {
  /** Packs what is over; returns whether there was anything to look at. */
  turn(signal?: AbortSignal): Promise<boolean>;
}

/** Objects that were replaced stay for so long, ms: a backup that is being made has the rows that name them. */
const REPLACED_STAYS_MS = 86_400_000;

interface Unnamed {
  readonly from?: number;
}

/** Removes objects that no row names: of a process that was killed, and, after a day, those that were replaced. */
export async function removeUnnamed(store: Store, blobs: Blobs, now: number): Promise<void> {
  const rows = await store.read(LOG_SHARD, (tx) => tx.listState(CORE));
  for (const { key, value } of rows) {
    const { from = now } = value as Unnamed;
    if (from > now) continue;
    await blobs.remove(key);
    await store.transact(LOG_SHARD, (tx) => tx.deleteState(CORE, key));
  }
}

/** What the store's one writer does for the thread. */
export function packingPort(store: Store, clock: Clock, log: Logger, figures: PackingFigures): PackingPort {
  return {
    async writing(blob) {
      await store.transact(LOG_SHARD, async (tx) => {
        const row = await tx.getState(CORE, blob);
        await tx.putState(CORE, blob, row?.version ?? 0, {});
      });
    },
    async written(row, replaced) {
      await store.transact(LOG_SHARD, async (tx) => {
        for (const { service, day, part, blob } of replaced) {
          await tx.dropPack(service, day, part);
          const from = clock.now() + REPLACED_STAYS_MS;
          await tx.putState(CORE, blob, 0, { from } satisfies Unnamed);
        }
        await tx.addPack(row);
        await tx.deleteState(CORE, row.blob);
      });
      const { service, day, part, lines, bytes, bodyBytes } = row;
      figures.objects += 1;
      figures.lines += lines;
      figures.bytes += bytes;
      figures.bodyBytes += bodyBytes;
      log.info({ service, day, part, lines, bytes, bodyBytes, replaced: replaced.length }, 'bodies-packed');
    },
    async packed(indexes) {
      for (let at = 0; at < indexes.length; at += DROP_AT_ONCE) {
        await store.transact(LOG_SHARD, (tx) => tx.dropBodies(indexes.slice(at, at + DROP_AT_ONCE)));
      }
    },
    async placed(places) {
      for (let at = 0; at < places.length; at += PLACES_AT_ONCE) {
        await store.transact(LOG_SHARD, async (tx) => {
          for (const { hash, ...place } of places.slice(at, at + PLACES_AT_ONCE))
            await tx.addPlace(hash, place);
        });
      }
    },
    async walked(state) {
      await store.transact(LOG_SHARD, (tx) => putWalked(tx, state));
    },
    async failed(what, day, because) {
      figures.failed += 1;
      log.error({ what, day, because }, 'bodies-not-packed');
    },
  };
}

function answer(port: PackingPort, message: PackingCall): Promise<void> {
  switch (message.call) {
    case 'writing':
      return port.writing(...message.with);
    case 'written':
      return port.written(...message.with);
    case 'packed':
      return port.packed(...message.with);
    case 'placed':
      return port.placed(...message.with);
    case 'walked':
      return port.walked(...message.with);
    case 'failed':
      return port.failed(...message.with);
  }
}

async function runThread(
  data: PackingData,
  port: PackingPort,
  signal: AbortSignal | undefined,
): Promise<void> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data });
  const stop = (): void => void worker.terminate();
  signal?.addEventListener('abort', stop, { once: true });
  let answering: Promise<void> = Promise.resolve();
  const broken = new Promise<never>((_, reject) => {
    worker.on('error', reject);
    worker.on('message', (message: PackingCall) => {
      answering = answer(port, message).then(
        () => worker.postMessage('done'),
        (error: unknown) => {
          reject(error instanceof Error ? error : new Error(String(error)));
          stop();
        },
      );
    });
  });
  broken.catch(() => undefined);
  try {
    await Promise.race([once(worker, 'exit'), broken]);
    await answering;
  } finally {
    signal?.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** `folder` holds store.db and blobs/. */
export function openPacking(
  folder: string,
  store: Store,
  blobs: Blobs,
  clock: Clock,
  log: Logger,
  figures: PackingFigures,
): Packing {
  const port = packingPort(store, clock, log, figures);
  return {
    async turn(signal) {
      const now = clock.now();
      await removeUnnamed(store, blobs, now);
      const isAny = await store.read(
        LOG_SHARD,
        async (tx) => (await tx.heldBefore(packableBefore(now), 1)).length > 0 || (await isToWalk(tx, now)),
      );
      if (!isAny || signal?.aborted) return false;
      await runThread({ store: join(folder, 'store.db'), blobs: join(folder, 'blobs'), now }, port, signal);
      return true;
    },
  };
}
