/**
 * What was counted of a subject, from the blocks of the slots: whole days from the month's, single minutes from the
 * day's. Whoever shows a number of minutes reads it here. Of a service that was in several shards each holds the minutes in
 * which it had it: they are added up.
 */
import { createHash } from 'node:crypto';
import { monitorParts } from '@highwater/config/domain.ts';
import type { MinuteRange } from '@highwater/config/proof/rule/evaluate.ts';
import { type DayRange, monthOfDay } from '@highwater/config/proof/rule/period.ts';
import { addTotals, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import { dayOfMinute, type Instant, MINUTES_PER_DAY } from '@highwater/config/time.ts';
import { decodeRuns, totalsOfRuns } from '../slots/day.ts';
import { besideDay, dayOfBlock, eachOfPlane, planesOfMonth } from '../slots/month.ts';
import { lastClosed } from '../slots/slots.ts';
import { addTo, keptTotals, newTotals } from '../slots/totals-sum.ts';
import type { BlockRow, View } from '../store/store.ts';

/** The plane of what the regions agreed on; the others have a region's name. */
export const AGREED = '';

/** December 9999. */
const LAST_MONTH = 10_000 * 12 - 1;

/** By UTC day number; days without a slot are absent. */
export type DayTotals = ReadonlyMap<number, RuleTotals>;

export interface Ledger {
  /** The last minute of a service that is counted: while minutes are made up for, it is behind the last that is over. */
  lastMinute(service: string, now: Instant): Promise<number>;
  /** Whether anything was ever counted of a subject. */
  has(subject: string): Promise<boolean>;
  /** Of all that was ever counted of a subject: the agreed plane, and those of regions that may be gone by now. */
  planes(subject: string): Promise<ReadonlySet<string>>;
  /** Of one plane. */
  days(subject: string, plane: string, range: DayRange): Promise<DayTotals>;
  /**
   * Tells the days of many subjects of a shard, read at once: of each subject in their order, as far as they lie in this
   * shard. `totals` is filled again for the next day: whoever keeps it makes a copy.
   */
  each(
    shard: string,
    plane: string,
    range: DayRange,
    isWanted: (subject: string) => boolean,
    visit: (subject: string, day: number, totals: RuleTotals) => void,
  ): Promise<void>;
  /**
   * By plane, the sums of several ranges, all of which end today or before. Days that are over are summed again only when
   * one of them has changed, so that what is asked for each minute costs one day.
   */
  sums(
    subject: string,
    ranges: readonly DayRange[],
    today: number,
  ): Promise<ReadonlyMap<string, readonly RuleTotals[]>>;
  /** By plane. */
  minutes(subject: string, range: MinuteRange): Promise<ReadonlyMap<string, RuleTotals>>;
}

/** Reads through the follower: what is not flushed yet is there too. */
export interface BlockReader {
  /** The last minute of a shard that has its slots; undefined before it is followed. */
  closed(shard: string): Promise<number | undefined>;
  /** The shards that hold what was ever counted of a service. */
  shardsOf(service: string): Promise<readonly string[]>;
  blocks(shard: string, view: View, from: number, to: number, subject?: string): Promise<readonly BlockRow[]>;
}

/** What was summed of the days that are over, and of what bytes. */
interface Settled {
  readonly of: string;
  readonly sums: ReadonlyMap<string, readonly RuleTotals[]>;
}

function settle(blocks: readonly BlockRow[], ranges: readonly DayRange[], today: number): Settled['sums'] {
  const sums = new Map<string, readonly ReturnType<typeof newTotals>[]>();
  for (const { block } of blocks) {
    for (const plane of planesOfMonth(block)) {
      const own = sums.get(plane) ?? ranges.map(newTotals);
      sums.set(plane, own);
      eachOfPlane(block, plane, (day, totals) => {
        for (const [i, { first, last }] of ranges.entries()) {
          const sum = own[i];
          if (sum !== undefined && day < today && first <= day && day <= last) addTo(sum, totals);
        }
      });
    }
  }
  return sums;
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

export function openLedger(slots: BlockReader): Ledger {
  const settled = new Map<string, Settled>();

  const blocksOf = async (subject: string, view: View, from: number, to: number): Promise<BlockRow[]> => {
    const shards = await slots.shardsOf(monitorParts(subject).service);
    const rows: BlockRow[] = [];
    for (const shard of shards) rows.push(...(await slots.blocks(shard, view, from, to, subject)));
    return rows;
  };

  return {
    async sums(subject, ranges, today) {
      const from = monthOfDay(Math.min(...ranges.map(({ first }) => first)));
      const blocks = await blocksOf(subject, 'totals', from, monthOfDay(today));
      const of = fingerprint(blocks, ranges, today);
      const had = settled.get(subject);
      const sums = had?.of === of ? had.sums : settle(blocks, ranges, today);
      if (sums !== had?.sums) settled.set(subject, { of, sums });
      const added = new Map<string, RuleTotals>();
      for (const { period, block } of blocks) {
        if (period !== monthOfDay(today)) continue;
        for (const [plane, totals] of dayOfBlock(block, today)) {
          const had = added.get(plane);
          added.set(plane, had === undefined ? totals : addTotals(had, totals));
        }
      }
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
    async lastMinute(service, now) {
      const closed = await Promise.all((await slots.shardsOf(service)).map((shard) => slots.closed(shard)));
      return closed.reduce<number>((least, each) => Math.min(least, each ?? least), lastClosed(now));
    },
    async has(subject) {
      return (await blocksOf(subject, 'totals', 0, LAST_MONTH)).length > 0;
    },
    async planes(subject) {
      const rows = await blocksOf(subject, 'totals', 0, LAST_MONTH);
      return new Set(rows.flatMap(({ block }) => [...planesOfMonth(block)]));
    },
    async days(subject, plane, range) {
      const [from, to] = [monthOfDay(range.first), monthOfDay(range.last)];
      const days = new Map<number, RuleTotals>();
      for (const { block } of await blocksOf(subject, 'totals', from, to)) {
        eachOfPlane(block, plane, (day, totals) => {
          if (day < range.first || day > range.last) return;
          const had = days.get(day);
          days.set(day, had === undefined ? keptTotals(totals) : addTotals(had, totals));
        });
      }
      return days;
    },
    async each(shard, plane, { first, last }, isWanted, visit) {
      for (const { subject, block } of await slots.blocks(
        shard,
        'totals',
        monthOfDay(first),
        monthOfDay(last),
      )) {
        if (!isWanted(subject)) continue;
        eachOfPlane(block, plane, (day, totals) => {
          if (first <= day && day <= last) visit(subject, day, totals);
        });
      }
    },
    async minutes(subject, { first, last }) {
      const [from, to] = [dayOfMinute(first), dayOfMinute(last)];
      const planes = new Map<string, RuleTotals>();
      for (const { period: day, block } of await blocksOf(subject, 'slots', from, to)) {
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
