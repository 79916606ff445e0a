/** Days and uptime of a subject, by the rule's own counting, from the months that its days add up to. */
import type { Totals } from '@highwater/config/domain.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import { addTotals, emptyTotals } from '@highwater/config/proof/rule/totals.ts';
import type { PublicDay, PublicUptime } from '@highwater/config/public.ts';
import { formatDay } from '@highwater/config/time.ts';
import { decodeMonth, monthOfDay } from '../slots/month.ts';
import type { Slots } from '../slots/slots.ts';

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

/** The last 90 days of a subject, up to and with `today`. */
export async function totalsOf(
  slots: Pick<Slots, 'blocks'>,
  shard: string,
  subject: string,
  today: number,
): Promise<SubjectTotals> {
  const first = today - DAYS + 1;
  const months = await slots.blocks(shard, 'totals', monthOfDay(first), monthOfDay(today), subject);
  const counted = months
    .flatMap(({ block }) => [...(decodeMonth(block).get('') ?? [])])
    .filter(([day]) => first <= day && day <= today)
    .sort(([a], [b]) => a - b);
  const sum = counted.reduce((all, [, totals]) => addTotals(all, totals), emptyTotals);
  return {
    days: counted.map(([day, totals]) => ({ date: formatDay(day), ...publicTotals(totals) })),
    uptime: printedUptime(sum),
  };
}
