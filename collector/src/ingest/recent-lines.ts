/**
 * The lines of frames that came lately, as they were read when they came: a batch is made of them a minute later, and need
 * not unpack and split their notes again. What is not here is read from the store.
 */
import type { FrameRow } from '../store/store.ts';
import { linesOfFrame } from './rebuild.ts';

/** Of notes and what is kept beside each line: some minutes of 10,000 lines a second. */
const MAX_BYTES = 134_217_728;
/** What a line costs that is a part of its note. */
const LINE_BYTES = 48;

export interface RecentLines {
  /** To be called once the frame is kept. @param chars of its note */
  add(pos: number, lines: readonly string[], chars: number): void;
  readonly of: (row: FrameRow) => readonly string[];
}

export function openRecentLines(maxBytes = MAX_BYTES): RecentLines {
  /** By position of the frame, the oldest first. */
  const kept = new Map<number, { readonly lines: readonly string[]; readonly bytes: number }>();
  let bytes = 0;
  return {
    add(pos, lines, chars) {
      const own = chars + lines.length * LINE_BYTES;
      kept.set(pos, { lines, bytes: own });
      bytes += own;
      for (const [oldest, { bytes: its }] of kept) {
        if (bytes <= maxBytes) return;
        kept.delete(oldest);
        bytes -= its;
      }
    },
    of: (row) => kept.get(row.pos)?.lines ?? linesOfFrame(row),
  };
}
