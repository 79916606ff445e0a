/** Tallies of minutes that are not in memory, made again from the bodies of all batches that cover them, whoever signed them. */
import type { CommitRow } from '../store/store.ts';
import { batchOf } from './batch-commit.ts';
import type { Intern } from './read-lines.ts';
import type { Source } from './source.ts';
import { changeOf } from './standing.ts';
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

/** @param minutes ascending. Returns those whose bodies are gone, at least in part: their tallies tell less than was said. */
export async function readTallies(reading: Reading, minutes: readonly number[]): Promise<Set<number>> {
  const { source, isOurs, point, tallies, below, intern } = reading;
  const { ground } = point;
  const gone = new Set<number>();
  for (const { first, last } of stretches(minutes)) {
    const rows = await source.covering(ground, first, last, below);
    for (let minute = first; minute <= last; minute += 1) tallies.start(minute);
    for (const [i, row] of rows.entries()) {
      const own = await source.read(ground, row, isOurs);
      const { minutes: covered } = own.batch;
      // The second text of a number may never have had bodies: it counts for nothing anyway.
      const isVoid = own.batch.number >= ground.voidFrom(own.key, own.batch.epoch);
      const isMissing = own.batch.bodies.some(({ service }) => isOurs(service) && !own.bodies.has(service));
      if (isMissing && !isVoid) {
        for (let each = covered.first; each <= covered.last; each += 1) gone.add(each);
      }
      const earlier = rows
        .slice(0, i)
        .filter((other) => ground.keyOf(other) === own.key && overlaps(other, row));
      const others = await Promise.all(earlier.map((other) => source.read(ground, other, isOurs)));
      const [from, to] = [Math.max(first, covered.first), Math.min(last, covered.last)];
      tallies.apply(point, changeOf(own, others, from, to, intern));
    }
  }
  return gone;
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
