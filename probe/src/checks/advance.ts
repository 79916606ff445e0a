/**
 * Since when a node has not come further, where only heights are to be had. One address may have several nodes behind it,
 * and one answer may name a height that is made up: so it is told by levels, each the highest of what was heard near it.
 * One that is far above the others does not hide that these go on; and going back and forth between them is no advance.
 */
import type { Instant } from '@highwater/config/time.ts';

/** Heights that are no further apart than this are of one level: deeper than reorganisations and common lags. */
const nearBlocks = 64;
/** So many levels are remembered, the last heard of. */
const maxLevels = 8;

export interface Advance {
  /** Highest heights, the level last heard of first. */
  readonly levels: readonly number[];
  /** Heard last. */
  readonly height: number;
  /** When it advanced last, or was first heard of. */
  readonly at: Instant;
}

/**
 * Takes up a height. It is an advance above the highest of its own level; on a new level, above what was heard before: so
 * that a node which catches up in leaps moves, and one that falls does not until it rises from there.
 */
export function advanced(last: Advance | undefined, height: number, at: Instant): Advance {
  if (!last) return { levels: [height], height, at };
  const level = nearest(last.levels, height);
  const levels = [Math.max(height, level ?? height), ...last.levels.filter((each) => each !== level)];
  const moves = height > (level ?? last.height);
  return { levels: levels.slice(0, maxLevels), height, at: moves ? at : last.at };
}

/** Of two that are equally near the one last heard of. */
function nearest(levels: readonly number[], height: number): number | undefined {
  let found: number | undefined;
  let foundBlocks = nearBlocks + 1;
  for (const level of levels) {
    const blocks = Math.abs(level - height);
    if (blocks < foundBlocks) [found, foundBlocks] = [level, blocks];
  }
  return found;
}
