/**
 * The days of one shard that are being written, as runs by subject and plane. A day is read from its blocks when it is
 * first touched, and forgotten when it was written and is neither of the newest two.
 */
import { compareBytewise } from '@highwater/config/proof/bytes.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import type { ReadTx } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import { decodeRuns, encodeRuns, totalsOfRuns, withRequests } from './day.ts';
import { monthOfDay, monthWith } from './month.ts';
import { appendRun, eachRun, lengthOfRuns, type Runs, runAt, runsWith, trimmed } from './runs.ts';
import { byteOfSymbol } from './symbol.ts';

interface Plane {
  runs: Runs;
  /** Minutes that are in them. */
  length: number;
}

/** Of a subject: '' is what was agreed (without requests: they are its regions' together), else the region. */
export type Planes = Map<string, Plane>;

export function symbolIn(planes: Planes | undefined, plane: string, minuteOfDay: number): number {
  return symbolOfPlane(planes?.get(plane), minuteOfDay);
}

function symbolOfPlane(own: Plane | undefined, minuteOfDay: number): number {
  if (own === undefined || minuteOfDay >= own.length) return 0;
  return minuteOfDay === own.length - 1 ? (own.runs.at(-2) ?? 0) : runAt(own.runs, minuteOfDay);
}

interface OpenDay {
  readonly subjects: Map<string, Planes>;
  readonly changed: Set<string>;
}

const withoutRequests = (runs: Runs): Runs => {
  const made: Runs = [];
  eachRun(runs, (symbol, from, to) => appendRun(made, byteOfSymbol(symbol), to - from));
  return trimmed(made);
};

function read(block: Uint8Array): Planes {
  return new Map(
    [...decodeRuns(block)].map(([name, own]) => {
      const runs = name === '' ? withoutRequests(own) : own;
      return [name, { runs, length: lengthOfRuns(runs) }];
    }),
  );
}

export class Book {
  readonly #days = new Map<number, OpenDay>();
  readonly #blocks: Blocks;

  constructor(blocks: Blocks) {
    this.#blocks = blocks;
  }

  /** Before a day is written or looked at. */
  async open(tx: ReadTx, day: number): Promise<void> {
    if (this.#days.has(day)) return;
    const rows = await this.#blocks.list(tx, 'slots', day, day);
    const subjects = new Map(rows.map(({ subject, block }) => [subject, read(block)]));
    this.#days.set(day, { subjects, changed: new Set() });
  }

  #day(day: number): OpenDay {
    const open = this.#days.get(day);
    if (open === undefined) throw new RangeError(`unreachable: day ${day} is not open`);
    return open;
  }

  planes(subject: string, day: number): Planes | undefined {
    return this.#day(day).subjects.get(subject);
  }

  /** Whether it was another one before. */
  set(subject: string, plane: string, minute: number, symbol: number): boolean {
    const day = this.#day(dayOfMinute(minute));
    const at = minute % MINUTES_PER_DAY;
    const planes = day.subjects.get(subject) ?? (new Map() as Planes);
    const had = planes.get(plane);
    if (symbolOfPlane(had, at) === symbol) return false;
    if (planes.size === 0) day.subjects.set(subject, planes);
    const own = had ?? { runs: [], length: 0 };
    if (had === undefined) planes.set(plane, own);
    if (at >= own.length) {
      appendRun(own.runs, 0, at - own.length);
      appendRun(own.runs, symbol);
      own.length = at + 1;
    } else {
      own.runs = trimmed(runsWith(own.runs, at, symbol));
      own.length = lengthOfRuns(own.runs);
    }
    day.changed.add(subject);
    return true;
  }

  /** Takes the slots of a minute away, but for some subjects': it is judged anew. */
  clear(minute: number, isKept: (subject: string) => boolean): void {
    for (const [subject, planes] of this.#day(dayOfMinute(minute)).subjects) {
      if (isKept(subject)) continue;
      for (const plane of planes.keys()) this.set(subject, plane, minute, 0);
    }
  }

  /** Encodes what changed, and what each of these days adds up to, into the blocks; of one subject alone, or of all. */
  async close(tx: ReadTx, only?: string): Promise<void> {
    const newest = Math.max(...this.#days.keys());
    for (const [day, open] of this.#days) {
      const subjects = only === undefined ? [...open.changed].sort(compareBytewise) : [only];
      for (const subject of subjects) {
        if (open.changed.delete(subject)) await this.#encode(tx, day, subject, open.subjects.get(subject));
      }
      if (only === undefined && day < newest - 1) this.#days.delete(day);
    }
  }

  async #encode(tx: ReadTx, day: number, subject: string, planes: Planes | undefined): Promise<void> {
    // What is here of a day whose block is damaged is a part of it.
    if (this.#blocks.isLocked('slots', day, subject)) return;
    const runs = new Map<string, Runs>();
    for (const [name, own] of planes ?? []) if (own.runs.length > 0) runs.set(name, own.runs);
    this.#blocks.set('slots', day, subject, runs.size === 0 ? new Uint8Array(0) : encodeRuns(runs, true));
    await this.#addUp(tx, day, subject, runs);
  }

  async #addUp(tx: ReadTx, day: number, subject: string, planes: ReadonlyMap<string, Runs>): Promise<void> {
    const month = monthOfDay(day);
    const before = await this.#blocks.get(tx, 'totals', month, subject);
    const totals = new Map(
      [...planes].map(([name, runs]) => [
        name,
        totalsOfRuns(name === '' ? withRequests(runs, planes) : runs),
      ]),
    );
    this.#blocks.set('totals', month, subject, monthWith(before, day, totals));
  }

  forget(): void {
    this.#days.clear();
  }
}
