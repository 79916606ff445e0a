/** How far a draft counts: to the last minute that is in the log of all probes that still speak. */
import { parseProjection } from '@highwater/config/proof/projection.ts';
import { windowMinutesOf, windowOf } from '@highwater/config/proof/rule/window.ts';
import type { Instant } from '@highwater/config/time.ts';
import { batchOf } from '../slots/batch-commit.ts';
import { lastClosed } from '../slots/slots.ts';
import { isLong, MAX_WAITED_WINDOW } from '../slots/waiting.ts';
import type { ReadTx } from '../store/store.ts';
import { NoReport } from './no-report.ts';

interface Wanted {
  /** Commits at or above it do not count. */
  readonly below: number;
  readonly draftAt: Instant;
  /** Of the month. */
  readonly minutes: { readonly first: number; readonly last: number };
}

/**
 * A probe that has said nothing for longer than windows are waited for is silent, and holds up nothing. Rejects with NoReport
 * where no minute of the month is over.
 */
export async function lastLogged(tx: ReadTx, { below, draftAt, minutes }: Wanted): Promise<number> {
  const horizon = lastClosed(draftAt);
  const reached = new Map<string, number>();
  // A batch ends within a minute of which the next one may have more.
  for (const { index } of await tx.batchesWithin(horizon - 2 * MAX_WAITED_WINDOW, horizon + 1)) {
    const [commit] = index < below ? await tx.commitsFrom(index, 1) : [];
    const batch = commit && batchOf(commit);
    if (batch === undefined) continue;
    const { probe, minutes: own } = batch;
    reached.set(probe, Math.max(reached.get(probe) ?? 0, own.last - 1));
  }
  const speaking = [...reached.values()].filter((minute) => minute >= horizon - MAX_WAITED_WINDOW);
  const logged = Math.min(horizon, ...speaking);
  if (logged < minutes.first) throw new NoReport('no minute of that month is over and in the log yet');
  if (logged >= minutes.last) return minutes.last;
  return Math.max(minutes.first, await untilWindowsEnd(tx, logged));
}

/** The last minute up to one that no window, which is waited for, goes on after. */
async function untilWindowsEnd(tx: ReadTx, minute: number): Promise<number> {
  const config = parseProjection((await tx.lastOfKind('config'))?.body ?? '');
  const intervals = 'error' in config ? [] : config.monitors.map(({ intervalMs }) => intervalMs);
  const lengths = [...new Set(intervals.map(windowMinutesOf))];
  const isOver = (last: number): boolean =>
    lengths.every((length) => {
      const window = windowOf(last, length);
      return window.last === last || isLong(window);
    });
  for (let last = minute; last > minute - MAX_WAITED_WINDOW; last -= 1) if (isOver(last)) return last;
  return minute;
}
