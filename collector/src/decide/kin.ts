/** Which of a chain's nodes are of one chain, by what they tell of their genesis. */

/**
 * Grouped by genesis. Those that tell none join the largest group that does (of equals the first by text): a node that
 * refuses block 0 has passed for this chain by its chain id, and apart it would leave too few to agree on anything.
 */
export function byGenesis<T>(
  items: readonly T[],
  genesisOf: (item: T) => string | undefined,
): ReadonlyMap<string, readonly T[]> {
  const groups = Map.groupBy(items, (item) => genesisOf(item) ?? '');
  const untold = groups.get('');
  const [most] = [...groups]
    .filter(([genesis]) => genesis !== '')
    .sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1));
  if (untold === undefined || most === undefined) return groups;
  groups.delete('');
  return groups.set(most[0], [...most[1], ...untold]);
}
