/** Which minutes can be closed: those whose windows are over, as far as these are waited for. */
import { layoutOf } from './layout.ts';
import type { Ground } from './ground.ts';
import type { MonitorWindow } from './windows.ts';

/** Longer windows, minutes, are shown before they are complete. */
export const MAX_WAITED_WINDOW = 15;

export const isLong = ({ first, last }: Pick<MonitorWindow, 'first' | 'last'>): boolean =>
  last - first + 1 > MAX_WAITED_WINDOW;

function lengthsAt({ timeline }: Ground, shard: string, minute: number): number[] {
  const under = timeline.configAt(minute);
  return under === undefined ? [] : [...layoutOf(under, shard).windows];
}

/**
 * The last minute up to `horizon` of which no window goes on after it. A window that began under the configuration
 * before goes on to that one's end.
 */
export function closable(ground: Ground, shard: string, closed: number, horizon: number): number {
  const lowest = Math.max(closed, horizon - MAX_WAITED_WINDOW);
  for (let minute = horizon; minute > lowest; minute -= 1) {
    const lengths = new Set(
      [minute, minute - MAX_WAITED_WINDOW + 1].flatMap((each) => lengthsAt(ground, shard, each)),
    );
    const isWaiting = [...lengths].some((length) => {
      const last = minute - (minute % length) + length - 1;
      return last > horizon && last - minute < MAX_WAITED_WINDOW;
    });
    if (!isWaiting) return minute;
  }
  return lowest;
}
