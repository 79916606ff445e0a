/**
 * Where checks go, and who waits to go there: at most two checks at a time ask one address and port, so that watching a
 * server is no load on it, and one that hangs holds up nobody else's. Pure; changed in place by its own functions.
 * What a check keeps open between its rounds (`lasting`) is not counted: a node may have several services behind one
 * address, and each holds its own.
 */
import TinyQueue from 'tinyqueue';
import type { Instant } from '@highwater/config/time.ts';

/** One check that waits for its place. */
export interface Waiting {
  readonly id: string;
  /** May move on to a later due time: it keeps its turn. */
  dueAt: Instant;
  readonly recheck: boolean;
  /** A recheck that another region asked for. */
  readonly forOthers: boolean;
  /** Of those that wait the earliest comes first. */
  readonly since: Instant;
  /** In the order in which they came, where all else is the same. */
  readonly serial: number;
  /** It is no longer wanted. */
  dropped: boolean;
}

/** One check that runs. */
export interface Asking {
  readonly id: string;
  readonly place: string;
  readonly recheck: boolean;
}

interface Place {
  readonly name: string;
  /** At most `maxAtOnce`. */
  readonly asking: Asking[];
  readonly waiting: TinyQueue<Waiting>;
}

export interface Places {
  /** Those where somebody asks or waits. */
  readonly byName: Map<string, Place>;
  /** By monitor: one that runs is not started again. */
  readonly asking: Map<string, Asking>;
  /** Those where somebody came or went since the last `fill`. */
  readonly changed: Set<string>;
}

export const maxAtOnce = 2;

export function makePlaces(): Places {
  return { byName: new Map(), asking: new Map(), changed: new Set() };
}

/** Scheduled checks before rechecks, and then who has waited longest. */
function inOrder(a: Waiting, b: Waiting): number {
  return Number(a.recheck) - Number(b.recheck) || a.since - b.since || a.serial - b.serial;
}

/** Lines up; who may go is said by `fill`. */
export function lineUp(places: Places, name: string, waiting: Waiting): void {
  let place = places.byName.get(name);
  if (!place) places.byName.set(name, (place = { name, asking: [], waiting: new TinyQueue([], inOrder) }));
  place.waiting.push(waiting);
  places.changed.add(name);
}

/** A check has ended or was given up. */
export function leave(places: Places, id: string): void {
  const asking = places.asking.get(id);
  const place = asking && places.byName.get(asking.place);
  if (!asking || !place) return;
  places.asking.delete(id);
  place.asking.splice(place.asking.indexOf(asking), 1);
  if (place.waiting.length > 0) places.changed.add(place.name);
  else if (place.asking.length === 0) places.byName.delete(place.name);
}

/** What `fill` asks of the schedule. */
interface Calls {
  /** Whether this one, whose turn it is, is to be started now; false lets it go. */
  readonly wanted: (waiting: Waiting) => boolean;
  readonly start: (waiting: Waiting) => void;
  /** Of a recheck that runs: it makes room for a scheduled check. */
  readonly giveUp: (id: string) => void;
}

/** Starts whoever has a place now. Costs nothing where nobody came or went. */
export function fill(places: Places, calls: Calls): void {
  for (const name of places.changed) {
    const place = places.byName.get(name);
    if (place) fillOne(places, place, calls);
  }
  places.changed.clear();
}

function fillOne(places: Places, place: Place, { wanted, start, giveUp }: Calls): void {
  for (let next = place.waiting.peek(); next; next = place.waiting.peek()) {
    if (!next.dropped) {
      const isFull = place.asking.length >= maxAtOnce;
      const weaker = isFull && !next.recheck ? place.asking.find((asking) => asking.recheck) : undefined;
      if (isFull && !weaker) return;
      if (wanted(next)) {
        if (weaker) {
          leave(places, weaker.id);
          giveUp(weaker.id);
        }
        const asking = { id: next.id, place: place.name, recheck: next.recheck };
        place.asking.push(asking);
        places.asking.set(next.id, asking);
        start(next);
      }
    }
    place.waiting.pop();
  }
  if (place.asking.length === 0) places.byName.delete(place.name);
}
