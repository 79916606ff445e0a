/** Deadlines that leave nothing behind. */

import type { Ending } from '@highwater/config/kinds.ts';

export type { Ending };

/**
 * Aborts like AbortSignal.timeout, or with `ending`. No whole AbortSignal, which with its events costs as much as a small
 * request.
 */
export interface Deadline extends Ending {
  /** Whether its own time is up, not that of `ending`. */
  passed(): boolean;
  /** To be called when what it is for is over: whatever still runs under it is aborted. */
  done(): void;
}

/** Errors of no one place: their stack would say nothing, and to take it costs more than all else here. */
const isOver = new Error('this is over');

/**
 * Deadlines by what ends them: it is listened to once, for all of them. A signal looks through its listeners at each
 * change. Not AbortSignal.any: that leaves something behind on a signal that lives as long as the program, for every check.
 */
const followers = new WeakMap<Ending, Set<() => void>>();

function followersOf(ending: Ending): Set<() => void> {
  const known = followers.get(ending);
  if (known) return known;
  const made = new Set<() => void>();
  followers.set(ending, made);
  ending.addEventListener(
    'abort',
    () => {
      for (const end of made) end();
    },
    { once: true },
  );
  return made;
}

export function deadline(ms: number, ending: Ending): Deadline {
  return new Limit(ms, ending);
}

/** A class: of an object with getters every one has a shape of its own, which slows down all who use it. */
class Limit implements Deadline {
  aborted = false;
  reason: unknown;
  #passed = false;
  readonly #listeners = new Set<() => void>();
  readonly #followers: Set<() => void>;
  readonly #end: () => void;
  readonly #timer: NodeJS.Timeout;

  constructor(ms: number, ending: Ending) {
    this.#followers = followersOf(ending);
    this.#end = () => this.#abort(ending.reason);
    this.#timer = setTimeout(() => {
      this.#passed = true;
      this.#abort(new DOMException('the deadline passed', 'TimeoutError'));
    }, ms);
    if (ending.aborted) this.#end();
    else this.#followers.add(this.#end);
  }

  addEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: 'abort', listener: () => void): void {
    this.#listeners.delete(listener);
  }

  passed(): boolean {
    return this.#passed;
  }

  done(): void {
    this.#abort(isOver);
  }

  #abort(because: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = because;
    clearTimeout(this.#timer);
    this.#followers.delete(this.#end);
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** Waits so long, or until it ends. */
export function pause(ms: number, signal: Ending): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
