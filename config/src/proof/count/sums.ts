/** What is added up of a subject: minutes by what they say, and requests. */
import type { ReportTotals } from '../../report/counted.ts';
import { BYTES, slotOfByte } from '../rule/slot-byte.ts';
import { countSlots } from '../rule/totals.ts';

const MAINTENANCE = 8;
const STALLED = 16;

export class Sums {
  /** How many there are. */
  minutes = 0;
  /** By byte of the slot. */
  private readonly ofByte = new Float64Array(BYTES);
  /** Outside of maintenance, and in it. */
  private readonly asked: [number, number] = [0, 0];
  private readonly succeeded: [number, number] = [0, 0];

  add(byte: number, asked: number, succeeded: number): void {
    this.minutes += 1;
    this.ofByte[byte] = (this.ofByte[byte] ?? 0) + 1;
    // In a minute in which the chain stands still nothing is asked of the node (rule/totals.ts).
    if (asked === 0 || (byte & STALLED) !== 0) return;
    const place = (byte & MAINTENANCE) === 0 ? 0 : 1;
    this.asked[place] += asked;
    this.succeeded[place] += succeeded;
  }

  totals(): ReportTotals {
    const outside = emptySums();
    const within = emptySums();
    let maintenance = 0;
    for (const [byte, minutes] of this.ofByte.entries()) {
      const slot = slotOfByte(byte);
      if (minutes === 0 || slot === undefined) continue;
      const one = countSlots([slot]);
      maintenance += one.maintenance * minutes;
      for (const key of sumKeys) {
        outside[key] += one[key] * minutes;
        within[key] += one.inMaintenance[key] * minutes;
      }
    }
    [outside.requests, within.requests] = this.asked;
    [outside.succeeded, within.succeeded] = this.succeeded;
    return { ...outside, maintenance, inMaintenance: within };
  }
}

type SumKey = keyof ReportTotals['inMaintenance'];

const emptySums = (): Record<SumKey, number> => ({
  up: 0,
  down: 0,
  unknown: 0,
  stalled: 0,
  degraded: 0,
  unknownNoData: 0,
  unknownSplit: 0,
  unknownProbe: 0,
  unknownClock: 0,
  requests: 0,
  succeeded: 0,
});

const sumKeys = Object.keys(emptySums()) as readonly SumKey[];

type DayCounts = [number, number, number, number, number, number];

const DOWN = 2;

/** Of a service or node as agreed: days, and the minutes that it was down one after the other. */
export class Course {
  readonly days: DayCounts[];
  readonly outages: { firstMinute: number; minutes: number }[] = [];
  private readonly dayCounts: readonly (readonly number[])[];

  constructor(days: number) {
    this.days = Array.from({ length: days }, () => [0, 0, 0, 0, 0, 0]);
    this.dayCounts = countsOfByte;
  }

  /** Minutes come in their order. @param day place in the range */
  add(day: number, minute: number, byte: number): void {
    const counts = this.days[day];
    const own = this.dayCounts[byte];
    if (counts === undefined || own === undefined) return;
    for (let i = 0; i < counts.length; i += 1) counts[i] = (counts[i] ?? 0) + (own[i] ?? 0);
    if ((byte & (3 | MAINTENANCE | STALLED)) !== DOWN) return;
    const last = this.outages.at(-1);
    if (last !== undefined && last.firstMinute + last.minutes === minute) last.minutes += 1;
    else this.outages.push({ firstMinute: minute, minutes: 1 });
  }
}

/** up, down, unknown, maintenance, stalled, degraded. */
const countsOfByte: readonly DayCounts[] = Array.from({ length: BYTES }, (_, byte) => {
  const { up, down, unknown, maintenance, stalled, degraded } = countSlots([slotOfByte(byte)]);
  return [up, down, unknown, maintenance, stalled, degraded];
});
