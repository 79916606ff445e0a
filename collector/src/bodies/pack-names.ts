/**
 * Where the bodies of a pack lie, by probe, epoch and number: in arrays, since a day of one service has thousands and the log
 * names hundreds of services. Some 17 bytes a body.
 */
import type { PackedBody } from '@highwater/config/proof/packed/pack.ts';
import { shownWords } from '@highwater/config/proof/packed/pack.ts';
import type { Shown } from '../store/store.ts';

/** Where a body of some name is; its batch's hash says whether it is the one. */
export interface PackedPlace {
  readonly segment: number;
  readonly place: number;
  readonly shown: Shown;
}

export interface BodyName {
  readonly probe: string;
  readonly epoch: number;
  readonly number: number;
}

/** Of one probe and epoch, by number ascending. */
interface Numbers {
  readonly numbers: Float64Array;
  readonly segments: Uint32Array;
  readonly places: Uint32Array;
  readonly shown: Uint8Array;
}

export interface PackNames {
  readonly size: number;
  /** More than one where a probe signed two batches under one number, or two keys had one id. */
  find(name: BodyName): PackedPlace[];
}

const groupOf = ({ probe, epoch }: Omit<BodyName, 'number'>): string => `${probe} ${epoch}`;

function numbersOf(bodies: readonly PackedBody[]): Numbers {
  const sorted = bodies.toSorted((a, b) => a.number - b.number);
  return {
    numbers: Float64Array.from(sorted, ({ number }) => number),
    segments: Uint32Array.from(sorted, ({ segment }) => segment),
    places: Uint32Array.from(sorted, ({ place }) => place),
    shown: Uint8Array.from(sorted, ({ shown }) => shownWords.indexOf(shown)),
  };
}

/** Place of the first number that is not below. */
function firstFrom(numbers: Float64Array, number: number): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function packNames(bodies: readonly PackedBody[]): PackNames {
  const groups = new Map([...Map.groupBy(bodies, groupOf)].map(([group, of]) => [group, numbersOf(of)]));
  return {
    size: bodies.length,
    find(name) {
      const group = groups.get(groupOf(name));
      const found: PackedPlace[] = [];
      if (group === undefined) return found;
      const { numbers, segments, places, shown } = group;
      for (let i = firstFrom(numbers, name.number); numbers[i] === name.number; i += 1) {
        const word = shownWords[shown[i] ?? 1] ?? 'private';
        found.push({ segment: segments[i] ?? 0, place: places[i] ?? 0, shown: word });
      }
      return found;
    },
  };
}
