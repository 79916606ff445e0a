/**
 * What waits for its acknowledgement or its proof, in the order in which it was journaled. After an outage that is a day of
 * frames, so adding, finding, removing and taking the oldest cost the same however many wait.
 */
import type { Place } from './journal.ts';

export interface Waiting {
  readonly epoch: number;
  readonly place: Place;
}

export interface SpoolQueue<T extends Waiting> {
  /** How many are synced. */
  readonly syncedCount: number;
  /** Each once. Where it goes behind the others it costs nothing; one that comes back among them costs their number. */
  add(item: T): void;
  has(item: T): boolean;
  remove(epoch: number, number: number): T | undefined;
  clear(): void;
  /** Everything journaled before this place is synced. */
  reached(end: Pick<Place, 'segment' | 'offset'>): void;
  /** The oldest one, synced or not. */
  first(): T | undefined;
  firstSynced(): T | undefined;
  /** The oldest synced ones, oldest first. */
  oldest(count: number): readonly T[];
  /** The newest synced ones, oldest of them first. */
  newestSynced(count: number): readonly T[];
  synced(): Iterable<T>;
  all(): Iterable<T>;
}

/** Removed ones are cut off once there are so many of them, and more than of the others. */
const compactFrom = 1_024;

/** `numberOf` gives the number that is unique within an epoch. */
export function spoolQueue<T extends Waiting>(numberOf: (item: T) => number): SpoolQueue<T> {
  /** Removed ones leave a hole; there is none at either end. */
  let items: (T | undefined)[] = [];
  let head = 0;
  /** Place in `items` up to which they are synced. */
  let syncedEnd = 0;
  let syncedCount = 0;
  /** Of an item: its place in `items` plus what was ever cut off. */
  let placeOf = new Map<string, number>();
  let cutOff = 0;
  let durable: Pick<Place, 'segment' | 'offset'> = { segment: -1, offset: 0 };
  const nameOf = (item: T) => `${item.epoch}/${numberOf(item)}`;

  function* between(from: number, to: number): Iterable<T> {
    // By place, not by a copy: who wants the first few must not pay for all. Nobody changes it meanwhile.
    for (let place = from; place < to; place += 1) {
      const item = items[place];
      if (item) yield item;
    }
  }

  const trim = () => {
    while (head < items.length && !items[head]) head += 1;
    while (items.length > head && !items.at(-1)) items.pop();
    if (head > compactFrom && head * 2 > items.length) {
      items = items.slice(head);
      syncedEnd -= head;
      cutOff += head;
      head = 0;
    }
    syncedEnd = Math.min(Math.max(syncedEnd, head), items.length);
  };

  const append = (item: T) => {
    placeOf.set(nameOf(item), items.length + cutOff);
    items.push(item);
  };

  const clear = () => {
    items = [];
    placeOf = new Map();
    head = syncedEnd = syncedCount = cutOff = 0;
  };

  const countSynced = () => {
    for (; syncedEnd < items.length; syncedEnd += 1) {
      const item = items[syncedEnd];
      if (!item) continue;
      if (!isBefore(item.place, durable)) return;
      syncedCount += 1;
    }
  };

  return {
    get syncedCount() {
      return syncedCount;
    },
    add(item) {
      const last = items.at(-1);
      if (last && isBefore(item.place, last.place)) {
        const inOrder = [...between(head, items.length), item].sort((a, b) =>
          isBefore(a.place, b.place) ? -1 : 1,
        );
        clear();
        for (const each of inOrder) append(each);
      } else append(item);
      countSynced();
    },
    has: (item) => placeOf.has(nameOf(item)),
    remove(epoch, number) {
      const name = `${epoch}/${number}`;
      const place = (placeOf.get(name) ?? -1) - cutOff;
      const item = items[place];
      if (!item) return undefined;
      placeOf.delete(name);
      items[place] = undefined;
      if (place < syncedEnd) syncedCount -= 1;
      trim();
      return item;
    },
    clear,
    reached(end) {
      durable = end;
      countSynced();
    },
    first: () => items[head],
    firstSynced: () => (head < syncedEnd ? items[head] : undefined),
    oldest(count) {
      const oldest: T[] = [];
      for (let place = head; place < syncedEnd && oldest.length < count; place += 1) {
        const item = items[place];
        if (item) oldest.push(item);
      }
      return oldest;
    },
    newestSynced(count) {
      const newest: T[] = [];
      for (let place = syncedEnd - 1; place >= head && newest.length < count; place -= 1) {
        const item = items[place];
        if (item) newest.push(item);
      }
      return newest.reverse();
    },
    synced: () => between(head, syncedEnd),
    all: () => between(head, items.length),
  };
}

type Spot = Pick<Place, 'segment' | 'offset'>;

export function isBefore(a: Spot, b: Spot): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

export function later(a: Spot, b: Spot): Spot {
  return isBefore(a, b) ? b : a;
}
