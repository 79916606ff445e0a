/**
 * When each probe was last heard. Known in memory; written at most every half minute, for a row that is written with each
 * frame costs as much as the frame. What is not written is told by the frames after it when the store is opened.
 */
import type { ReadTx, Store, Tx } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** When a probe was last heard, and by what: `heard` in the log's shard, by probe, as of when it was written. */
export interface HeardState {
  readonly at: number;
  readonly epoch: number;
  readonly frame: number;
}

/** A row is written again after so long, ms. */
const WRITE_EVERY_MS = 30_000;
/** Frames read at once when the store is opened: a probe sends some a second. */
const PAGE = 200;

export interface HeardBook {
  of(probe: string): HeardState | undefined;
  /** Writes what a frame says in the transaction that keeps it, where it is time; then call `keep` once that is durable. */
  write(tx: Tx, probe: string, state: HeardState): Promise<{ keep(): void }>;
}

/**
 * Whether the frames after what was written do not tell it, or there would be many of them: another epoch, a frame that
 * came late, a clock that was set back.
 */
function isDue(written: HeardState | undefined, { at, epoch, frame }: HeardState): boolean {
  if (written?.epoch !== epoch || frame < written.frame) return true;
  return at < written.at || at - written.at >= WRITE_EVERY_MS;
}

/** What was written, or what a later frame of its epoch says. */
async function newestAfter(tx: ReadTx, probe: string, written: HeardState): Promise<HeardState> {
  let newest = written;
  for (let from = written.frame + 1; ;) {
    const frames = await tx.framesOf(probe, written.epoch, from, PAGE);
    for (const { receivedAt, epoch, frame } of frames) {
      if (receivedAt >= newest.at) newest = { at: receivedAt, epoch, frame };
      from = frame + 1;
    }
    if (frames.length < PAGE) return newest;
  }
}

/** One for each store: all frames of all configurations come by it. */
export async function openHeard(store: Store): Promise<HeardBook> {
  const written = new Map<string, HeardState>();
  const heard = new Map<string, HeardState>();
  await store.read(LOG_SHARD, async (tx) => {
    for (const { key, value } of await tx.listState('heard')) {
      const row = value as HeardState;
      written.set(key, row);
      heard.set(key, await newestAfter(tx, key, row));
    }
  });
  return {
    of: (probe) => heard.get(probe),
    async write(tx, probe, state) {
      const due = isDue(written.get(probe), state);
      if (due) {
        const row = await tx.getState('heard', probe);
        await tx.putState('heard', probe, row?.version ?? 0, state);
      }
      return {
        keep() {
          heard.set(probe, state);
          if (due) written.set(probe, state);
        },
      };
    },
  };
}
