/** Packing and retention as long as the process lives, whatever is configured. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Lasting } from '../lasting.ts';
import { loops } from '../loops.ts';
import { dropOldBlocks } from '../retention/blocks.ts';
import { dropOldPacks } from '../retention/bodies.ts';
import { HOUSE_SHARD, LOG_SHARD, type Watched } from '../watched.ts';
import { openPacking } from './packing.ts';

/** What is over is looked for so often, ms; the first time so long after the start. */
const EVERY_MS = 600_000;
const FIRST_AFTER_MS = 60_000;

/** Resolves when the signal has aborted and nothing runs any more. Never rejects. `watched` is what runs now. */
export async function runKeeping(
  { store, blobs, clock, log, metrics }: Lasting,
  dataDir: string,
  watched: () => Watched,
  signal: AbortSignal,
): Promise<void> {
  const figures = metrics.packing;
  const packing = openPacking(join(dataDir, 'collector'), store, blobs, clock, log, figures);
  const wait = (ms: number): Promise<unknown> => delay(ms, undefined, { signal }).catch(() => undefined);
  await wait(FIRST_AFTER_MS);
  await loops(
    {
      async packing() {
        await packing.turn(signal);
        await wait(EVERY_MS);
      },
      async retention() {
        const { retention } = watched().config;
        const packs = await dropOldPacks(store, blobs, retention.bodiesMs, clock.now(), signal);
        const shards = new Set([...watched().shards.keys(), HOUSE_SHARD, LOG_SHARD]);
        const blocks = await dropOldBlocks(store, shards, retention.slotsMs, clock.now(), signal);
        figures.droppedPacks += packs;
        figures.droppedBlocks += blocks;
        if (packs + blocks > 0) log.info({ packs, blocks }, 'retention-dropped');
        await wait(EVERY_MS);
      },
    },
    log,
    signal,
  );
}
