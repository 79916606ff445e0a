/** Days and uptime of subjects as the snapshot shows them: sums of the ledger's days. */
import type { DayRange } from '@highwater/config/proof/rule/period.ts';
import { printedUptime } from '@highwater/config/proof/rule/printed.ts';
import type { PublicDay, PublicUptime } from '@highwater/config/public.ts';
import { formatDay } from '@highwater/config/time.ts';
import { publicTotals } from './counted.ts';
import { AGREED, type Ledger } from './ledger.ts';

interface Counted {
  readonly days: PublicDay[];
  up: number;
  down: number;
  unknown: number;
}

export interface SubjectTotals {
  readonly days: PublicDay[];
  readonly uptime: PublicUptime;
}

/** Of a shard's subjects, as the regions agreed; days without a slot are absent. */
export async function totalsOf(
  ledger: Pick<Ledger, 'each'>,
  shard: string,
  subjects: readonly string[],
  range: DayRange,
): Promise<ReadonlyMap<string, SubjectTotals>> {
  const counted = new Map<string, Counted>();
  for (const subject of subjects) counted.set(subject, { days: [], up: 0, down: 0, unknown: 0 });
  await ledger.each(
    shard,
    AGREED,
    range,
    (subject) => counted.has(subject),
    (subject, day, totals) => {
      const own = counted.get(subject);
      if (own === undefined) return;
      own.days.push({ date: formatDay(day), ...publicTotals(totals) });
      own.up += totals.up;
      own.down += totals.down;
      own.unknown += totals.unknown;
    },
  );
  return new Map(
    [...counted].map(([subject, { days, ...minutes }]) => [
      subject,
      { days, uptime: printedUptime(minutes) },
    ]),
  );
}
