/** When a block of a view is from, as people write it. */
import type { View } from '../collector/src/store/store.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const isHourly = (view: View): boolean => view === 'latency' || view === 'heads';

/** `2026-11-21`, `2026-11-21 06:00` or `2026-11`, in UTC; a number that is no such time stays a number. */
export function periodText(view: View, period: number): string {
  const at = isHourly(view)
    ? period * HOUR_MS
    : view === 'totals'
      ? Date.UTC(Math.floor(period / 12), period % 12)
      : period * DAY_MS;
  if (Number.isNaN(new Date(at).getTime())) return String(period);
  const text = new Date(at).toISOString();
  const length = isHourly(view) ? 16 : view === 'totals' ? 7 : 10;
  return text.slice(0, length).replace('T', ' ');
}
