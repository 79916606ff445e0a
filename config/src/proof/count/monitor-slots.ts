/** A monitor's slots of one day, as agreed and as each region says, minute by minute. */
import { MINUTES_PER_DAY } from '../../time.ts';
import type { MonitorRows } from './rows.ts';
import type { Span } from './spans.ts';
import type { Tallies } from './tallies.ts';

/** Bytes of rule/slot-byte.ts without what lies over them, 0 where there is no slot; requests of the minute itself. */
export class Plane {
  readonly bytes = new Uint8Array(MINUTES_PER_DAY);
  readonly asked = new Uint32Array(MINUTES_PER_DAY);
  readonly succeeded = new Uint32Array(MINUTES_PER_DAY);

  clear(): void {
    this.bytes.fill(0);
    this.asked.fill(0);
    this.succeeded.fill(0);
  }
}

interface RegionOfSpan {
  readonly plane: Plane;
  /** Of its probes, by minute; undefined of one that said nothing in the day. */
  readonly probes: readonly (Uint32Array | undefined)[];
  readonly last: number[];
}

export class MonitorSlots {
  readonly rows: MonitorRows;
  spans: readonly Span[] = [];
  readonly agreed = new Plane();
  /** Regions that speak in the day. */
  readonly planes = new Map<string, Plane>();
  private readonly spare: Plane[] = [];

  constructor(rows: MonitorRows) {
    this.rows = rows;
  }

  planeOf(region: string): Plane {
    const known = this.planes.get(region);
    if (known !== undefined) return known;
    const made = this.spare.pop() ?? new Plane();
    made.clear();
    this.planes.set(region, made);
    return made;
  }

  /** From the tallies of its rows. */
  judge(tallies: Tallies, keys: ReadonlyMap<string, number>, day: number): void {
    this.spare.push(...this.planes.values());
    this.planes.clear();
    this.agreed.clear();
    for (const span of this.spans) {
      const regions = span.roster.regions.map(([region, probes]): RegionOfSpan => ({
        plane: this.planeOf(region),
        probes: probes.map(({ vkey }) => {
          const key = keys.get(vkey);
          const rows = key === undefined ? undefined : this.rows.byKey[key];
          return rows === undefined || rows.rows === 0 ? undefined : rows.tallies;
        }),
        last: probes.map(() => -1),
      }));
      this.judgeSpan(tallies, span, regions, day * MINUTES_PER_DAY);
    }
  }

  private judgeSpan(tallies: Tallies, span: Span, regions: readonly RegionOfSpan[], dayMinute: number): void {
    const { length, monitor } = span;
    const judged = regions.map(() => 0);
    let byte = -1;
    const end = span.last - dayMinute;
    for (let first = span.first - dayMinute; first <= end;) {
      const last = first - (first % length) + length - 1;
      let hasChanged = byte === -1;
      for (let i = 0; i < regions.length; i += 1) {
        const region = regions[i];
        if (region === undefined || !readWindow(tallies, region, first, last)) continue;
        judged[i] = tallies.regionOf(region.last);
        hasChanged = true;
      }
      if (hasChanged) byte = tallies.agreedByte(judged, monitor.quorum);
      for (let minute = first; minute <= last; minute += 1) {
        this.agreed.bytes[minute] = byte;
        for (let i = 0; i < regions.length; i += 1) {
          const region = regions[i];
          if (region === undefined) continue;
          region.plane.bytes[minute] = tallies.regionBytes[judged[i] ?? 0] ?? 0;
          this.putRequests(tallies, region, minute);
        }
      }
      first = last + 1;
    }
  }

  private putRequests(tallies: Tallies, { plane, probes }: RegionOfSpan, minute: number): void {
    let [asked, succeeded] = [0, 0];
    for (let i = 0; i < probes.length; i += 1) {
      const id = probes[i]?.[minute] ?? 0;
      if (id === 0) continue;
      asked += tallies.asked[id] ?? 0;
      succeeded += tallies.succeeded[id] ?? 0;
    }
    if (asked === 0) return;
    plane.asked[minute] = asked;
    plane.succeeded[minute] = succeeded;
    this.agreed.asked[minute] = (this.agreed.asked[minute] ?? 0) + asked;
    this.agreed.succeeded[minute] = (this.agreed.succeeded[minute] ?? 0) + succeeded;
  }
}

/** Puts the tallies of a window into `last`; returns whether one is another than before. */
function readWindow(
  tallies: Tallies,
  { probes, last: before }: RegionOfSpan,
  first: number,
  last: number,
): boolean {
  let hasChanged = false;
  for (let i = 0; i < probes.length; i += 1) {
    const minutes = probes[i];
    const id =
      minutes === undefined
        ? 0
        : first === last
          ? (minutes[first] ?? 0)
          : tallies.sumOf(minutes, first, last);
    if (id === before[i]) continue;
    before[i] = id;
    hasChanged = true;
  }
  return hasChanged;
}
