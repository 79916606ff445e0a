/**
 * What waits for its acknowledgement, in the order in which it was journaled. After an outage that is a day of
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
  add(item: T): void;
  remove(epoch: number, number: number): T | undefined;
  clear(): void;
  /** Everything journaled before this place is synced. */
  reached(end: Pick<Place, 'segment' | 'offset'>): void;
  /** The oldest one, synced or not. */
  first(): T | undefined;
  firstSynced(): T | undefined;
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

  function* between(from: number, to: number): Iterable<T> {
    for (const item of items.slice(from, to)) if (item) yield item;
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

  return {
    get syncedCount() {
      return syncedCount;
    },
    add(item) {
      placeOf.set(`${item.epoch}/${numberOf(item)}`, items.length + cutOff);
      items.push(item);
    },
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
    clear() {
      items = [];
      placeOf = new Map();
      head = syncedEnd = syncedCount = cutOff = 0;
    },
    reached({ segment, offset }) {
      for (; syncedEnd < items.length; syncedEnd += 1) {
        const item = items[syncedEnd];
        if (!item) continue;
        const { place } = item;
        if (place.segment > segment || (place.segment === segment && place.offset >= offset)) return;
        syncedCount += 1;
      }
    },
    first: () => items[head],
    firstSynced: () => (head < syncedEnd ? items[head] : undefined),
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
