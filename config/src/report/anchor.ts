/** The log at a month's end as one line, to be put where its operator cannot change it: a memo, a proposal, a forum post. Pure. */
import { oneLine } from './outside.ts';
import type { Report } from './report.ts';

/** An origin has far less. */
const MAX_RUNES = 500;

/**
 * `highwater ORIGIN/YEAR SIZE ROOT` of the last log: the root speaks for the years before too, whose last checkpoint is entry 0.
 * Printable ASCII, the origin's length and at most 77 bytes besides; some 100 bytes in all, where memos and remarks of the usual
 * chains take 256 or more.
 */
export function anchorLine({ origin, logs }: Pick<Report, 'origin' | 'logs'>): string {
  const last = logs.at(-1);
  if (last === undefined) throw new Error('a report names at least one log');
  return oneLine(`highwater ${origin}/${last.year} ${last.size} ${last.root}`, MAX_RUNES);
}
