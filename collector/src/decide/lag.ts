/** How far nodes were behind over time: a pure view of the heights that they reported. */

/** Heights of one node or reference, one entry a stretch of time, null where it reported none. */
export type Heights = readonly (number | null)[];

/** The highest that at least two have reached: what one alone says may be wrong. Null where fewer than two say anything. */
export function reachedByTwo(all: readonly Heights[], length: number): (number | null)[] {
  return Array.from({ length }, (_, at) => {
    const [, second] = all.flatMap((heights) => heights[at] ?? []).sort((a, b) => b - a);
    return second ?? null;
  });
}

/** Blocks below that, negative for one that is ahead of it; null where either is not known. */
export function lagOf(own: Heights, reached: Heights): (number | null)[] {
  return own.map((height, at) => {
    const to = reached[at] ?? null;
    return height === null || to === null ? null : to - height;
  });
}
