/** What the snapshot shows of the past, read again only for shards whose views have changed. */
import { daysOfPeriod } from '@highwater/config/proof/rule/period.ts';
import { dayOfMinute, type Instant } from '@highwater/config/time.ts';
import { lastClosed, type Slots } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';
import type { Ledger } from './ledger.ts';
import { openFigures } from './methods.ts';
import type { History } from './snapshot.ts';
import { type SubjectTotals, totalsOf } from './totals.ts';

/** What the page draws as a bar of days. */
const SHOWN = '90d';

export interface HistoryReader {
  read(now: Instant): Promise<History>;
}

export function openHistory(
  watched: Watched,
  slots: Pick<Slots, 'blocks' | 'changes' | 'revision'>,
  ledger: Pick<Ledger, 'each'>,
): HistoryReader {
  const figures = openFigures(watched, slots);
  const totals = new Map<string, SubjectTotals>();
  const seen = new Map<string, string>();

  const refresh = async (shard: string, today: number): Promise<void> => {
    const range = daysOfPeriod(SHOWN, today);
    if (range === undefined) throw new Error(`unreachable: ${SHOWN} is a period`);
    const services = watched.shards.get(shard) ?? [];
    const subjects = services.flatMap(({ id, nodes }) => [id, ...nodes.map((node) => `${id}/${node.id}`)]);
    for (const [id, own] of await totalsOf(ledger, shard, subjects, range)) totals.set(id, own);
  };

  return {
    async read(now) {
      const today = dayOfMinute(lastClosed(now));
      for (const shard of watched.shards.keys()) {
        const version = `${slots.revision(shard)} ${today}`;
        if (seen.get(shard) === version) continue;
        await refresh(shard, today);
        seen.set(shard, version);
      }
      const nodes = await figures.read(now);
      return {
        totals,
        latency: new Map([...nodes].map(([node, { latency }]) => [node, latency])),
        methods: new Map([...nodes].map(([node, { methods }]) => [node, methods])),
      };
    },
  };
}
