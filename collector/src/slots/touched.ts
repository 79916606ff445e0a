/** Closed minutes of a shard that are to be judged again, and of which monitors. */
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { MAX_WAITED_WINDOW, isLong } from './waiting.ts';
import { layoutIn } from './layout.ts';
import type { Change } from './standing.ts';
import type { Standpoint } from './tally-book.ts';
import type { MonitorWindow } from './windows.ts';

export class Touched {
  readonly #shard: string;
  /** Whole (undefined), or these monitors. */
  readonly #minutes = new Map<number, Set<string> | undefined>();
  /** Minutes that are judged on another ground than before. */
  readonly #anew = new Set<number>();
  /** Minutes of which every window is read. */
  readonly #again = new Set<number>();
  /** First minutes of long windows, `MONITOR MINUTE`, that lines came for since they were judged. */
  readonly #spoken = new Set<string>();

  constructor(shard: string) {
    this.#shard = shard;
  }

  /** Of a minute all, on another ground than before. */
  anew(minute: number): void {
    this.#anew.add(minute);
    this.#minutes.set(minute, undefined);
  }

  isAnew(minute: number): boolean {
    return this.#anew.has(minute);
  }

  /** Of a minute all. */
  whole(minute: number): void {
    this.#minutes.set(minute, undefined);
  }

  /** All of some minutes, and of those that windows over them cover: each window is read, whatever was said in it. */
  again({ ground, windows }: Standpoint, { first, last }: MinuteRange, closed: number): void {
    let [from, to] = [first, last];
    for (const edge of [first, last]) {
      for (const { id } of layoutIn(ground.timeline, this.#shard, edge)?.monitors ?? []) {
        const window = windows.at(id, edge);
        from = Math.min(from, window?.first ?? from);
        to = Math.max(to, window?.last ?? to);
      }
    }
    for (let minute = from; minute <= Math.min(to, closed); minute += 1) {
      this.#again.add(minute);
      this.#minutes.set(minute, undefined);
    }
  }

  /** What lines came for, or were taken from. */
  change({ ground, windows }: Standpoint, { put, taken }: Change, closed: number): void {
    let monitor = '';
    let minute = -1;
    let longest = 1;
    const touch = (said: { readonly monitor: string; readonly minute: number }): void => {
      // Lines of one monitor and minute are neighbours.
      if (said.monitor === monitor && said.minute === minute) return;
      if (said.minute !== minute) longest = layoutIn(ground.timeline, this.#shard, said.minute)?.longest ?? 1;
      ({ monitor, minute } = said);
      if (minute - (minute % longest) > closed && longest <= MAX_WAITED_WINDOW) return;
      this.#window(ground, windows.at(monitor, minute), closed);
    };
    for (const line of put.lines) touch(line);
    for (const torn of put.torn) touch(torn);
    for (const { said } of taken) touch(said);
  }

  /** Of a service that has moved, the minutes in which this shard had it. */
  #window({ timeline }: Standpoint['ground'], window: MonitorWindow | undefined, closed: number): void {
    if (window === undefined) return;
    const { id } = window.monitor;
    if (isLong(window)) this.#spoken.add(`${id} ${window.first}`);
    for (let each = window.first; each <= Math.min(window.last, closed); each += 1) {
      if (layoutIn(timeline, this.#shard, each)?.has(id) !== true) continue;
      if (this.#minutes.has(each) && this.#minutes.get(each) === undefined) continue;
      const monitors = this.#minutes.get(each) ?? new Set<string>();
      this.#minutes.set(each, monitors.add(id));
    }
  }

  /** Ascending. */
  minutes(): number[] {
    return [...this.#minutes.keys()].sort((a, b) => a - b);
  }

  /** Of a touched minute these monitors; undefined for all. */
  monitors(minute: number): ReadonlySet<string> | undefined {
    return this.#minutes.get(minute);
  }

  /** Whether the tallies of a window are read: of a long one only where something was said, or it begins. */
  isRead({ ground }: Standpoint, window: MonitorWindow, minute: number): boolean {
    const { monitor, first } = window;
    if (!isLong(window) || minute === first || this.#anew.has(minute)) return true;
    if (this.#again.has(minute)) return true;
    if (this.#spoken.has(`${monitor.id} ${first}`)) return true;
    // It came from another shard while its window went on: here it has no minute before.
    return layoutIn(ground.timeline, this.#shard, minute - 1)?.has(monitor.id) !== true;
  }

  clear(): void {
    this.#minutes.clear();
    this.#anew.clear();
    this.#again.clear();
    this.#spoken.clear();
  }
}
