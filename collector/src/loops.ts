import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** The wait after a turn that failed, ms. */
const AFTER_FAILURE_MS = 1_000;

/**
 * Runs each loop, turn after turn, until the signal aborts. A turn that throws is logged and tried again: its state
 * is in the store, so the next turn is a restart. Resolves when all have ended; never rejects.
 */
export async function loops(
  turns: Readonly<Record<string, () => Promise<void>>>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const run = async (name: string, turn: () => Promise<void>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await turn();
      } catch (error) {
        log.error({ err: error, loop: name }, 'turn-failed');
        await delay(AFTER_FAILURE_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  };
  await Promise.all(Object.entries(turns).map(([name, turn]) => run(name, turn)));
}

/**
 * Keeps turns apart: resolves at once when the last call resolved at least `everyMs` ago, else when that has passed,
 * or `signal` aborts. Never rejects.
 */
export function pace(everyMs: number, signal: AbortSignal): () => Promise<void> {
  let last = -Infinity;
  return async () => {
    const left = last + everyMs - performance.now();
    if (left > 0) await delay(left, undefined, { signal }).catch(() => undefined);
    last = performance.now();
  };
}
