/**
 * The views `latency` (by hour: of each service and node as each region saw it, with its methods) and `latency-days` (by UTC
 * day: of each node, all regions together), from lines. What is open are sketches of a few bytes and some that wait; an
 * hour or day that is older than those that run is encoded and forgotten when the others are written.
 */
import { monitorParts } from '@highwater/config/domain.ts';
import type { ReadTx, View } from '../store/store.ts';
import type { Blocks } from './blocks.ts';
import type { Asked, LineView } from './line-view.ts';
import type { SeenLine } from './lines.ts';
import {
  ALL,
  checkSeries,
  decodeLatency,
  encodeLatency,
  latencySubject,
  type Series,
} from './latency-block.ts';
import { binOf, OpenSketch, type Sketch } from './latency-sketch.ts';
import { type Said, saidOf } from './said-methods.ts';

const MINUTES_AN_HOUR = 60;
const HOURS_A_DAY = 24;
/** Series that are open at once; what comes beyond makes that all are written, and read again when they are needed. */
const MAX_OPEN = 400_000;
/**
 * Series of one block: of 16 checks, 16 methods each. What a probe makes up beyond would fill the disk. The first by name
 * stay, so that whatever order they come in the same are left: one that was turned away would be turned away again.
 */
const MAX_SERIES = 1 + 16 * 16;

class OpenSeries implements Series {
  readonly open: OpenSketch;
  readonly faults: Map<string, number>;

  constructor(series?: Series) {
    this.open = new OpenSketch(series?.sketch);
    this.faults = new Map(series?.faults);
  }

  get sketch(): Sketch {
    return this.open.kept();
  }
}

/** A block that is being changed. */
interface Open {
  readonly view: View;
  readonly period: number;
  readonly subject: string;
  readonly series: Map<string, OpenSeries>;
  isChanged: boolean;
  /** Counts series that had to make room. */
  evicted: number;
}

/** Where the lines of a monitor go to in one hour of one region. */
interface Place {
  readonly check: string;
  readonly service: Open;
  readonly node: Open;
  readonly day: Open;
  /** Of the service, the node and its day. */
  readonly all: readonly (OpenSeries | undefined)[];
  readonly methods: Map<string, readonly (OpenSeries | undefined)[]>;
  /** Evictions of both blocks when `methods` was filled. */
  evicted: number;
}

type Places = Map<string, Place>;

const isAnswer = ({ outcome }: SeenLine): boolean => outcome === 'ok' || outcome === 'degraded';

function countFault(into: Map<string, number>, fault: string, times: 1 | -1): void {
  const count = (into.get(fault) ?? 0) + times;
  if (count > 0) into.set(fault, count);
  else into.delete(fault);
}

function countSaid(into: OpenSeries, value: string, times: 1 | -1): void {
  // The body's lines were read whole when it was taken in: a value is a number of tenths, or a fault of the list.
  const digit = value.charCodeAt(0);
  if (digit >= 0x30 && digit <= 0x39) into.open.count(binOf(Number(value)), times);
  else countFault(into.faults, value, times);
}

export function openLatencyView(maxOpen = MAX_OPEN): LineView {
  /** By view, period and subject. */
  const open = new Map<string, Open>();
  /** By hour and region, then by monitor. */
  const places = new Map<string, Places>();
  let newestHour = -Infinity;
  let openSeries = 0;

  /** Undefined where there is no room for it. */
  const seriesOf = (of: Open, name: string): OpenSeries | undefined => {
    const known = of.series.get(name);
    if (known !== undefined) return known;
    if (of.series.size >= MAX_SERIES) {
      const last = [...of.series.keys()].reduce((a, b) => (a > b ? a : b));
      if (name > last) return undefined;
      of.series.delete(last);
      of.evicted += 1;
      openSeries -= 1;
    }
    const made = new OpenSeries();
    of.series.set(name, made);
    openSeries += 1;
    return made;
  };

  const load = async (
    tx: ReadTx,
    blocks: Blocks,
    view: View,
    period: number,
    subject: string,
  ): Promise<Open> => {
    const id = `${view} ${period} ${subject}`;
    const known = open.get(id);
    if (known !== undefined) return known;
    const block = await blocks.get(tx, view, period, subject);
    const read = block === undefined ? [] : [...decodeLatency(block)];
    const series = new Map(read.map(([name, own]) => [name, new OpenSeries(own)]));
    const made = { view, period, subject, series, isChanged: false, evicted: 0 };
    open.set(id, made);
    openSeries += series.size;
    return made;
  };

  const loadPlace = async (
    tx: ReadTx,
    blocks: Blocks,
    hour: number,
    region: string,
    monitor: string,
  ): Promise<Place> => {
    const parts = monitorParts(monitor);
    const id = `${parts.service}/${parts.node}`;
    const service = await load(tx, blocks, 'latency', hour, latencySubject(parts.service, region));
    const node = await load(tx, blocks, 'latency', hour, latencySubject(id, region));
    const day = await load(tx, blocks, 'latency-days', Math.floor(hour / HOURS_A_DAY), id);
    const all = [seriesOf(service, ALL), seriesOf(node, ALL), seriesOf(day, ALL)] as const;
    return {
      check: parts.check,
      service,
      node,
      day,
      all,
      methods: new Map(),
      evicted: service.evicted + node.evicted,
    };
  };

  const countMethod = (place: Place, [method, value]: Said, times: 1 | -1): void => {
    const { service, node, methods, check } = place;
    if (place.evicted !== service.evicted + node.evicted) {
      methods.clear();
      place.evicted = service.evicted + node.evicted;
    }
    let series = methods.get(method);
    if (series === undefined) {
      series = [seriesOf(service, method), seriesOf(node, checkSeries(check, method))];
      // What there is no room for is not remembered either.
      if (!series.includes(undefined)) methods.set(method, series);
    }
    for (const each of series) if (each !== undefined) countSaid(each, value, times);
  };

  const count = (known: Places, lines: readonly SeenLine[], times: 1 | -1): void => {
    for (const line of lines) {
      const place = known.get(line.monitor);
      // All were loaded.
      if (place === undefined) continue;
      if (isAnswer(line)) {
        const bin = binOf(line.latencyTenths);
        for (const series of place.all) series?.open.count(bin, times);
        place.service.isChanged = place.node.isChanged = place.day.isChanged = true;
      }
      for (const said of saidOf(line)) {
        countMethod(place, said, times);
        place.service.isChanged = place.node.isChanged = true;
      }
    }
  };

  const encode = (blocks: Blocks, only?: Asked): void => {
    for (const each of open.values()) {
      const { view, period, subject, series } = each;
      if (!each.isChanged || (only !== undefined && view !== only.view)) continue;
      if (only?.subject !== undefined && subject !== only.subject) continue;
      blocks.set(view, period, subject, encodeLatency(series));
      each.isChanged = false;
    }
  };

  const close = (blocks: Blocks, oldestHour: number): void => {
    encode(blocks);
    const oldestDay = Math.floor(oldestHour / HOURS_A_DAY);
    for (const [id, { view, period, series }] of open) {
      if (period >= (view === 'latency' ? oldestHour : oldestDay)) continue;
      open.delete(id);
      openSeries -= series.size;
    }
    for (const id of places.keys()) {
      if (Number(id.slice(0, id.indexOf(' '))) < oldestHour) places.delete(id);
    }
  };

  const forget = (): void => {
    open.clear();
    places.clear();
    openSeries = 0;
  };

  return {
    apply(tx, blocks, { region, minute, before, after }) {
      const hour = Math.floor(minute / MINUTES_AN_HOUR);
      newestHour = Math.max(newestHour, hour);
      if (openSeries > maxOpen) close(blocks, Infinity);
      const id = `${hour} ${region}`;
      const known = places.get(id) ?? (new Map() as Places);
      places.set(id, known);
      const missing = new Set<string>();
      for (const lines of [before, after]) {
        for (const { monitor } of lines) if (!known.has(monitor)) missing.add(monitor);
      }
      const change = (): void => {
        count(known, before, -1);
        count(known, after, 1);
      };
      if (missing.size === 0) {
        change();
        return;
      }
      return (async () => {
        for (const monitor of missing) known.set(monitor, await loadPlace(tx, blocks, hour, region, monitor));
        change();
      })();
    },
    close: (blocks, only) => {
      if (only === undefined) close(blocks, newestHour - 1);
      else if (only.view === 'latency' || only.view === 'latency-days') encode(blocks, only);
    },
    forget,
  };
}
