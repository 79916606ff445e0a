/** Deadlines that leave nothing behind. */

export interface Deadline {
  readonly signal: AbortSignal;
  /** Whether its own time is up, not that of `ending`. */
  readonly passed: () => boolean;
  /** To be called when what it is for is over: whatever still runs under it is aborted. */
  readonly done: () => void;
}

/**
 * Aborts like AbortSignal.timeout, or with `ending`. Not AbortSignal.any: that leaves something behind on a signal
 * that lives as long as the program, for every check.
 */
export function deadline(ms: number, ending: AbortSignal): Deadline {
  const own = new AbortController();
  let passed = false;
  const timer = setTimeout(() => {
    passed = true;
    own.abort(new DOMException('the deadline passed', 'TimeoutError'));
  }, ms);
  const end = () => own.abort(ending.reason);
  if (ending.aborted) end();
  else ending.addEventListener('abort', end, { once: true });
  return {
    signal: own.signal,
    passed: () => passed,
    done: () => {
      clearTimeout(timer);
      ending.removeEventListener('abort', end);
      own.abort(new Error('this is over'));
    },
  };
}
