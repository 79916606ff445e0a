/**
 * Latency and faults by method: of each monitor, region and hour one row, written in the transaction that takes the
 * lines, so that a batch counts once. The rows of a monitor and region are a ring of hours: an old one is written over,
 * and none has ever to be removed.
 */
import { isFaultId } from '@highwater/config/faults.ts';
import { methodIdsOf } from '@highwater/config/method-id.ts';
import { HOUR_MS } from '@highwater/config/time.ts';
import type { Tx } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import type { TallyAddition } from './intake.ts';
import { addKept, addTenths, type Bins, emptyBins, keptBins, type KeptBins } from './sketch.ts';

/** Hours kept: those of a day and the one that runs. Lines of these hours count however late they come. */
export const METHOD_HOURS = 25;

/** `methods`, by `methodRowKey`. */
export interface MethodRow {
  /** Since 1970. */
  readonly hour: number;
  readonly methods: Readonly<
    Record<string, { readonly bins: KeptBins; readonly faults: Readonly<Record<string, number>> }>
  >;
}

/** Where hour and monitor are in the ring; `PLACE REGION` is the row's key. */
export function placeOf(monitor: string, hour: number): string {
  return `${monitor} ${hour % METHOD_HOURS}`;
}

/** The monitor of a row's key. */
export function monitorOfKey(key: string): string {
  return key.slice(0, key.indexOf(' '));
}

/** The place of a row's key. */
export function placeOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf(' '));
}

export function regionOfKey(key: string): string {
  return key.slice(key.lastIndexOf(' ') + 1);
}

export function methodRowKey(place: string, region: string): string {
  return `${place} ${region}`;
}

interface Open {
  readonly bins: Bins;
  readonly faults: Map<string, number>;
}
type OpenHour = Map<string, Open>;

function opened(row: MethodRow | undefined): OpenHour {
  return new Map(
    Object.entries(row?.methods ?? {}).map(([method, { bins, faults }]) => {
      const own = emptyBins();
      addKept(own, bins);
      return [method, { bins: own, faults: new Map(Object.entries(faults)) }];
    }),
  );
}

function closed(hour: number, open: OpenHour): MethodRow {
  return {
    hour,
    methods: Object.fromEntries(
      [...open].map(([method, { bins, faults }]) => [
        method,
        { bins: keptBins(bins), faults: Object.fromEntries(faults) },
      ]),
    ),
  };
}

const FACT = 'm.';
const isOfProbe = (fault: string): boolean => fault.startsWith('probe.');

/** What a line says of the methods that its check has, with the id without `m.`. A line of the probe's own trouble says nothing. */
function* saidBy(rest: string, declared: ReadonlySet<string>): Generator<readonly [string, string]> {
  const [outcome, , fault = '', ...facts] = rest.split(' ');
  if (outcome === 'skipped' || isOfProbe(fault)) return;
  for (const fact of facts) {
    if (!fact.startsWith(FACT)) continue;
    const equals = fact.indexOf('=');
    const method = fact.slice(FACT.length, equals);
    const value = fact.slice(equals + 1);
    if (declared.has(method) && !isOfProbe(value)) yield [method, value];
  }
}

function put(open: OpenHour, method: string, value: string): void {
  const into = open.get(method) ?? { bins: emptyBins(), faults: new Map<string, number>() };
  open.set(method, into);
  // The body's lines were read whole when it was taken in: a value is a number of tenths, or a fault of the list.
  if (isFaultId(value)) into.faults.set(value, (into.faults.get(value) ?? 0) + 1);
  else addTenths(into.bins, Number(value));
}

/** By monitor, the ids of its methods; monitors without any are left out. */
export type DeclaredMethods = ReadonlyMap<string, ReadonlySet<string>>;

export function declaredMethods(watched: Watched): DeclaredMethods {
  return new Map(
    watched.config.monitors.flatMap((monitor) => {
      const ids = methodIdsOf(monitor);
      return ids.length === 0 ? [] : [[monitor.id, new Set(ids)] as const];
    }),
  );
}

/** What lines say of one row. */
interface Said {
  readonly place: string;
  readonly region: string;
  readonly hour: number;
  readonly values: (readonly [method: string, value: string])[];
}

function gather(
  watched: Watched,
  declared: DeclaredMethods,
  additions: readonly TallyAddition[],
  now: number,
): Iterable<Said> {
  const oldest = Math.floor(now / HOUR_MS) - METHOD_HOURS + 1;
  const said = new Map<string, Said>();
  for (const { monitor, key, entries } of additions) {
    const ids = declared.get(monitor);
    if (ids === undefined) continue;
    const region = watched.regionOf.get(key.slice(0, key.indexOf('+')));
    if (region === undefined) continue;
    for (const { dueAt, rest } of entries) {
      const hour = Math.floor(dueAt / HOUR_MS);
      const values = hour < oldest ? [] : [...saidBy(rest, ids)];
      if (values.length === 0) continue;
      const id = `${monitor} ${hour} ${region}`;
      const own = said.get(id) ?? { place: placeOf(monitor, hour), region, hour, values: [] };
      said.set(id, own);
      own.values.push(...values);
    }
  }
  return said.values();
}

/** Adds what these lines say of methods that are declared. Returns the places that were written. */
export async function addMethods(
  tx: Tx,
  watched: Watched,
  declared: DeclaredMethods,
  additions: readonly TallyAddition[],
  now: number,
): Promise<readonly string[]> {
  const places = new Set<string>();
  for (const { place, region, hour, values } of gather(watched, declared, additions, now)) {
    const key = methodRowKey(place, region);
    const row = await tx.getState('methods', key);
    const before = row?.value as MethodRow | undefined;
    if (before !== undefined && before.hour > hour) continue;
    const open = opened(before?.hour === hour ? before : undefined);
    for (const [method, value] of values) put(open, method, value);
    await tx.putState('methods', key, row?.version ?? 0, closed(hour, open));
    places.add(place);
  }
  return [...places];
}
