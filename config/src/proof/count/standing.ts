/** Which rows of a day stand (rule "None"), how each counts, and the tallies that they make. */
import { DAY_MS, MINUTES_PER_DAY, MINUTE_MS } from '../../time.ts';
import { phaseMs } from '../due.ts';
import type { CountBatch } from './count.ts';
import { CLOCK_UNSURE, CONTRADICTED, ENROLLED, type Ground } from './ground.ts';
import { FAIL_OLD, PROBE_CLOCK, REFUSED, PROBE } from './line-bytes.ts';
import { LATE, type Rows, SAID_BITS, TORN, WHAT, WIDTH } from './rows.ts';
import type { Span } from './spans.ts';
import type { Tallies } from './tallies.ts';

/** How a row counts. NONE: it does not speak for its due time; up to OLD as line-bytes.ts has it, and one more. */
export const NONE = 0;
export const COUNTS_OK = 1;
export const COUNTS_DEGRADED = 2;
export const COUNTS_OLD = 4;
const SAYS_NOTHING = 5;
const BY_PROBE = 6;
const BY_CLOCK = 7;
const CLASSES = 8;
const SAID = 7;

/** What is the same for all lines of a batch in a span. */
interface Judging {
  readonly isAssigned: boolean;
  readonly region: string;
  readonly phaseMs: number;
  /** Whatever the line says: its class, or -1. */
  readonly fixed: number;
  readonly isContradicted: boolean;
}

export interface Standing {
  /** By row; longer than there are rows. */
  readonly classes: Uint8Array;
  /** By row: place in `regions`. */
  readonly regionOf: Uint16Array;
  readonly regions: readonly string[];
}

const nobody: Judging = { isAssigned: false, region: '', phaseMs: 0, fixed: -1, isContradicted: false };

export class Stands {
  private readonly ground: Ground;
  private readonly tallies: Tallies;
  private classes = new Uint8Array(4_096);
  private regionOf = new Uint16Array(4_096);
  /** By class x minute of the day. */
  private readonly counts = new Uint32Array(CLASSES * MINUTES_PER_DAY);

  constructor(ground: Ground, tallies: Tallies) {
    this.ground = ground;
    this.tallies = tallies;
  }

  /** Fills `rows.tallies`. What is returned holds until it is called again. */
  judge(rows: Rows, key: string, day: number, spans: readonly Span[]): Standing {
    if (this.classes.length < rows.rows) {
      this.classes = new Uint8Array(rows.rows * 2);
      this.regionOf = new Uint16Array(rows.rows * 2);
    }
    const regions = this.classify(rows, key, day, spans);
    if (!rows.isAscending) this.settle(rows);
    this.tally(rows);
    return { classes: this.classes, regionOf: this.regionOf, regions };
  }

  private judgingOf(batch: CountBatch, bits: number, key: string, span: Span): Judging {
    const probe = span.roster.probes.find(({ vkey, id }) => vkey === key && id === batch.probe);
    if (probe === undefined) return nobody;
    const { monitor, under } = span;
    const isContradicted = (bits & CONTRADICTED) !== 0;
    const phase = phaseMs(
      under.config.seed,
      monitor.id,
      probe.id,
      monitor.intervalMs,
      this.ground.input.hash,
    );
    let fixed = -1;
    if ((bits & ENROLLED) === 0) fixed = SAYS_NOTHING;
    else if (isContradicted) fixed = BY_PROBE;
    else if ((bits & CLOCK_UNSURE) !== 0) fixed = BY_CLOCK;
    else if (!this.holds(span, batch.config)) fixed = SAYS_NOTHING;
    return { isAssigned: true, region: probe.region, phaseMs: phase, fixed, isContradicted };
  }

  /** Whether what the batch ran asks this monitor's question as the configuration in force does. */
  private holds({ under, monitor }: Span, ran: string): boolean {
    if (ran === under.hash) return true;
    const entry = this.ground.timeline.configOf(ran)?.entries.get(monitor.id);
    return entry !== undefined && entry === under.entries.get(monitor.id);
  }

  /** As if each row were the only one for its due time. */
  private classify(rows: Rows, key: string, day: number, spans: readonly Span[]): readonly string[] {
    const { classes, regionOf } = this;
    const { words } = rows;
    const { batches } = this.ground.input;
    const regions: string[] = [];
    const dayMinute = day * MINUTES_PER_DAY;
    let [from, to] = [0, -1];
    let [intervalMs, startMs] = [1, 0];
    let span: Span | undefined;
    /** Of the span, by what of a batch matters. */
    let known = new Map<number, Judging>();
    let judging = nobody;
    let last = -1;
    let region = 0;
    for (let row = 0, at = 0; row < rows.rows; row += 1, at += WIDTH) {
      const due = words[at] ?? 0;
      if (due < from || due > to) {
        const minute = dayMinute + Math.floor(due / MINUTE_MS);
        span = spans.find(({ first, last: end }) => first <= minute && minute <= end);
        [from, to] = span
          ? [(span.first - dayMinute) * MINUTE_MS, (span.last - dayMinute + 1) * MINUTE_MS - 1]
          : [due, due];
        intervalMs = span?.monitor.intervalMs ?? 1;
        startMs = (day * DAY_MS) % intervalMs;
        known = new Map();
        last = -1;
      }
      const word = words[at + WHAT] ?? 0;
      const place = word >>> SAID_BITS;
      if (span !== undefined && place !== last) {
        const batch = batches[place];
        if (batch === undefined) throw new RangeError('unreachable: a row of no batch');
        const bits = this.ground.bits[place] ?? 0;
        const like = this.ground.likeOf[place] ?? 0;
        judging = known.get(like) ?? this.judgingOf(batch, bits, key, span);
        known.set(like, judging);
        last = place;
        region = regions.indexOf(judging.region);
        if (region === -1) region = regions.push(judging.region) - 1;
      }
      regionOf[row] = region;
      classes[row] =
        span === undefined || !judging.isAssigned
          ? NONE
          : classOf(
              word & SAID,
              judging,
              (startMs + due) % intervalMs,
              (words[at + LATE] ?? 0) * 2 > intervalMs,
            );
      if ((word & TORN) !== 0 && classes[row] !== NONE) classes[row] = BY_PROBE;
    }
    return regions;
  }

  /** Of several rows for one due time the one of the lowest (epoch, number) stands; of other ones nothing. */
  private settle(rows: Rows): void {
    const { classes } = this;
    const { words } = rows;
    const { batches } = this.ground.input;
    const dueOf = (row: number): number => words[row * WIDTH] ?? 0;
    const placeOf = (row: number): number => (words[row * WIDTH + WHAT] ?? 0) >>> SAID_BITS;
    const claim = (a: number, b: number): number => {
      const [own, other] = [batches[placeOf(a)], batches[placeOf(b)]];
      if (own === undefined || other === undefined) return 0;
      return own.epoch - other.epoch || own.number - other.number;
    };
    const order: number[] = [];
    for (let row = 0; row < rows.rows; row += 1) if (classes[row] !== NONE) order.push(row);
    order.sort((a, b) => dueOf(a) - dueOf(b) || claim(a, b) || placeOf(a) - placeOf(b));
    for (let i = 0; i < order.length;) {
      const winner = order[i] ?? 0;
      let next = i + 1;
      for (; next < order.length && dueOf(order[next] ?? 0) === dueOf(winner); next += 1) {
        const other = order[next] ?? 0;
        const isSaidOnce = (words[other * WIDTH + WHAT] ?? 0) & TORN ? false : sameText(rows, winner, other);
        // Under one number two things were said: neither is believed.
        if (claim(winner, other) === 0 && !isSaidOnce) classes[winner] = BY_PROBE;
        classes[other] = NONE;
      }
      i = next;
    }
  }

  private tally(rows: Rows): void {
    const { classes, counts, tallies } = this;
    const { words } = rows;
    let others = 0;
    for (let row = 0; row < rows.rows; row += 1) {
      const own = classes[row] ?? NONE;
      if (own === NONE || own === SAYS_NOTHING) continue;
      if (own !== COUNTS_OK) others += 1;
      const at = own * MINUTES_PER_DAY + Math.floor((words[row * WIDTH] ?? 0) / MINUTE_MS);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    const of = (own: number, minute: number): number => counts[own * MINUTES_PER_DAY + minute] ?? 0;
    for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
      const ok = of(COUNTS_OK, minute);
      if (others === 0) {
        rows.tallies[minute] = tallies.idOfOk(ok);
        continue;
      }
      const old = of(COUNTS_OLD, minute);
      rows.tallies[minute] = tallies.idOf({
        ok,
        degraded: of(COUNTS_DEGRADED, minute),
        fail: of(COUNTS_OLD - 1, minute) + old,
        old,
        probe: of(BY_PROBE, minute),
        clock: of(BY_CLOCK, minute),
      });
    }
    counts.fill(0);
  }
}

function sameText(rows: Rows, a: number, b: number): boolean {
  return rows.texts?.get(a) === rows.texts?.get(b);
}

function classOf(said: number, judging: Judging, phase: number, isLate: boolean): number {
  if (judging.fixed !== -1) {
    return judging.isContradicted && said === PROBE_CLOCK && judging.fixed === BY_PROBE
      ? BY_CLOCK
      : judging.fixed;
  }
  if (said === REFUSED) return SAYS_NOTHING;
  if (said === PROBE) return BY_PROBE;
  if (said === PROBE_CLOCK) return BY_CLOCK;
  if (phase !== judging.phaseMs || isLate) return BY_PROBE;
  // OK, DEGRADED, FAIL and FAIL_OLD.
  return said + COUNTS_OK <= FAIL_OLD + COUNTS_OK ? said + COUNTS_OK : NONE;
}
