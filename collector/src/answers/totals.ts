/** Days and uptime from the slots, by the rule's own counting; each day is counted once for each of its versions. */
import type { Totals } from '@highwater/config/domain.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { addTotals, countSlots, emptyTotals, type RuleTotals } from '@highwater/config/proof/rule/totals.ts';
import type { PublicDay, PublicUptime } from '@highwater/config/public.ts';
import { formatDay } from '@highwater/config/time.ts';
import { slotOfByte } from '../slots/byte.ts';
import type { ReadTx, SlotDay } from '../store/store.ts';

/** Days shown. */
const DAYS = 90;

export interface SubjectTotals {
  readonly days: PublicDay[];
  readonly uptime: PublicUptime;
}

const publicTotals = ({ up, down, unknown, maintenance, stalled, degraded }: Totals): Totals => ({
  up,
  down,
  unknown,
  maintenance,
  stalled,
  degraded,
});

export interface Counter {
  /** The last 90 days of a subject, up to and with `today`. */
  count(tx: ReadTx, subject: string, today: number): Promise<SubjectTotals>;
}

export function openCounter(): Counter {
  const known = new Map<string, { version: number; totals: RuleTotals }>();
  const totalsOf = (subject: string, { day, version, block }: SlotDay): RuleTotals => {
    const key = `${subject} ${day}`;
    const had = known.get(key);
    if (had?.version === version) return had.totals;
    const totals = countSlots(Array.from(block, slotOfByte));
    known.set(key, { version, totals });
    return totals;
  };
  return {
    async count(tx, subject, today) {
      known.delete(`${subject} ${today - DAYS}`);
      const days = await tx.slotDays(subject, today - DAYS + 1, today);
      const counted = days.map((day) => ({ day: day.day, totals: totalsOf(subject, day) }));
      const sum = counted.reduce((all, { totals }) => addTotals(all, totals), emptyTotals);
      return {
        days: counted.map(({ day, totals }) => ({ date: formatDay(day), ...publicTotals(totals) })),
        uptime: printedUptime(sum),
      };
    },
  };
}
