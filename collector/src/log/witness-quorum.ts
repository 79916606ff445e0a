/** How far the log is vouched for: pure. */

/** How long a new checkpoint may be without its cosignatures before the quorum counts as not met, ms. */
const GRACE_MS = 60_000;

/**
 * The size up to which at least `quorum` witnesses have seen one history: a witness that cosigned a larger tree has
 * checked that it begins with the smaller one. 0 when there are fewer.
 */
export function quorumSize(cosigned: readonly number[], quorum: number): number {
  return [...cosigned].sort((a, b) => b - a)[quorum - 1] ?? 0;
}

/** Witnesses that are asked seldom make the newest checkpoints wait by agreement. */
export function quorumGraceMs(list: readonly { readonly everyMs: number }[]): number {
  return GRACE_MS + Math.max(0, ...list.map(({ everyMs }) => everyMs));
}
