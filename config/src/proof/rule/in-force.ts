/**
 * From which minute a leaf is in force, so that none can change what was already being counted (docs/log.md, "In force").
 *
 * What k regions have reached when a leaf is logged stays reached for all later ones: the floor in timeline.ts never falls. If
 * each leaf were held only against R as the newest leaves make it, an operator could revoke all keys from a year far away (or
 * log a configuration without probes that never comes into force), log a maintenance or a configuration from a past minute while R is
 * empty, and enrol the keys again, with no batch in between and no line lost: a bad hour would become maintenance afterwards.
 */

/**
 * The first minute S' >= `from` that fewer than k = floor(|R| / 2) + 1 regions have reached.
 * `reaches` has one entry for each region of R: the last minute of any lower-indexed batch from it, -1 for none.
 */
export function inForceFrom(from: number, reaches: readonly number[]): number {
  const k = Math.floor(reaches.length / 2) + 1;
  const descending = [...reaches].sort((a, b) => b - a);
  const kthReach = descending[k - 1] ?? -1;
  return Math.max(from, kthReach + 1);
}

export interface Held<T> {
  /** S', the first minute in which it is in force. */
  readonly since: number;
  readonly value: T;
}

/**
 * What is in force at each minute of leaves of one kind given in index order: the higher index wins, so each
 * ends whatever began at or after its own first minute. The result ascends.
 */
export function overlaid<T>(leaves: readonly Held<T>[]): Held<T>[] {
  const standing: Held<T>[] = [];
  for (const leaf of leaves) {
    while ((standing.at(-1)?.since ?? -1) >= leaf.since) standing.pop();
    standing.push(leaf);
  }
  return standing;
}

/** The value in force at a minute; undefined before the first. Binary search over what `overlaid` gives. */
export function heldAt<T>(standing: readonly Held<T>[], minute: number): T | undefined {
  let low = 0;
  let high = standing.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((standing[middle]?.since ?? 0) <= minute) low = middle + 1;
    else high = middle;
  }
  return standing[low - 1]?.value;
}
