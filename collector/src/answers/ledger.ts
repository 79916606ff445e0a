/**
 * What was counted of a subject, from the blocks of the slots: whole days from the month's, single minutes from the
 * day's. Whoever shows a number of minutes reads it here.
 */
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { type DayRange, monthOfDay } from '@highwater/config/proof/rule/period.ts';
import { addTotals, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { decodeRuns, totalsOfRuns } from '../slots/day.ts';
import { decodeMonth } from '../slots/month.ts';
import type { BlockRow, View } from '../store/store.ts';

/** The plane of what the regions agreed on; the others have a region's name. */
export const AGREED = '';

/** By UTC day number; days without a slot are absent. */
export type DayTotals = ReadonlyMap<number, RuleTotals>;

export interface Ledger {
  /** By plane. */
  days(shard: string, subject: string, range: DayRange): Promise<ReadonlyMap<string, DayTotals>>;
  /** By plane. */
  minutes(shard: string, subject: string, range: MinuteRange): Promise<ReadonlyMap<string, RuleTotals>>;
}

/** Reads through the follower: what is not flushed yet is there too. */
export interface BlockReader {
  blocks(shard: string, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
}

function merge(into: Map<string, Map<number, RuleTotals>>, block: Uint8Array, range: DayRange): void {
  for (const [plane, days] of decodeMonth(block)) {
    const own = into.get(plane) ?? new Map<number, RuleTotals>();
    for (const [day, totals] of days) {
      if (range.first <= day && day <= range.last) own.set(day, totals);
    }
    if (own.size > 0) into.set(plane, own);
  }
}

export function openLedger(slots: BlockReader): Ledger {
  return {
    async days(shard, subject, range) {
      const [from, to] = [monthOfDay(range.first), monthOfDay(range.last)];
      const planes = new Map<string, Map<number, RuleTotals>>();
      for (const { block } of await slots.blocks(shard, 'totals', from, to, subject)) {
        merge(planes, block, range);
      }
      return planes;
    },
    async minutes(shard, subject, { first, last }) {
      const [from, to] = [dayOfMinute(first), dayOfMinute(last)];
      const planes = new Map<string, RuleTotals>();
      for (const { period: day, block } of await slots.blocks(shard, 'slots', from, to, subject)) {
        const start = day * MINUTES_PER_DAY;
        const [begin, end] = [Math.max(0, first - start), Math.min(MINUTES_PER_DAY - 1, last - start)];
        for (const [plane, runs] of decodeRuns(block)) {
          planes.set(plane, addTotals(planes.get(plane) ?? emptyTotals, totalsOfRuns(runs, begin, end)));
        }
      }
      return planes;
    },
  };
}
