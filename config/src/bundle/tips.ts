/**
 * What probes had seen of the log when they signed (`tip` of a batch), held against the log that is here: a probe that was shown
 * another log says so with its signature. An honest probe looks itself that each tree continues the one before, so of each key the
 * newest of each UTC day speaks for the others.
 */
import { encodeBase64, sameBytes } from '../proof/bytes.ts';
import { dayOfMinute, formatDay } from '../time.ts';
import type { BatchBytes } from './batch-bytes.ts';

interface Tip {
  readonly batch: number;
  readonly year: number;
  readonly index: number;
  readonly minute: number;
  readonly epoch: number;
  readonly number: number;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface KnownTrees {
  /** Entries up to which a log is here; undefined for none. */
  sizeOf(year: number): number | undefined;
  /** Undefined where a size lies before what is here. */
  rootAt(year: number, size: number): Uint8Array | undefined;
  /** Whether a batch counts for nothing, since its epoch contradicts itself. */
  isVoid(key: string, epoch: number, number: number): boolean;
}

export interface WrongTip {
  readonly batch: number;
  readonly says: string;
}

export class Tips {
  /** By key and UTC day. */
  readonly #newest = new Map<string, Map<number, Tip>>();

  take(key: string, read: BatchBytes, batch: number, place: { year: number; index: number }): void {
    const { tipSize: size, first: minute, epoch, number } = read;
    // A probe that has seen none.
    if (size === 0) return;
    let days = this.#newest.get(key);
    if (days === undefined) this.#newest.set(key, (days = new Map<number, Tip>()));
    const { year, index } = place;
    const day = dayOfMinute(minute);
    const known = days.get(day);
    // What is no tree that could have been seen is looked at, whatever comes behind it.
    const isAhead = size > index;
    const wasAhead = known !== undefined && known.size > known.index;
    const isNewer =
      known === undefined || epoch > known.epoch || (epoch === known.epoch && number > known.number);
    if (wasAhead && !isAhead) return;
    if (!isNewer && (!isAhead || wasAhead)) return;
    const root = read.tipRoot.slice();
    days.set(day, { batch, year, index, minute, epoch, number, size, root });
  }

  *wrong(trees: KnownTrees): Generator<WrongTip, void> {
    for (const [key, days] of this.#newest) {
      for (const tip of days.values()) {
        if (trees.isVoid(key, tip.epoch, tip.number) || isOn(tip, trees)) continue;
        const { batch, size, root } = tip;
        const shown = encodeBase64(root);
        yield {
          batch,
          says: `its probe had seen a log of ${size} entries with the root ${shown}, which the log here never was`,
        };
      }
    }
  }
}

/** Whether it is a tree of its own year's log or of the one before, as far as those are here: a tip names no year. */
function isOn({ year, index, minute, size, root }: Tip, trees: KnownTrees): boolean {
  if (size <= index) {
    const own = trees.rootAt(year, size);
    if (own === undefined || sameBytes(own, root)) return true;
  }
  const before = trees.sizeOf(year - 1);
  // A probe that was cut off over the turn of the year has not seen the new log; nobody is for a month.
  if (before === undefined) return formatDay(dayOfMinute(minute)) < `${year}-02`;
  if (size > before) return false;
  const other = trees.rootAt(year - 1, size);
  return other === undefined || sameBytes(other, root);
}
