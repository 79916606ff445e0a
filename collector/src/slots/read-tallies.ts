/** Tallies of minutes that are not in memory, made again from the bodies of all batches that cover them, whoever signed them. */
import type { CommitRow } from '../store/store.ts';
import { batchOf } from './batch-commit.ts';
import type { Intern } from './read-lines.ts';
import type { Source } from './source.ts';
import { changeOf, isLost } from './standing.ts';
import type { Standpoint, TallyBook } from './tally-book.ts';

/** Minutes whose bodies are read at once. */
export const LOADED_AT_ONCE = 30;

interface Reading {
  readonly source: Source;
  readonly isOurs: (service: string) => boolean;
  readonly point: Standpoint;
  readonly tallies: TallyBook;
  /** Only commits below this index. */
  readonly below: number;
  readonly intern: Intern;
}

/** @param minutes ascending. Those of which something can't be read again are marked so in the tallies. */
export async function readTallies(reading: Reading, minutes: readonly number[]): Promise<void> {
  const { source, isOurs, point, tallies, below, intern } = reading;
  const { ground } = point;
  for (const { first, last } of stretches(minutes)) {
    const rows = await source.covering(ground, first, last, below);
    for (let minute = first; minute <= last; minute += 1) tallies.start(minute);
    for (const [i, row] of rows.entries()) {
      const own = await source.read(ground, row, isOurs);
      const { minutes: covered } = own.batch;
      if (isLost(ground, own, isOurs)) tallies.lose(covered);
      const earlier = rows
        .slice(0, i)
        .filter((other) => ground.keyOf(other) === own.key && overlaps(other, row));
      const others = await Promise.all(earlier.map((other) => source.read(ground, other, isOurs)));
      const [from, to] = [Math.max(first, covered.first), Math.min(last, covered.last)];
      tallies.apply(point, changeOf(own, others, from, to, intern));
    }
  }
}

function overlaps(a: CommitRow, b: CommitRow): boolean {
  const [x, y] = [batchOf(a)?.minutes, batchOf(b)?.minutes];
  return x !== undefined && y !== undefined && x.first <= y.last && y.first <= x.last;
}

/** Neighbouring minutes together, so many at once. */
function stretches(minutes: readonly number[]): { first: number; last: number }[] {
  const all: { first: number; last: number }[] = [];
  for (const minute of minutes) {
    const own = all.at(-1);
    if (own?.last === minute - 1 && minute - own.first < LOADED_AT_ONCE) own.last = minute;
    else all.push({ first: minute, last: minute });
  }
  return all;
}
