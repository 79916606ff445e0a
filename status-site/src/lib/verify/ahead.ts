/** Which files of a bundle will be asked for next, so that they are on their way already. A guess: who errs loses a request. Pure. */
import { names } from '@highwater/config/bundle/files.ts';
import { compareNames, placeOfName } from '@highwater/config/bundle/order.ts';
import type { Range } from '@highwater/config/bundle/range.ts';
import { daysOfMonth, parseMonth } from '@highwater/config/proof/rule/period.ts';
import { TILE_WIDTH } from '@highwater/config/proof/tiles.ts';

/** Entries are guessed by their number; no bundle that a browser checks has more. */
const MAX_TILES = 100_000;

interface Bodies {
  readonly day: number;
  readonly service: string;
  readonly part: number;
}

export interface Ahead {
  /** Call it with each name that was asked for, and whether it is there, in the order of files.ts. */
  asked(name: string, isThere: boolean): void;
  /** At most `count` names behind the last one that was asked for, in order. */
  next(count: number): string[];
}

/** @param range what the bundle's first file says */
export function aheadOf(range: Range): Ahead {
  const fixed = fixedNames(range);
  const last = daysOfMonth(parseMonth(range.month) ?? 0).last;
  let at = 0;
  /** The days of bodies before the one that is read now: what one day has, the next one likely has. */
  let before: Bodies[] = [];
  let today: Bodies[] = [];

  return {
    asked(name, isThere) {
      while (at < fixed.length && compareNames(fixed[at] ?? '', name) <= 0) at += 1;
      const place = placeOfName(name);
      if (place?.[0] !== placeOfName(names.bodies(0, 'a', 0))?.[0] || !isThere) return;
      const [, day, service, part] = place as readonly [number, number, string, number];
      if (today[0] !== undefined && today[0].day !== day) {
        before = today;
        today = [];
      }
      today.push({ day, service, part });
    },
    next(count) {
      const now = today.at(-1);
      if (now === undefined) return fixed.slice(at, at + count);
      // On the first day only its own past is known, and that is what the next day will be like.
      const pattern = before.length > 0 ? before : today;
      const found: string[] = [];
      for (let day = now.day; day <= last && found.length < count; day += 1) {
        if (day === now.day && before.length === 0) continue;
        for (const { service, part } of pattern) {
          const name = names.bodies(day, service, part);
          const isBehind = compareNames(name, names.bodies(now.day, now.service, now.part)) > 0;
          if (isBehind && found.length < count) found.push(name);
        }
      }
      return found;
    },
  };
}

/** All names before the configurations, which the entries alone name. */
function fixedNames({ trees, leaves }: Range): string[] {
  const found = [names.keys, names.policy] as string[];
  for (const { year, start, size } of trees) {
    found.push(
      names.end(year),
      ...(start > 0 ? [names.start(year), names.consistency(year), names.frontier(year)] : []),
    );
    const first = Math.floor(start / TILE_WIDTH);
    const end = Math.min(Math.ceil(size / TILE_WIDTH), first + MAX_TILES);
    for (let tile = first; tile < end; tile += 1) found.push(names.entries(year, tile));
  }
  for (const { year, index } of leaves) found.push(names.leaf(year, index), names.leafProof(year, index));
  return found.sort(compareNames);
}
