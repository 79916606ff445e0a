/** Which files of a bundle are probably asked for after one. A guess: what is wrong costs a request, and nothing else. */
import { names } from '@highwater/config/bundle/files.ts';
import { parseRange, type RangeTree } from '@highwater/config/bundle/range.ts';
import { DAY_MS, formatDay } from '@highwater/config/time.ts';

const TILE = 256;

export class BundleAhead {
  #trees: readonly RangeTree[] = [];
  /** Of the bodies of a day, what follows it in their names: `rpc/000`. */
  #before: readonly string[] = [];
  #day = '';
  #ofDay: string[] = [];

  /** What was read: undefined for what is not there. */
  saw(name: string, bytes: Uint8Array | undefined): void {
    if (name === names.range && bytes !== undefined) {
      const range = parseRange(new TextDecoder().decode(bytes));
      this.#trees = 'error' in range ? [] : range.trees;
    }
    const of = bodiesName(name);
    if (of === undefined || bytes === undefined) return;
    if (of.date !== this.#day) {
      this.#before = this.#ofDay;
      this.#day = of.date;
      this.#ofDay = [];
    }
    this.#ofDay.push(of.rest);
  }

  /** At most `count`, in the order of a bundle. */
  after(name: string, count: number): string[] {
    const of = bodiesName(name);
    if (of !== undefined) return this.#bodiesAfter(of.date, of.rest, count);
    const place = /^logs\/([0-9]{4})\/(?:frontier|consistency|end\.checkpoint|entries\/(.+))$/.exec(name);
    if (place === null) return [];
    const tile = place[2] === undefined ? undefined : Number(place[2].replaceAll(/[x/]/g, ''));
    return this.#entriesAfter(Number(place[1]), tile, count);
  }

  #entriesAfter(year: number, tile: number | undefined, count: number): string[] {
    const next: string[] = [];
    for (const tree of this.#trees) {
      // The heads of all logs come before the entries of the first.
      if (tree.size === tree.start || (tile !== undefined && tree.year < year)) continue;
      const isSame = tile !== undefined && tree.year === year;
      const last = Math.floor((tree.size - 1) / TILE);
      for (let n = isSame ? tile + 1 : Math.floor(tree.start / TILE); n <= last; n += 1) {
        if (next.length === count) return next;
        next.push(names.entries(tree.year, n));
      }
    }
    return next;
  }

  #bodiesAfter(date: string, rest: string, count: number): string[] {
    // Of the first day nothing is known.
    const known = date === this.#day ? this.#before : this.#ofDay;
    const at = known.indexOf(rest);
    if (at === -1) return [];
    const next = formatDay(Date.parse(date) / DAY_MS + 1);
    return [
      ...known.slice(at + 1).map((one) => `bodies/${date}/${one}`),
      ...known.map((one) => `bodies/${next}/${one}`),
    ].slice(0, count);
  }
}

function bodiesName(name: string): { date: string; rest: string } | undefined {
  const match = /^bodies\/([0-9-]{10})\/(.+)$/.exec(name);
  return match ? { date: match[1] ?? '', rest: match[2] ?? '' } : undefined;
}
