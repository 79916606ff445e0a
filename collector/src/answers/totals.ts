/** Days and uptime of subjects as the snapshot shows them: sums of the ledger's days. */
import type { DayRange } from '@highwater/config/proof/rule/period.ts';
import type { Totals } from '@highwater/config/domain.ts';
import type { RuleTotals } from '@highwater/config/proof/rule/totals.ts';
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

/** The parts of a day lie in several shards when its service moved on that day. */
function joined(days: readonly PublicDay[]): PublicDay[] {
  const byDate = Map.groupBy(days, ({ date }) => date);
  return [...byDate]
    .map(([date, parts]) => ({ ...parts.map(publicTotals).reduce(sumOf), date }))
    .sort((a, b) => (a.date < b.date ? -1 : 1));
}

function sumOf(a: Totals, b: Totals): Totals {
  return {
    up: a.up + b.up,
    down: a.down + b.down,
    unknown: a.unknown + b.unknown,
    maintenance: a.maintenance + b.maintenance,
    stalled: a.stalled + b.stalled,
    degraded: a.degraded + b.degraded,
  };
}

/** Of subjects that lie in these shards, as the regions agreed; days without a slot are absent. */
export async function totalsOf(
  ledger: Pick<Ledger, 'each'>,
  shards: readonly string[],
  subjects: readonly string[],
  range: DayRange,
): Promise<ReadonlyMap<string, SubjectTotals>> {
  const counted = new Map<string, Counted>();
  for (const subject of subjects) counted.set(subject, { days: [], up: 0, down: 0, unknown: 0 });
  const isWanted = (subject: string): boolean => counted.has(subject);
  const add = (subject: string, day: number, totals: RuleTotals): void => {
    const own = counted.get(subject);
    if (own === undefined) return;
    own.days.push({ date: formatDay(day), ...publicTotals(totals) });
    own.up += totals.up;
    own.down += totals.down;
    own.unknown += totals.unknown;
  };
  for (const shard of shards) await ledger.each(shard, AGREED, range, isWanted, add);
  return new Map(
    [...counted].map(([subject, { days, ...minutes }]) => [
      subject,
      { days: shards.length > 1 ? joined(days) : days, uptime: printedUptime(minutes) },
    ]),
  );
}
