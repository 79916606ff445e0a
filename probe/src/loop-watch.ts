/** How long the event loop stood still: a probe that could not look must not say that the target was slow. */

export interface LoopWatch {
  /** Milliseconds that the loop was late between two monotonic instants, the present stall included. */
  lateBetween(from: number, to: number): number;
  stop(): void;
}

const tickMs = 50;
const keptMs = 120_000;
/** Lateness below this is timers being timers. */
const noticeableMs = 25;

export function watchLoop(monotonic: () => number): LoopWatch {
  let lastTick = monotonic();
  let stalls: { readonly at: number; readonly lateMs: number }[] = [];
  const timer = setInterval(() => {
    const now = monotonic();
    const lateMs = now - lastTick - tickMs;
    if (lateMs > noticeableMs) {
      stalls = stalls.filter((stall) => now - stall.at < keptMs);
      stalls.push({ at: now, lateMs });
    }
    lastTick = now;
  }, tickMs);
  timer.unref();
  return {
    lateBetween(from, to) {
      // A timer of the check may come before this one's after the same stall.
      const present = Math.max(0, monotonic() - lastTick - tickMs);
      const recent = present > noticeableMs ? [{ at: monotonic(), lateMs: present }] : [];
      return [...stalls, ...recent]
        .map(({ at, lateMs }) => Math.min(at, to) - Math.max(at - lateMs, from))
        .reduce((sum, overlap) => sum + Math.max(0, overlap), 0);
    },
    stop: () => clearInterval(timer),
  };
}
