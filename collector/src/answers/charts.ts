/** The charts of a public service: latency by hour and by day, from sketches, and the heads of its nodes. */
import type { Service } from '@highwater/config/model.ts';
import type {
  PublicCharts,
  PublicMethodLatency,
  PublicNodeCharts,
  PublicQuantiles,
} from '@highwater/config/public-detail.ts';
import {
  type Clock,
  dayOfMinute,
  formatDay,
  HOUR_MS,
  type Instant,
  minuteOf,
} from '@highwater/config/time.ts';
import { declaredMethods } from '../declared-methods.ts';
import { ALL, decodeLatency, latencySubject, type Series } from '../slots/latency-block.ts';
import { countOf, emptySketch, quantiles, type Sketch } from '../slots/latency-sketch.ts';
import type { Slots } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';
import { openHeadCharts } from './head-charts.ts';

export const CHART_HOURS = 48;
export const CHART_DAYS = 30;
/** Methods shown of a service: those asked most. */
export const CHART_METHODS = 16;

/** Undefined without any answer. */
export function publicQuantilesOf(sketch: Sketch): PublicQuantiles | undefined {
  const [p50Tenths, p95Tenths, p99Tenths] = quantiles(sketch, [0.5, 0.95, 0.99]);
  if (p50Tenths === undefined || p95Tenths === undefined || p99Tenths === undefined) return undefined;
  return { count: countOf(sketch), p50Tenths, p95Tenths, p99Tenths };
}

/** What a region measured of a service, by hour. */
interface RegionHours {
  readonly region: string;
  readonly hours: ReadonlyMap<number, ReadonlyMap<string, Series>>;
}

/** The methods of these by how many calls have a time, most first. */
function byCalls(regions: readonly RegionHours[], declared: ReadonlySet<string>): string[] {
  const calls = new Map<string, number>();
  for (const { hours } of regions) {
    for (const series of hours.values()) {
      for (const [method, { sketch }] of series) {
        if (!declared.has(method) || sketch.length === 0) continue;
        calls.set(method, (calls.get(method) ?? 0) + countOf(sketch));
      }
    }
  }
  return [...calls].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([method]) => method);
}

function methodLatency(
  { region, hours }: RegionHours,
  method: string,
  first: number,
): PublicMethodLatency | [] {
  const shown = Array.from({ length: CHART_HOURS }, (_, i) => {
    const sketch = hours.get(first + i)?.get(method)?.sketch ?? emptySketch;
    return publicQuantilesOf(sketch) ?? null;
  });
  if (shown.every((hour) => hour === null)) return [];
  return { region, method, from: first * HOUR_MS, hours: shown };
}

export interface ChartParts {
  readonly watched: Watched;
  readonly slots: Pick<Slots, 'blocks' | 'revision'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Empty for a service that is not there, and for one that is private. */
export function openCharts({
  watched,
  slots,
  clock,
}: ChartParts): (service: string) => Promise<PublicCharts> {
  const declared = declaredMethods(watched);
  const headCharts = openHeadCharts(watched, slots);

  const regionHours = async (
    shard: string,
    service: string,
    region: string,
    first: number,
  ): Promise<RegionHours> => {
    const subject = latencySubject(service, region);
    const rows = await slots.blocks(shard, 'latency', first, first + CHART_HOURS - 1, subject);
    return { region, hours: new Map(rows.map(({ period, block }) => [period, decodeLatency(block)])) };
  };

  const latency = async (
    shard: string,
    { id }: Service,
    now: Instant,
  ): Promise<Pick<PublicCharts, 'latency' | 'leftOut'>> => {
    const first = Math.floor(now / HOUR_MS) - CHART_HOURS + 1;
    const regions: RegionHours[] = [];
    for (const region of watched.config.regions) regions.push(await regionHours(shard, id, region.id, first));
    const own = watched.config.monitors.filter(({ service }) => service === id);
    const methods = byCalls(
      regions,
      new Set(own.flatMap((monitor) => [...(declared.get(monitor.id) ?? [])])),
    );
    const shown = [ALL, ...methods.slice(0, CHART_METHODS)];
    const leftOut = methods.slice(CHART_METHODS);
    return {
      latency: regions.flatMap((region) => shown.flatMap((method) => methodLatency(region, method, first))),
      ...(leftOut.length > 0 && { leftOut }),
    };
  };

  const days = async (shard: string, node: string, now: Instant): Promise<PublicNodeCharts['days']> => {
    const today = dayOfMinute(minuteOf(now));
    const rows = await slots.blocks(shard, 'latency-days', today - CHART_DAYS + 1, today, node);
    return rows.flatMap(({ period, block }) => {
      const shown = publicQuantilesOf(decodeLatency(block).get(ALL)?.sketch ?? emptySketch);
      return shown === undefined ? [] : [{ date: formatDay(period), ...shown }];
    });
  };

  return async (id) => {
    const shard = watched.shardOf.get(id);
    const service = watched.config.services.find((each) => each.id === id && each.visibility === 'public');
    if (service === undefined || shard === undefined) return { latency: [], nodes: [] };
    const now = clock.now();
    const nodes: PublicNodeCharts[] = [];
    for (const { id: node } of service.nodes) {
      const heads = await headCharts.of(shard, service, node, now);
      nodes.push({
        node,
        days: await days(shard, `${id}/${node}`, now),
        ...(heads !== undefined && { heads }),
      });
    }
    return { ...(await latency(shard, service, now)), nodes };
  };
}
