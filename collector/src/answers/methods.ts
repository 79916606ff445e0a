/**
 * Latency by region and by method, as the snapshot shows them of the last 24 hours of each node: medians by hour, and of
 * methods all regions together. An hour is read again when its blocks have changed.
 */
import type { PublicMethod, PublicNode } from '@highwater/config/public.ts';
import { HOUR_MS, type Instant } from '@highwater/config/time.ts';
import { declaredMethods } from '../declared-methods.ts';
import { ALL, checkSeries, decodeLatency } from '../slots/latency-block.ts';
import { addedUp, countOf, quantiles, type Sketch } from '../slots/latency-sketch.ts';
import type { Slots } from '../slots/slots.ts';
import type { BlockRow } from '../store/store.ts';
import type { Watched } from '../watched.ts';

const HOURS = 24;
/** Methods shown of one node, in the order configured; a check has at most 16. */
const MAX_METHODS = 64;

interface MethodHour {
  readonly sketch: Sketch;
  readonly median: number | undefined;
  readonly faults: ReadonlyMap<string, number>;
}

/** One hour of a node. */
interface NodeHour {
  /** Medians by region. */
  readonly medians: Map<string, number>;
  /** By `CHECK METHOD`, all regions together. */
  readonly methods: Map<string, MethodHour>;
}
type Hour = ReadonlyMap<string, NodeHour>;

function addFaults(into: Map<string, number>, faults: Iterable<readonly [string, number]>): void {
  for (const [fault, count] of faults) into.set(fault, (into.get(fault) ?? 0) + count);
}

/** @param isShown which series of a node are */
function hourOf(
  rows: readonly BlockRow[],
  regions: ReadonlySet<string>,
  isShown: (node: string, series: string) => boolean,
): Hour {
  const hour = new Map<string, NodeHour>();
  for (const { subject, block } of rows) {
    const [node = '', region = ''] = subject.split(' ');
    // A region that is no longer configured is not shown.
    if (!node.includes('/') || !regions.has(region)) continue;
    const own: NodeHour = hour.get(node) ?? { medians: new Map(), methods: new Map() };
    hour.set(node, own);
    for (const [name, { sketch, faults }] of decodeLatency(block)) {
      if (name === ALL) {
        const [median] = quantiles(sketch, [0.5]);
        if (median !== undefined) own.medians.set(region, median);
      } else if (isShown(node, name)) {
        const before = own.methods.get(name);
        const all = new Map<string, number>(before?.faults);
        addFaults(all, faults);
        const sum = addedUp(before === undefined ? [sketch] : [before.sketch, sketch]);
        own.methods.set(name, { sketch: sum, median: quantiles(sum, [0.5])[0], faults: all });
      }
    }
  }
  return hour;
}

/** Undefined when nothing was measured in these hours. */
function methodOf(
  check: string,
  method: string,
  hours: readonly (NodeHour | undefined)[],
  from: Instant,
): PublicMethod | undefined {
  const own = hours.map((hour) => hour?.methods.get(checkSeries(check, method)));
  const sketch = addedUp(own.flatMap((hour) => hour?.sketch ?? []));
  const faults = new Map<string, number>();
  for (const hour of own) addFaults(faults, hour?.faults ?? []);
  const calls = countOf(sketch);
  if (calls === 0 && faults.size === 0) return undefined;
  const [p50Tenths, p95Tenths] = quantiles(sketch, [0.5, 0.95]);
  return {
    check,
    method,
    calls,
    ...(p50Tenths === undefined ? {} : { p50Tenths }),
    ...(p95Tenths === undefined ? {} : { p95Tenths }),
    faults: [...faults]
      .map(([fault, count]) => ({ fault, count }))
      .sort((a, b) => b.count - a.count || (a.fault < b.fault ? -1 : 1)),
    from,
    hourlyP50Tenths: own.map((hour) => hour?.median ?? null),
  };
}

export interface NodeFigures {
  readonly latency: PublicNode['latency'];
  readonly methods: readonly PublicMethod[];
}

export interface FiguresReader {
  /** By `SERVICE/NODE`, of the nodes that are watched. */
  read(now: Instant): Promise<ReadonlyMap<string, NodeFigures>>;
}

export function openFigures(
  watched: Watched,
  slots: Pick<Slots, 'blocks' | 'changes' | 'revision'>,
): FiguresReader {
  const declared = declaredMethods(watched);
  const regions = watched.config.regions.map(({ id }) => id);
  const shown = new Set(
    [...declared].flatMap(([id, methods]) => {
      const [service, node, check = ''] = id.split('/');
      return [...methods].map((method) => `${service}/${node} ${checkSeries(check, method)}`);
    }),
  );
  /** By shard, by hour. */
  const read = new Map<string, Map<number, { readonly change: number; readonly hour: Hour }>>();
  const seen = new Map<string, string>();
  const made = new Map<string, NodeFigures>();

  /** Reads the hours of a shard that have changed. */
  const refresh = async (shard: string, last: number): Promise<readonly (Hour | undefined)[]> => {
    const hours = read.get(shard) ?? new Map<number, { change: number; hour: Hour }>();
    read.set(shard, hours);
    for (const hour of hours.keys()) if (hour <= last - HOURS || hour > last) hours.delete(hour);
    // The newest first: with it what is open of all is settled.
    for (let hour = last; hour > last - HOURS; hour -= 1) {
      const change = slots.changes(shard, 'latency', hour);
      if (hour < last && hours.get(hour)?.change === change) continue;
      const rows = await slots.blocks(shard, 'latency', hour, hour);
      const settled = slots.changes(shard, 'latency', hour);
      const isShown = (node: string, name: string): boolean => shown.has(`${node} ${name}`);
      hours.set(hour, { change: settled, hour: hourOf(rows, new Set(regions), isShown) });
    }
    return Array.from({ length: HOURS }, (_, i) => hours.get(last - HOURS + 1 + i)?.hour);
  };

  const make = (id: string, hours: readonly (Hour | undefined)[], from: Instant): NodeFigures => {
    const own = hours.map((hour) => hour?.get(id));
    const latency = regions
      .toSorted()
      .map((region) => ({
        region,
        from,
        hourlyTenths: own.map((hour) => hour?.medians.get(region) ?? null),
      }))
      .filter(({ hourlyTenths }) => hourlyTenths.some((each) => each !== null));
    const methods = (watched.monitorsOf.get(id) ?? [])
      .flatMap((monitor) =>
        [...(declared.get(monitor.id) ?? [])].flatMap(
          (method) => methodOf(monitor.check, method, own, from) ?? [],
        ),
      )
      .slice(0, MAX_METHODS);
    return { latency, methods };
  };

  return {
    async read(now) {
      const last = Math.floor(now / HOUR_MS);
      for (const [shard, services] of watched.shards) {
        const version = `${slots.revision(shard)} ${last}`;
        if (seen.get(shard) === version) continue;
        const hours = await refresh(shard, last);
        for (const service of services) {
          for (const node of service.nodes) {
            const id = `${service.id}/${node.id}`;
            made.set(id, make(id, hours, (last - HOURS + 1) * HOUR_MS));
          }
        }
        seen.set(shard, version);
      }
      return made;
    },
  };
}
