/** Reads a body into rows: what rule/evidence.ts readBody accepts, and what rule/gather.ts takes of it. */
import { DAY_MS, MINUTE_MS } from '../../time.ts';
import { anyLine, line, methodFrom, methodTenths, methodTo, plainLine, textAt } from './line-bytes.ts';
import {
  CERTIFICATE,
  HEIGHT,
  METHODS,
  type MonitorRows,
  type Rows,
  SAID_BITS,
  type ServiceRows,
} from './rows.ts';

const LF = 10;
/** From here on, for three hundred years, Unix milliseconds have as many digits. */
const THIRTEEN_DIGITS = 1e12;

export interface BodyOf {
  readonly service: ServiceRows;
  /** Places of the batch and of its key. */
  readonly batch: number;
  readonly key: number;
  readonly minutes: { readonly first: number; readonly last: number };
  /** Its number was signed twice. */
  readonly isTwin: boolean;
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = prefix.length - 1; i >= 0; i -= 1) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}

/** Whether the bytes [a, aEnd) are above those of [b, bEnd), and whether they are the same. */
function compare(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): number {
  const length = Math.min(aEnd - a, bEnd - b);
  for (let i = 0; i < length; i += 1) {
    const own = bytes[a + i] ?? 0;
    const other = bytes[b + i] ?? 0;
    if (own !== other) return own - other;
  }
  return aEnd - a - (bEnd - b);
}

function pushMethods(bytes: Uint8Array, service: ServiceRows, monitor: MonitorRows, rows: Rows): void {
  for (let i = 0; i < line.methods; i += 1) {
    const [from, to] = [methodFrom[i] ?? 0, methodTo[i] ?? 0];
    const guess = monitor.methods[i];
    let place = guess !== undefined && isMethod(bytes, from, to, guess.bytes) ? guess.place : undefined;
    place ??= monitor.methods.find((each) => isMethod(bytes, from, to, each.bytes))?.place;
    if (place === undefined) {
      place = service.methodPlace(textAt(bytes, from, to));
      if (place === undefined) return;
      monitor.methods.push({ bytes: bytes.slice(from, to), place });
    }
    rows.fact(METHODS + place, methodTenths[i] ?? 0);
  }
}

const isMethod = (bytes: Uint8Array, from: number, to: number, id: Uint8Array): boolean =>
  to - from === id.length && startsWith(bytes, from, id);

const touched: Rows[] = [];

/** Undefined, or what is wrong: then nothing of it is kept. */
export function readLines(of: BodyOf, bytes: Uint8Array, lines: number): string | undefined {
  touched.length = 0;
  const wrong = readAll(of, bytes, lines);
  if (wrong !== undefined) for (const rows of touched) rows.undo();
  return wrong;
}

function readAll(of: BodyOf, bytes: Uint8Array, lines: number): string | undefined {
  const { service, minutes } = of;
  const { length } = bytes;
  if (length === 0 || bytes[length - 1] !== LF) return 'does not end in a line feed';
  const firstMs = minutes.first * MINUTE_MS;
  const endMs = (minutes.last + 1) * MINUTE_MS;
  const dayMs = firstMs - (firstMs % DAY_MS);
  const what = of.batch << SAID_BITS;
  let monitor: MonitorRows | undefined;
  let rows: Rows | undefined;
  let next = 0;
  let read = 0;
  let previous = -1;
  let previousEnd = -1;
  let previousDue = -1;
  /** The line of the row that was pushed last, of this monitor. */
  let claim = -1;
  let claimEnd = -1;
  let claimDue = -1;
  for (let start = 0; start < length; read += 1) {
    const isSame: boolean = monitor !== undefined && startsWith(bytes, start, monitor.bytes);
    /** Without a look at the whole lines. */
    let isAbove = false;
    if (!isSame) {
      const from = next;
      const wasKnown = monitor !== undefined;
      monitor = undefined;
      rows = undefined;
      claimDue = -1;
      // Sorted as lines are: mostly the next one.
      while (next < service.monitors.length && monitor === undefined) {
        const candidate = service.monitors[next];
        if (candidate !== undefined && startsWith(bytes, start, candidate.bytes)) monitor = candidate;
        next += 1;
      }
      if (monitor === undefined) next = from;
      // An id and its space begin no other's: the lines are as the ids are.
      else isAbove = wasKnown;
    }
    let end = monitor === undefined ? -1 : plainLine(bytes, start, start + monitor.bytes.length);
    if (end === -1) {
      end = bytes.indexOf(LF, start);
      const id = anyLine(bytes, start, end);
      if (id?.startsWith(`${service.id}/`) !== true) return belongsNot;
    }
    const { dueAt } = line;
    if (dueAt < firstMs || dueAt >= endMs) return belongsNot;
    if (isSame) isAbove = previousDue >= THIRTEEN_DIGITS && dueAt > previousDue;
    if (!isAbove && previous !== -1 && compare(bytes, start, end, previous, previousEnd) < 0)
      return 'has lines that are not sorted';
    previous = start;
    previousEnd = end;
    previousDue = dueAt;
    start = end + 1;
    if (monitor === undefined || line.isRecheck) continue;
    if (rows === undefined) {
      rows = monitor.rowsOf(of.key);
      rows.mark();
      touched.push(rows);
    }
    if (dueAt === claimDue) {
      // Of one monitor and batch: neighbours, but for rechecks between them.
      if (compare(bytes, previous, end, claim, claimEnd) !== 0) rows.tear();
      continue;
    }
    claim = previous;
    claimEnd = end;
    claimDue = dueAt;
    rows.push(dueAt - dayMs, what + line.said, line.latencyTenths, line.lateMs);
    if (of.isTwin) rows.keepText(textAt(bytes, previous, end));
    if (line.height >= 0) rows.fact(HEIGHT, line.height);
    if (line.certificateAt >= 0) rows.fact(CERTIFICATE, line.certificateAt);
    if (line.methods > 0) pushMethods(bytes, service, monitor, rows);
  }
  return read === lines ? undefined : 'has another number of lines than the batch commits to';
}

const belongsNot = 'has a line that does not belong in it';
