/** Something that is to stay connected: tried again and again, never twice at once, until its monitor ends. */
import { FaultError, type LastingWay } from '@highwater/config/kinds.ts';
import type { Fault } from '@highwater/config/faults.ts';
import { pause } from '../deadline.ts';
import { fault } from '../fault.ts';

/** How long to wait after so many failures in a row; half of it is chance, so that probes do not come all at once. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

export const backoff: Backoff = { firstMs: 1_000, maxMs: 60_000 };

/** What one connection tells of itself. */
export interface Told {
  /** It works: what is to come will come. */
  established(): void;
  /** Something came that was waited for; the next failure is the first one again. */
  moved(): void;
  /** With which code it was closed, before it ends. */
  closed(code: number): void;
}

/** All in milliseconds that never step. */
export interface KeptState {
  /** Since when there is no connection; undefined while there is one. */
  readonly downSinceMs: number | undefined;
  /** Since when nothing came on a working connection; undefined before there was any. */
  readonly quietSinceMs: number | undefined;
  /** When something came last. */
  readonly movedAtMs: number | undefined;
  /** Working connections that ended since it was last read. */
  readonly lost: number;
  /** Why the latest connection ended or was not made, until one works again. */
  readonly trouble: Fault | undefined;
  /** It was ended to be made anew, and none has worked since. */
  readonly renewing: boolean;
  /** Why working ones ended since it was last read: the latest. */
  readonly lostBy: Fault | undefined;
  /** The latest of those, where there is one. */
  readonly closeCode: number | undefined;
}

export interface Kept extends Disposable {
  /** What is counted begins anew. */
  read(): KeptState;
  /**
   * Ends the connection, which works and is silent: the next one is no fresh start for how long it is silent. Does
   * nothing before it is as old as this: it must have had the time to bring something.
   */
  renew(minAgeMs: number): void;
}

/** One connection from beginning to end: resolves or rejects when it has ended, and ends with the signal. */
export type Session = (told: Told, signal: AbortSignal) => Promise<void>;

export function keepUp(way: LastingWay, session: Session, wait: Backoff = backoff): Kept {
  const over = new AbortController();
  let current: AbortController | undefined;
  let failures = 0;
  let renewing = false;
  let downSinceMs: number | undefined = way.monotonic();
  let upSinceMs = -Infinity;
  let quietSinceMs: number | undefined;
  let movedAtMs: number | undefined;
  let lost = 0;
  let trouble: Fault | undefined;
  let lostBy: Fault | undefined;
  let closeCode: number | undefined;

  const told: Told = {
    established() {
      if (downSinceMs === undefined) return;
      downSinceMs = undefined;
      upSinceMs = way.monotonic();
      trouble = undefined;
      if (!renewing) quietSinceMs = way.monotonic();
      renewing = false;
    },
    moved() {
      failures = 0;
      movedAtMs = quietSinceMs = way.monotonic();
    },
    closed(code) {
      if (downSinceMs === undefined) closeCode = code;
    },
  };

  const ended = (because: Fault) => {
    if (downSinceMs !== undefined) {
      trouble = because;
      return;
    }
    downSinceMs = way.monotonic();
    // Our own end is no trouble.
    if (renewing) return;
    trouble = because;
    lost += 1;
    lostBy = because;
  };

  const once = async (): Promise<void> => {
    const own = (current = new AbortController());
    const end = () => own.abort(new Error('the long-lived connection is over'));
    over.signal.addEventListener('abort', end, { once: true });
    try {
      await session(told, own.signal);
      ended(fault('target.ws.closed'));
    } catch (thrown) {
      ended(thrown instanceof FaultError ? thrown.fault : brokenBy(thrown));
    } finally {
      over.signal.removeEventListener('abort', end);
      own.abort(new Error('the long-lived connection is over'));
    }
  };

  const run = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await once();
      failures += 1;
      // Who sends without end gets no more of our time than who cannot be reached at all.
      const flooded = trouble?.operation === 'ws' && trouble.code === 'too-large';
      await pause(flooded ? wait.maxMs : delayMs(failures, wait), over.signal);
    }
  };
  const stop = () => over.abort(new Error('the long-lived connection is no longer wanted'));
  if (way.signal.aborted) stop();
  else way.signal.addEventListener('abort', stop, { once: true });
  void run();

  return {
    read() {
      const state = { downSinceMs, quietSinceMs, movedAtMs, lost, trouble, renewing, lostBy, closeCode };
      lost = 0;
      lostBy = closeCode = undefined;
      return state;
    },
    renew(minAgeMs) {
      if (downSinceMs !== undefined || way.monotonic() - upSinceMs < minAgeMs) return;
      renewing = true;
      failures = 0;
      current?.abort(new Error('the long-lived connection is made anew'));
    },
    [Symbol.dispose]() {
      way.signal.removeEventListener('abort', stop);
      stop();
    },
  };
}

/** Half of it fixed, half chance. */
export function delayMs(failures: number, { firstMs, maxMs }: Backoff, chance = Math.random()): number {
  const full = Math.min(maxMs, firstMs * 2 ** Math.min(failures - 1, 30));
  return full / 2 + (full / 2) * chance;
}

/** A bug or our own end; the connection is tried again all the same. */
function brokenBy(thrown: unknown): Fault {
  return fault('probe.check.failed', thrown instanceof Error ? thrown.message : String(thrown));
}
