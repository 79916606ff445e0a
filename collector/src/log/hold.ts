/**
 * After a start nothing is signed until those who may know more of the log have had time to show it: each probe with the
 * first of its requests, the page and the witnesses when they are asked. One that is away is not waited for long.
 */

/** ms. */
export const HOLD_MS = 5_000;

export interface Hold {
  /** A probe has asked; what it showed was looked at. */
  asked(probe: string): void;
  /**
   * Resolves once all of `probes` have asked and `others` have resolved, after HOLD_MS at the latest, or when `signal`
   * aborts; never rejects.
   */
  over(probes: readonly string[], others: readonly Promise<unknown>[], signal: AbortSignal): Promise<void>;
}

export function openHold(): Hold {
  const heard = new Set<string>();
  let look = (): void => undefined;
  return {
    asked(probe) {
      heard.add(probe);
      look();
    },
    over: (probes, others, signal) =>
      new Promise((resolve) => {
        let areOthersDone = false;
        const end = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, HOLD_MS);
        signal.addEventListener('abort', end);
        look = () => {
          if (signal.aborted || (areOthersDone && probes.every((probe) => heard.has(probe)))) end();
        };
        void Promise.allSettled(others).then(() => {
          areOthersDone = true;
          look();
        });
        look();
      }),
  };
}
