/** Views that are made from lines beside the slots. */
import type { ReadTx, View } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import type { SeenLine } from './lines.ts';

/** What one probe key said of the shard's monitors in one minute, and what it had said before (mostly nothing). */
export interface MinuteChange {
  /** Verifier key. */
  readonly key: string;
  readonly region: string;
  /** UTC minute in which the lines were due. */
  readonly minute: number;
  readonly before: readonly SeenLine[];
  readonly after: readonly SeenLine[];
}

/** Blocks that are to be read: of a subject, or of all. */
export interface Asked {
  readonly view: View;
  readonly subject?: string | undefined;
}

/**
 * A view of one shard. It must be exact: what was said before is taken out, what is said now is put in, so that the
 * same facts give the same bytes in whichever order they came.
 */
export interface LineView {
  /** May read old blocks, and nothing else. */
  apply(tx: ReadTx, blocks: Blocks, change: MinuteChange): Promise<void> | void;
  /**
   * Encodes what is open into `blocks`: they are about to be flushed, or read. For a reader those alone that it asks for:
   * all of a shard are many, and are changed again within the minute.
   */
  close(blocks: Blocks, only?: Asked): void;
  /** What was not flushed did not happen. */
  forget(): void;
}
