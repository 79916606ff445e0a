/** Latency and faults by method, as the snapshot shows them: the last 24 hours of each node, all regions together. */
import type { PublicMethod } from '@highwater/config/public.ts';
import { HOUR_MS, type Instant } from '@highwater/config/time.ts';
import {
  declaredMethods,
  type MethodRow,
  methodRowKey,
  monitorOfKey,
  placeOfKey,
  regionOfKey,
} from '../slots/methods.ts';
import {
  addKept,
  type Bins,
  countOf,
  emptyBins,
  keptBins,
  type KeptBins,
  quantiles,
} from '../slots/sketch.ts';
import type { ReadTx } from '../store/store.ts';
import type { Watched } from '../watched.ts';

const HOURS = 24;
/** Methods shown of one node, in the order configured; a check has at most 16. */
const MAX_METHODS = 64;

/** One hour of one method, all regions together; as many are held as are kept, so that they are small. */
interface MethodHour {
  readonly bins: KeptBins;
  readonly median: number | undefined;
  readonly faults: ReadonlyMap<string, number>;
}
/** One place of the ring: which hour it holds, by method. */
interface Hour {
  readonly hour: number;
  readonly methods: ReadonlyMap<string, MethodHour>;
}

function addFaults(into: Map<string, number>, faults: Iterable<readonly [string, number]>): void {
  for (const [fault, count] of faults) into.set(fault, (into.get(fault) ?? 0) + count);
}

/** The regions' rows of a place as one; a region that fell silent a day ago still holds an older hour there. */
function merged(rows: readonly MethodRow[]): Hour {
  const hour = Math.max(...rows.map((row) => row.hour));
  const open = new Map<string, { bins: Bins; faults: Map<string, number> }>();
  for (const row of rows) {
    if (row.hour !== hour) continue;
    for (const [method, { bins, faults }] of Object.entries(row.methods)) {
      const own = open.get(method) ?? { bins: emptyBins(), faults: new Map<string, number>() };
      open.set(method, own);
      addKept(own.bins, bins);
      addFaults(own.faults, Object.entries(faults));
    }
  }
  const methods = [...open].map(([method, { bins, faults }]): [string, MethodHour] => {
    const [median] = quantiles(bins, [0.5]);
    return [method, { bins: Int32Array.from(keptBins(bins)), median, faults }];
  });
  return { hour, methods: new Map(methods) };
}

/** Undefined when nothing was measured in these hours. */
function methodOf(
  check: string,
  method: string,
  hours: readonly (Hour | undefined)[],
  from: Instant,
): PublicMethod | undefined {
  const bins = emptyBins();
  const faults = new Map<string, number>();
  const hourlyP50Tenths = hours.map((hour) => {
    const own = hour?.methods.get(method);
    if (own === undefined) return null;
    addKept(bins, own.bins);
    addFaults(faults, own.faults);
    return own.median ?? null;
  });
  const calls = countOf(bins);
  if (calls === 0 && faults.size === 0) return undefined;
  const [p50Tenths, p95Tenths] = quantiles(bins, [0.5, 0.95]);
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
    hourlyP50Tenths,
  };
}

export interface MethodsReader {
  /** Reads all rows of a shard: the first time. */
  readAll(tx: ReadTx): Promise<void>;
  /** Reads the rows of these places again. */
  read(tx: ReadTx, places: readonly string[]): Promise<void>;
  /** By `service/node`. */
  all(now: Instant): ReadonlyMap<string, readonly PublicMethod[]>;
}

export function openMethods(watched: Watched): MethodsReader {
  const declared = declaredMethods(watched);
  const regions = watched.config.regions.map(({ id }) => id);
  const hoursOf = new Map<string, Map<string, Hour>>();
  /** What was made of them, until an hour is over or a row has changed. */
  const made = new Map<string, { readonly last: number; readonly methods: readonly PublicMethod[] }>();

  const keep = (place: string, rows: readonly MethodRow[]): void => {
    const id = monitorOfKey(place);
    const monitor = watched.monitors.get(id);
    if (monitor === undefined || !declared.has(id) || rows.length === 0) return;
    const hours = hoursOf.get(id) ?? new Map<string, Hour>();
    hoursOf.set(id, hours);
    hours.set(place, merged(rows));
    made.delete(`${monitor.service}/${monitor.node}`);
  };

  const make = (node: string, last: number): readonly PublicMethod[] => {
    const from = last - HOURS + 1;
    return (watched.monitorsOf.get(node) ?? [])
      .flatMap(({ id, check }) => {
        const byHour = new Map([...(hoursOf.get(id)?.values() ?? [])].map((hour) => [hour.hour, hour]));
        const hours = Array.from({ length: HOURS }, (_, i) => byHour.get(from + i));
        return [...(declared.get(id) ?? [])].flatMap(
          (method) => methodOf(check, method, hours, from * HOUR_MS) ?? [],
        );
      })
      .slice(0, MAX_METHODS);
  };

  return {
    async readAll(tx) {
      const rows = await tx.listState('methods');
      // A region that is no longer configured is not shown.
      const known = rows.filter(({ key }) => regions.includes(regionOfKey(key)));
      for (const [place, own] of Map.groupBy(known, ({ key }) => placeOfKey(key))) {
        keep(
          place,
          own.map((row) => row.value as MethodRow),
        );
      }
    },
    async read(tx, places) {
      for (const place of places) {
        const rows = await Promise.all(
          regions.map((region) => tx.getState('methods', methodRowKey(place, region))),
        );
        keep(
          place,
          rows.flatMap((row) => (row === undefined ? [] : [row.value as MethodRow])),
        );
      }
    },
    all(now) {
      const last = Math.floor(now / HOUR_MS);
      const nodes = new Set([...declared.keys()].map((id) => id.slice(0, id.lastIndexOf('/'))));
      for (const node of nodes) {
        if (made.get(node)?.last !== last) made.set(node, { last, methods: make(node, last) });
      }
      return new Map([...made].map(([node, { methods }]) => [node, methods]));
    },
  };
}
