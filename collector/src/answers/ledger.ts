/**
 * What was counted of a subject, from the blocks of the slots: whole days from the month's, single minutes from the
 * day's. Whoever shows a number of minutes reads it here.
 */
import { createHash } from 'node:crypto';
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { type DayRange, monthOfDay, sumTotals } from '@highwater/config/proof/rule/period.ts';
import { addTotals, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { dayOfMinute, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { decodeRuns, totalsOfRuns } from '../slots/day.ts';
import { besideDay, dayOfBlock, decodeMonth, planeOfMonth } from '../slots/month.ts';
import type { BlockRow, View } from '../store/store.ts';

/** The plane of what the regions agreed on; the others have a region's name. */
export const AGREED = '';

/** December 9999. */
const LAST_MONTH = 10_000 * 12 - 1;

/** By UTC day number; days without a slot are absent. */
export type DayTotals = ReadonlyMap<number, RuleTotals>;

export interface Ledger {
  /** Whether anything was ever counted of a subject. */
  has(shard: string, subject: string): Promise<boolean>;
  /** Of one plane. */
  days(shard: string, subject: string, plane: string, range: DayRange): Promise<DayTotals>;
  /**
   * By plane, the sums of several ranges, all of which end today or before. Days that are over are summed again only when
   * one of them has changed, so that what is asked for each minute costs one day.
   */
  sums(
    shard: string,
    subject: string,
    ranges: readonly DayRange[],
    today: number,
  ): Promise<ReadonlyMap<string, readonly RuleTotals[]>>;
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

/** What was summed of the days that are over, and of what bytes. */
interface Settled {
  readonly of: string;
  readonly sums: ReadonlyMap<string, readonly RuleTotals[]>;
}

function settle(blocks: readonly BlockRow[], ranges: readonly DayRange[], today: number): Settled['sums'] {
  const planes = new Map<string, Map<number, RuleTotals>>();
  for (const { block } of blocks) merge(planes, block, { first: 0, last: today - 1 });
  return new Map(
    [...planes].map(([plane, days]) => [plane, ranges.map((range) => sumOfDays(days, range))] as const),
  );
}

/** Of what the sums were made, but for today: ranges, and the bytes of the other days. */
function fingerprint(blocks: readonly BlockRow[], ranges: readonly DayRange[], today: number): string {
  const hash = createHash('sha256').update(JSON.stringify([today, ranges]));
  for (const { period, block } of blocks) {
    const pieces = period === monthOfDay(today) ? besideDay(block, today) : [block];
    for (const piece of pieces) hash.update(`${period} ${piece.length} `).update(piece);
  }
  return hash.digest('base64');
}

function sumOfDays(days: DayTotals, { first, last }: DayRange): RuleTotals {
  return sumTotals([...days].flatMap(([day, totals]) => (first <= day && day <= last ? [totals] : [])));
}

export function openLedger(slots: BlockReader): Ledger {
  const settled = new Map<string, Settled>();
  return {
    async sums(shard, subject, ranges, today) {
      const from = monthOfDay(Math.min(...ranges.map(({ first }) => first)));
      const blocks = await slots.blocks(shard, 'totals', from, monthOfDay(today), subject);
      const of = fingerprint(blocks, ranges, today);
      const had = settled.get(subject);
      const sums = had?.of === of ? had.sums : settle(blocks, ranges, today);
      if (sums !== had?.sums) settled.set(subject, { of, sums });
      const current = blocks.find(({ period }) => period === monthOfDay(today));
      const added = current === undefined ? new Map<string, RuleTotals>() : dayOfBlock(current.block, today);
      const planes = [...new Set([...sums.keys(), ...added.keys()])];
      return new Map(
        planes.map((plane) => [
          plane,
          ranges.map(({ first, last }, i) => {
            const sum = sums.get(plane)?.[i] ?? emptyTotals;
            const more = first <= today && today <= last ? added.get(plane) : undefined;
            return more === undefined ? sum : addTotals(sum, more);
          }),
        ]),
      );
    },
    async has(shard, subject) {
      return (await slots.blocks(shard, 'totals', 0, LAST_MONTH, subject)).length > 0;
    },
    async days(shard, subject, plane, range) {
      const [from, to] = [monthOfDay(range.first), monthOfDay(range.last)];
      const days = new Map<number, RuleTotals>();
      for (const { block } of await slots.blocks(shard, 'totals', from, to, subject)) {
        for (const [day, totals] of planeOfMonth(block, plane)) {
          if (range.first <= day && day <= range.last) days.set(day, totals);
        }
      }
      return days;
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
