/** The lines that wait for a frame or a batch, and which segments hold which lines. */
import type { Journal } from './journal.ts';
import {
  dayOfLine,
  type Line,
  lineOf,
  type PendingLine,
  type SpooledBatch,
  type SpoolRecord,
} from './spool-records.ts';

export class SpoolLines {
  #unframed: PendingLine[] = [];
  #unbatched: PendingLine[] = [];
  /** Lines of an epoch that is about to begin; its E takes them up. */
  #again: PendingLine[] = [];
  /** Lowest and highest number by segment. */
  readonly #ranges = new Map<number, { readonly first: number; readonly last: number }>();

  get unframed(): readonly Line[] {
    return this.#unframed;
  }

  get unbatched(): readonly Line[] {
    return this.#unbatched;
  }

  /** The first line that waits; Infinity for none. */
  get needed(): number {
    return Math.min(
      this.#unframed[0]?.seq ?? Infinity,
      this.#unbatched[0]?.seq ?? Infinity,
      this.#again[0]?.seq ?? Infinity,
    );
  }

  add(line: PendingLine): void {
    this.#unbatched.push(line);
    this.#unframed.push(line);
    this.#isIn(line);
  }

  /** A line that was in a batch, for the epoch that is about to begin. */
  addAgain(line: PendingLine): void {
    this.#again.push(line);
    this.#isIn(line);
  }

  framed(to: number): void {
    this.#unframed = this.#unframed.filter((line) => line.seq > to);
  }

  batched(to: number, day: number): void {
    this.#unbatched = this.#unbatched.filter((line) => line.seq > to || dayOfLine(line) !== day);
  }

  /** An epoch began: what was in the batches of the former one waits again. */
  takeAgain(): void {
    const bySeq = new Map([...this.#again, ...this.#unbatched].map((line) => [line.seq, line]));
    this.#unbatched = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    this.#again = [];
  }

  /** The epoch never began. */
  forgetAgain(): void {
    if (this.#again.length > 0) this.#again = [];
  }

  /** The last line in a segment; -1 for none. */
  lastIn(segment: number): number {
    return this.#ranges.get(segment)?.last ?? -1;
  }

  /** Whether lines from `first` to `last` can be in the segment. */
  mayHold(segment: number, first: number, last: number): boolean {
    const range = this.#ranges.get(segment);
    return range !== undefined && range.first <= last && first <= range.last;
  }

  /** Nobody waits for a line of it; the segment is gone. */
  swept(segment: number): void {
    this.#ranges.delete(segment);
  }

  /** The segment is gone, and whatever of it waited. */
  dropped(segment: number): void {
    const isElsewhere = (line: PendingLine) => line.segment !== segment;
    this.#unframed = this.#unframed.filter(isElsewhere);
    this.#unbatched = this.#unbatched.filter(isElsewhere);
    this.#again = this.#again.filter(isElsewhere);
    this.swept(segment);
  }

  #isIn({ seq, segment }: PendingLine): void {
    const { first, last } = this.#ranges.get(segment) ?? { first: seq, last: seq };
    this.#ranges.set(segment, { first: Math.min(first, seq), last: Math.max(last, seq) });
  }
}

/** The lines of these batches, read again from disk. Each segment is read once, whatever the number of batches. */
export function linesOf(
  batches: readonly SpooledBatch[],
  journal: Journal,
  spooled: SpoolLines,
): readonly PendingLine[] {
  const ofDay = Map.groupBy(batches, (batch) => batch.day);
  const first = batches.reduce((least, batch) => Math.min(least, batch.from), Infinity);
  const last = batches.reduce((most, batch) => Math.max(most, batch.to), -1);
  const lines = new Map<number, PendingLine>();
  for (const segment of journal.segments) {
    if (!spooled.mayHold(segment, first, last)) continue;
    for (const json of journal.recordsOf(segment)) {
      const record = JSON.parse(json) as SpoolRecord;
      if (record.t !== 'L' && record.t !== 'R') continue;
      const line = lineOf(record);
      const isIn = (batch: SpooledBatch) => batch.from <= line.seq && line.seq <= batch.to;
      if (ofDay.get(dayOfLine(line))?.some(isIn)) lines.set(line.seq, { ...line, segment });
    }
  }
  return [...lines.values()].sort((a, b) => a.seq - b.seq);
}
