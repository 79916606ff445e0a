/** Days and uptime of a subject as the snapshot shows them: sums of the ledger's days. */
import { type DayRange, sumTotals } from '@highwater/config/proof/rule/period.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import type { PublicDay, PublicUptime } from '@highwater/config/public.ts';
import { formatDay } from '@highwater/config/time.ts';
import { publicTotals } from './counted.ts';
import { AGREED, type Ledger } from './ledger.ts';

export interface SubjectTotals {
  readonly days: PublicDay[];
  readonly uptime: PublicUptime;
}

/** As the regions agreed; days without a slot are absent. */
export async function totalsOf(
  ledger: Pick<Ledger, 'days'>,
  shard: string,
  subject: string,
  range: DayRange,
): Promise<SubjectTotals> {
  const counted = await ledger.days(shard, subject, AGREED, range);
  return {
    days: [...counted]
      .sort(([a], [b]) => a - b)
      .map(([day, totals]) => ({ date: formatDay(day), ...publicTotals(totals) })),
    uptime: printedUptime(sumTotals(counted.values())),
  };
}
