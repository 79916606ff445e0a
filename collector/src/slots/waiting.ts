/** Which minutes can be closed: those whose windows are over, as far as these are waited for. */
import { monitorParts } from '@highwater/config/domain.ts';
import type { ConfigInForce } from '@highwater/config/proof/rule/timeline.ts';
import { windowMinutesOf } from '@highwater/config/proof/rule/window.ts';
import { layoutOf } from './layout.ts';
import { shardsUnder } from './shards-ever.ts';
import type { Ground } from './ground.ts';
import type { MonitorWindow } from './windows.ts';

/** Longer windows, minutes, are shown before they are complete. */
export const MAX_WAITED_WINDOW = 15;

export const isLong = ({ first, last }: Pick<MonitorWindow, 'first' | 'last'>): boolean =>
  last - first + 1 > MAX_WAITED_WINDOW;

const known = new WeakMap<ConfigInForce, WeakMap<ConfigInForce, Map<string, ReadonlySet<number>>>>();

/** Lengths, under an earlier configuration, of the windows of services that a later one has in a shard. */
function lengthsBefore(before: ConfigInForce, now: ConfigInForce, shard: string): ReadonlySet<number> {
  const ofBoth = known.get(before) ?? new WeakMap<ConfigInForce, Map<string, ReadonlySet<number>>>();
  known.set(before, ofBoth);
  const ofShard = ofBoth.get(now) ?? new Map<string, ReadonlySet<number>>();
  ofBoth.set(now, ofShard);
  const had = ofShard.get(shard);
  if (had !== undefined) return had;
  const own = shardsUnder(now.config);
  const monitors = before.config.monitors.filter(({ id }) => own.get(monitorParts(id).service) === shard);
  const made = new Set(monitors.map(({ intervalMs }) => windowMinutesOf(intervalMs)));
  ofShard.set(shard, made);
  return made;
}

/** Of all windows that may go on in a minute. */
function lengthsAt({ timeline }: Ground, shard: string, minute: number): Set<number> {
  const now = timeline.configAt(minute);
  const before = timeline.configAt(minute - MAX_WAITED_WINDOW + 1);
  return new Set([
    ...(now === undefined ? [] : layoutOf(now, shard).windows),
    ...(before === undefined ? [] : layoutOf(before, shard).windows),
    ...(now === undefined || before === undefined || now === before ? [] : lengthsBefore(before, now, shard)),
  ]);
}

/**
 * The last minute up to `horizon` of which no window goes on after it. A window that began under the configuration
 * before goes on to that one's end.
 */
export function closable(ground: Ground, shard: string, closed: number, horizon: number): number {
  const lowest = Math.max(closed, horizon - MAX_WAITED_WINDOW);
  for (let minute = horizon; minute > lowest; minute -= 1) {
    const lengths = lengthsAt(ground, shard, minute);
    const isWaiting = [...lengths].some((length) => {
      const last = minute - (minute % length) + length - 1;
      return last > horizon && last - minute < MAX_WAITED_WINDOW;
    });
    if (!isWaiting) return minute;
  }
  return lowest;
}
