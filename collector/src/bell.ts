/** Something has changed: wakes whoever waits. Carries no data; waiters look for themselves. */
export interface Bell {
  ring(): void;
  /** How often it has rung: taken before looking, it makes `next` miss no ring in between. */
  rung(): number;
  /** Resolves at the first ring after the `seen`-th, after `timeoutMs`, or when `signal` aborts; never rejects. */
  next(seen: number, timeoutMs: number, signal: AbortSignal): Promise<void>;
}

export function bell(): Bell {
  const waiting = new Set<() => void>();
  let rung = 0;
  return {
    rung: () => rung,
    ring() {
      rung += 1;
      for (const wake of [...waiting]) wake();
    },
    next: (seen, timeoutMs, signal) =>
      new Promise((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        waiting.add(wake);
        signal.addEventListener('abort', wake);
        if (signal.aborted || rung > seen) wake();
      }),
  };
}
