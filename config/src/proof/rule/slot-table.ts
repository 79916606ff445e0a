/** Slots of a stretch of minutes, being filled: what was agreed, or what one region says. */
import type { Slot } from './slot.ts';
import { type Requests, type RuleTotals, countSlots } from './totals.ts';

/** One subject's slots; undefined in minutes for which it was not configured. */
export interface Series {
  /** Index 0 is the first minute of the range. */
  readonly slots: readonly (Slot | undefined)[];
  readonly totals: RuleTotals;
}

type Row = (Slot | undefined)[];
type Kind = 'monitors' | 'nodes' | 'services';

export interface SlotTable {
  readonly first: number;
  readonly length: number;
  readonly monitors: Map<string, Row>;
  readonly nodes: Map<string, Row>;
  readonly services: Map<string, Row>;
  /** By subject: requests of each minute. */
  readonly requests: Map<string, Map<number, Requests>>;
}

export function newTable(first: number, length: number): SlotTable {
  return { first, length, monitors: new Map(), nodes: new Map(), services: new Map(), requests: new Map() };
}

export function put(table: SlotTable, kind: Kind, id: string, minute: number, judged: Slot): void {
  const rows = table[kind];
  const row = rows.get(id) ?? new Array<Slot | undefined>(table.length).fill(undefined);
  rows.set(id, row);
  row[minute - table.first] = sameSlot(judged);
}

const slots = new Map<string, Slot>();

/** There are few different slots: each is made once, so that a month of them is a row of pointers. */
function sameSlot({ state, degraded, maintenance, stalled, cause }: Slot): Slot {
  const key = `${state} ${degraded} ${maintenance} ${stalled} ${cause}`;
  const known = slots.get(key);
  if (known) return known;
  const slot = Object.freeze({ state, degraded, maintenance, stalled, ...(cause ? { cause } : {}) });
  slots.set(key, slot);
  return slot;
}

export function putRequests(table: SlotTable, subject: string, minute: number, asked: Requests): void {
  if (asked.requests === 0) return;
  const minutes = table.requests.get(subject) ?? new Map<number, Requests>();
  table.requests.set(subject, minutes);
  const before = minutes.get(minute) ?? { requests: 0, succeeded: 0 };
  minutes.set(minute, {
    requests: before.requests + asked.requests,
    succeeded: before.succeeded + asked.succeeded,
  });
}

export function sumRequests(
  table: SlotTable,
  subject: string,
  minute: number,
  monitors: readonly { readonly id: string }[],
): void {
  for (const { id } of monitors) {
    const asked = table.requests.get(id)?.get(minute);
    if (asked) putRequests(table, subject, minute, asked);
  }
}

export function seriesOf(table: SlotTable, kind: Kind): Map<string, Series> {
  const none = { requests: 0, succeeded: 0 };
  const { first, requests } = table;
  const sorted = [...table[kind]].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    sorted.map(([id, row]) => {
      const minutes = requests.get(id);
      const totals = countSlots(row, (i) => minutes?.get(first + i) ?? none);
      return [id, { slots: row, totals }];
    }),
  );
}
