/** What two stores hold otherwise of a shard's views, day by day. */
import { addUpMonth } from '../slots/add-up-month.ts';
import { daysOfMonth, monthOfDay } from '../slots/month.ts';
import { damageOf } from '../slots/readable.ts';
import type { BlockRow, ReadTx, Store, View } from '../store/store.ts';

export interface Difference {
  readonly shard: string;
  readonly view: View;
  /** As the view counts: UTC day, hour, or year x 12 + month - 1. */
  readonly period: number;
  readonly subject: string;
  /** Of what is there now: its bytes are others, it is not there, or the log does not give it. */
  readonly found: 'changed' | 'missing' | 'extra';
  /** What belongs there; undefined for what does not. */
  readonly block: Uint8Array | undefined;
}

/** Periods of a view that are looked at together. */
export interface Stretch {
  readonly view: View;
  readonly from: number;
  readonly to: number;
}

const HOURS_PER_DAY = 24;
const LAST = 2 ** 40;
const daily: readonly View[] = ['slots', 'latency-days'];
const hourly: readonly View[] = ['latency', 'heads'];

/** The UTC days of which a block tells. */
export function daysOf(view: View, period: number): { readonly first: number; readonly last: number } {
  if (hourly.includes(view)) {
    const day = Math.floor(period / HOURS_PER_DAY);
    return { first: day, last: day };
  }
  if (view !== 'totals') return { first: period, last: period };
  return daysOfMonth(period);
}

/** Everything, in stretches of a day: what lies before the first day and after the last, too. */
export function* stretches(firstDay: number, lastDay: number): Generator<Stretch> {
  const hour = (day: number): number => day * HOURS_PER_DAY;
  for (const view of daily) yield { view, from: 0, to: firstDay - 1 };
  for (const view of hourly) yield { view, from: 0, to: hour(firstDay) - 1 };
  yield { view: 'totals', from: 0, to: monthOfDay(firstDay) - 1 };
  for (let day = firstDay; day <= lastDay; day += 1) {
    for (const view of daily) yield { view, from: day, to: day };
    for (const view of hourly) yield { view, from: hour(day), to: hour(day + 1) - 1 };
  }
  for (let month = monthOfDay(firstDay); month <= monthOfDay(lastDay); month += 1) {
    yield { view: 'totals', from: month, to: month };
  }
  for (const view of daily) yield { view, from: lastDay + 1, to: LAST };
  for (const view of hourly) yield { view, from: hour(lastDay + 1), to: LAST };
  yield { view: 'totals', from: monthOfDay(lastDay) + 1, to: LAST };
}

const placeOf = ({ period, subject }: BlockRow): string => `${period} ${subject}`;

/** @param belongs what belongs where `made` and `now` are: some of what is there may have to stay */
export async function differencesIn(
  shard: string,
  { view, from, to }: Stretch,
  stores: { readonly now: Store; readonly made: Store },
  belongs: (
    view: View,
    period: number,
    now: Uint8Array | undefined,
    made: Uint8Array | undefined,
  ) => Uint8Array | undefined,
): Promise<Difference[]> {
  const read = (tx: ReadTx): Promise<readonly BlockRow[]> => tx.blocks(view, from, to);
  const now = new Map((await stores.now.read(shard, read)).map((row) => [placeOf(row), row]));
  const made = new Map((await stores.made.read(shard, read)).map((row) => [placeOf(row), row]));
  const differences: Difference[] = [];
  for (const [place, row] of new Map([...made, ...now])) {
    const { period, subject } = row;
    const there = now.get(place)?.block;
    // Of a month that can't be read, the days that stay are added up from their slots.
    const isDamaged = view === 'totals' && there !== undefined && damageOf(view, there) !== undefined;
    const kept = isDamaged ? await stores.now.read(shard, (tx) => addUpMonth(tx, period, subject)) : there;
    const block = belongs(view, period, kept, made.get(place)?.block);
    if (there === undefined ? block === undefined : block !== undefined && Buffer.compare(there, block) === 0)
      continue;
    const found = there === undefined ? 'missing' : block === undefined ? 'extra' : 'changed';
    differences.push({ shard, view, period, subject, found, block });
  }
  return differences.sort((a, b) => a.period - b.period || (a.subject < b.subject ? -1 : 1));
}
