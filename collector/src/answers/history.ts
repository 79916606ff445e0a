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
  slots: Pick<Slots, 'blocks' | 'changes' | 'revision' | 'shardsOf'>,
  ledger: Pick<Ledger, 'each'>,
): HistoryReader {
  const figures = openFigures(watched, slots);
  const totals = new Map<string, SubjectTotals>();
  const seen = new Map<string, string>();

  /** Where the past of a shard's services lies. */
  const shardsOf = async (shard: string): Promise<readonly string[]> => {
    const services = watched.shards.get(shard) ?? [];
    const shards = await Promise.all(services.map(({ id }) => slots.shardsOf(id)));
    return [...new Set([shard, ...shards.flat()])];
  };

  const refresh = async (shard: string, shards: readonly string[], today: number): Promise<void> => {
    const range = daysOfPeriod(SHOWN, today);
    if (range === undefined) throw new Error(`unreachable: ${SHOWN} is a period`);
    const services = watched.shards.get(shard) ?? [];
    const subjects = services.flatMap(({ id, nodes }) => [id, ...nodes.map((node) => `${id}/${node.id}`)]);
    for (const [id, own] of await totalsOf(ledger, shards, subjects, range)) totals.set(id, own);
  };

  return {
    async read(now) {
      const today = dayOfMinute(lastClosed(now));
      for (const shard of watched.shards.keys()) {
        const shards = await shardsOf(shard);
        const version = `${shards.map((each) => slots.revision(each)).join(' ')} ${today}`;
        if (seen.get(shard) === version) continue;
        await refresh(shard, shards, today);
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
