/** Deadlines that leave nothing behind. */

/** What ends something, as far as those who wait look at it: an AbortSignal is one, a deadline a cheaper one. */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { readonly once: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Aborts like AbortSignal.timeout, or with `ending`. */
export interface Deadline extends Ending {
  /** For who needs a whole signal. Made when it is asked for: with its events it costs as much as a small request. */
  readonly signal: AbortSignal;
  /** Whether its own time is up, not that of `ending`. */
  readonly passed: () => boolean;
  /** To be called when what it is for is over: whatever still runs under it is aborted. */
  readonly done: () => void;
}

/** Errors of no one place: their stack would say nothing, and to take it costs more than all else here. */
const isOver = new Error('this is over');

/**
 * Deadlines by what ends them: it is listened to once, for all of them. A signal looks through its listeners at each
 * change. Not AbortSignal.any: that leaves something behind on a signal that lives as long as the program, for every check.
 */
const followers = new WeakMap<AbortSignal, Set<() => void>>();

function followersOf(ending: AbortSignal): Set<() => void> {
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

export function deadline(ms: number, ending: AbortSignal): Deadline {
  const listeners = new Set<() => void>();
  let whole: AbortController | undefined;
  let aborted = false;
  let reason: unknown;
  let passed = false;
  const abort = (because: unknown) => {
    if (aborted) return;
    aborted = true;
    reason = because;
    clearTimeout(timer);
    followersOf(ending).delete(end);
    for (const listener of listeners) listener();
    listeners.clear();
    whole?.abort(because);
  };
  const timer = setTimeout(() => {
    passed = true;
    abort(new DOMException('the deadline passed', 'TimeoutError'));
  }, ms);
  const end = () => abort(ending.reason);
  if (ending.aborted) end();
  else followersOf(ending).add(end);
  return {
    get aborted() {
      return aborted;
    },
    get reason() {
      return reason;
    },
    addEventListener: (_, listener) => void listeners.add(listener),
    removeEventListener: (_, listener) => void listeners.delete(listener),
    get signal() {
      whole ??= new AbortController();
      if (aborted) whole.abort(reason);
      return whole.signal;
    },
    passed: () => passed,
    done: () => abort(isOver),
  };
}
