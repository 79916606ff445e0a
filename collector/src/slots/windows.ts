/** The window of one minute without making those of the whole day; equals rule/window.ts windowsOfDay. */
import { type RuleMonitor } from '@highwater/config/proof/projection.ts';
import { windowMinutesOf } from '@highwater/config/proof/rule/window.ts';
import type { ConfigInForce, Timeline } from '@highwater/config/proof/rule/timeline.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';

export interface MonitorWindow {
  readonly first: number;
  readonly last: number;
  readonly monitor: RuleMonitor;
  readonly under: ConfigInForce;
}

export interface WindowFinder {
  at(monitor: string, minute: number): MonitorWindow | undefined;
}

/** Minutes of a day, after its first, in which another configuration comes into force. */
function changesOf(timeline: Timeline, day: number): number[] {
  const start = day * MINUTES_PER_DAY;
  const changes: number[] = [];
  for (let minute = start + 1; minute < start + MINUTES_PER_DAY; minute += 1) {
    if (timeline.configAt(minute) !== timeline.configAt(minute - 1)) changes.push(minute);
  }
  return changes;
}

export function windowFinder(timeline: Timeline): WindowFinder {
  const known = new Map<number, number[]>();
  const changesIn = (day: number): number[] => {
    const changes = known.get(day) ?? changesOf(timeline, day);
    if (known.size > 100) known.clear();
    known.set(day, changes);
    return changes;
  };
  return {
    at(id, minute) {
      const day = dayOfMinute(minute);
      const changes = changesIn(day);
      let at = day * MINUTES_PER_DAY;
      while (at <= minute) {
        const from = at;
        const change = changes.find((each) => each > from) ?? (day + 1) * MINUTES_PER_DAY;
        const under = timeline.configAt(at);
        const monitor = under?.monitors.get(id);
        if (under === undefined || monitor === undefined) {
          at = change;
          continue;
        }
        // Under one configuration windows are aligned but for the first, which begins where it came into force;
        // the last one that begins under it goes on to its aligned end, whatever changes inside it.
        const length = windowMinutesOf(monitor.intervalMs);
        const start = Math.max(at, Math.min(minute, change - 1) - (Math.min(minute, change - 1) % length));
        const last = start - (start % length) + length - 1;
        if (minute <= last) return { first: start, last, monitor, under };
        at = last + 1;
      }
      return undefined;
    },
  };
}

/**
 * The newest minute up to `minute` whose window is over by `horizon`, the last minute that has closed. Of a window
 * that goes on nothing is to be told yet: the lines to come would change it.
 */
export function completeMinute(
  windows: WindowFinder,
  monitor: string,
  minute: number,
  horizon: number,
): number {
  const closed = Math.min(minute, horizon);
  const window = windows.at(monitor, closed);
  return window !== undefined && window.last > horizon ? window.first - 1 : closed;
}
