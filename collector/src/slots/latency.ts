/** Mean latency by hour, node and region, for the charts. Sums, taken in the transaction that takes the lines. */
import { HOUR_MS } from '@highwater/config/time.ts';
import type { Tx } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import type { TallyAddition } from './intake.ts';

/** Hours kept: those of a day and the one that runs. */
const HOURS = 25;

/** `latency`, by `service/node`: by region, by hour since 1970: sum in tenths of a millisecond, and count. */
export type LatencyState = Readonly<
  Record<string, Readonly<Record<string, readonly [sum: number, count: number]>>>
>;

type Open = Record<string, Record<string, [number, number]>>;

function put(into: Open, region: string, hour: number, tenths: number): void {
  const hours = (into[region] ??= {});
  const [sum, count] = hours[hour] ?? [0, 0];
  hours[hour] = [sum + tenths, count + 1];
}

function pruned(state: Open, oldest: number): Open {
  const kept: Open = {};
  for (const [region, hours] of Object.entries(state)) {
    const young = Object.entries(hours).filter(([hour]) => Number(hour) >= oldest);
    if (young.length > 0) kept[region] = Object.fromEntries(young);
  }
  return kept;
}

/** Adds the answers among these lines; those of a closed hour long ago are left out. */
export async function addLatency(
  tx: Tx,
  watched: Watched,
  additions: readonly TallyAddition[],
  now: number,
): Promise<void> {
  const oldest = Math.floor(now / HOUR_MS) - HOURS + 1;
  const byNode = Map.groupBy(additions, ({ monitor }) => monitor.slice(0, monitor.lastIndexOf('/')));
  for (const [node, own] of byNode) {
    const row = await tx.getState('latency', node);
    const state = pruned((row?.value ?? {}) as Open, oldest);
    for (const { key, entries } of own) {
      const region = watched.regionOf.get(key.slice(0, key.indexOf('+')));
      if (region === undefined) continue;
      for (const { dueAt, rest } of entries) {
        const hour = Math.floor(dueAt / HOUR_MS);
        if (hour < oldest) continue;
        // The body's lines were read whole when it was taken in.
        const [outcome, tenths] = rest.split(' ', 2);
        if (outcome === 'ok' || outcome === 'degraded') put(state, region, hour, Number(tenths));
      }
    }
    await tx.putState('latency', node, row?.version ?? 0, state);
  }
}
