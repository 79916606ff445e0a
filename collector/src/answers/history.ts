/** What the snapshot shows of the past, read again only for shards whose slots have changed. */
import type { PublicNode } from '@highwater/config/public.ts';
import { dayOfMinute, HOUR_MS, type Instant, minuteOf } from '@highwater/config/time.ts';
import type { LatencyState } from '../slots/latency.ts';
import type { Slots } from '../slots/slots.ts';
import type { Store } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import { openMethods } from './methods.ts';
import type { History } from './snapshot.ts';
import { openCounter, type SubjectTotals } from './totals.ts';

const HOURS = 24;

function chart(state: LatencyState, now: Instant): PublicNode['latency'] {
  const last = Math.floor(now / HOUR_MS);
  const hours = Array.from({ length: HOURS }, (_, i) => last - HOURS + 1 + i);
  return Object.entries(state)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([region, byHour]) => ({
      region,
      from: (last - HOURS + 1) * HOUR_MS,
      hourlyTenths: hours.map((hour) => {
        const [sum, count] = byHour[hour] ?? [0, 0];
        return count === 0 ? null : Math.round(sum / count);
      }),
    }));
}

export interface HistoryReader {
  read(now: Instant): Promise<History>;
}

export function openHistory(watched: Watched, store: Store, slots: Slots): HistoryReader {
  const counter = openCounter();
  const totals = new Map<string, SubjectTotals>();
  const latencies = new Map<string, LatencyState>();
  const methods = openMethods(watched);
  const seen = new Map<string, string>();
  /** The revision up to which a shard's methods were read. */
  const methodsSeen = new Map<string, number>();

  const refresh = (shard: string, today: number): Promise<void> =>
    store.read(shard, async (tx) => {
      for (const service of watched.shards.get(shard) ?? []) {
        for (const id of [service.id, ...service.nodes.map((node) => `${service.id}/${node.id}`)]) {
          totals.set(id, await counter.count(tx, id, today));
        }
      }
      for (const row of await tx.listState('latency')) latencies.set(row.key, row.value as LatencyState);
      const [before, revision] = [methodsSeen.get(shard), slots.revision(shard)];
      if (before === undefined) await methods.readAll(tx);
      else await methods.read(tx, slots.methodPlaces(shard, before));
      methodsSeen.set(shard, revision);
    });

  return {
    async read(now) {
      const today = dayOfMinute(minuteOf(now));
      for (const shard of watched.shards.keys()) {
        const version = `${slots.revision(shard)} ${today}`;
        if (seen.get(shard) === version) continue;
        await refresh(shard, today);
        seen.set(shard, version);
      }
      const latency = new Map([...latencies].map(([node, state]) => [node, chart(state, now)]));
      return { totals, latency, methods: methods.all(now) };
    },
  };
}
