/**
 * Keeps the newest snapshot as bytes, made at most once a second but for news, so that a reader costs a copy; while
 * nobody reads, only as often as one must be at hand.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@highwater/config/time.ts';

const AT_MOST_EVERY_MS = 1_000;
/** Whoever has read within this will read again. */
const READ_WITHIN_MS = 30_000;
/** Made anew after this even if nothing has changed: it says how old it is. */
const AT_LEAST_EVERY_MS = 10_000;

export interface Kept {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

export interface SnapshotKeeper {
  newest(): Kept;
  /** Says that a new one would differ. */
  changed(): void;
  /** Makes a new one when it is time, or at once. */
  beat(atOnce: boolean): Promise<void>;
}

/** `make` gives the snapshot; the first one is made before this resolves. */
export async function keepSnapshots(make: () => Promise<unknown>, clock: Clock): Promise<SnapshotKeeper> {
  const build = async (): Promise<Kept> => {
    const bytes = Buffer.from(JSON.stringify(await make()));
    const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 27);
    return { bytes, etag: `"${hash}"` };
  };
  let kept = await build();
  let madeAt = clock.monotonic();
  let dirty = false;
  let readAt = -Infinity;
  return {
    newest() {
      readAt = clock.monotonic();
      return kept;
    },
    changed() {
      dirty = true;
    },
    async beat(atOnce) {
      const now = clock.monotonic();
      const isRead = now - readAt < READ_WITHIN_MS;
      const isDue = now - madeAt >= (dirty && isRead ? AT_MOST_EVERY_MS : AT_LEAST_EVERY_MS);
      if (!atOnce && !isDue) return;
      dirty = false;
      madeAt = clock.monotonic();
      kept = await build();
    },
  };
}
