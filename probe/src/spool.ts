/**
 * What a probe has seen and not yet been rid of. Lines are journaled as they end, frames and batches before they are
 * sent, so that a number never has two texts. States: spooled -> acknowledged -> deleted. Bounded: the oldest
 * segment is dropped, and the numbers of its batches become a gap in a later batch.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import type { Instant } from '@highwater/config/time.ts';
import { isFullDisk, Journal, type Place, type Repair, writeDurably } from './journal.ts';
import { spoolQueue } from './spool-queue.ts';
import { dayOfLine, lineOf, withGap } from './spool-records.ts';
import type {
  BatchRecord,
  FrameRecord,
  Gap,
  Line,
  Marks,
  NewLine,
  PendingLine,
  SpooledBatch,
  SpooledFrame,
  SpoolRecord,
} from './spool-records.ts';

export interface SpoolOptions {
  readonly dir: string;
  readonly maxBytes: number;
  /** The first epoch of a probe without any record is the second in which it began. */
  readonly now: Instant;
}

const maxConflictFiles = 100;
/** Records in one write, at most: more would stand in one segment, and be lost together where the disk is full. */
export const mostAtOnce = 256;

export class Spool {
  readonly repair: Repair;
  /** A new epoch was begun at opening: the last number was not certain, or a crash cut the beginning of one. */
  readonly startedAnew: boolean;
  readonly #options: SpoolOptions;
  readonly #journal: Journal;
  readonly #segmentBytes: number;
  #marks: Marks = { epoch: 0, frame: 0, number: 0, prev: ZERO_HASH, seq: 0, gaps: [] };
  #unframed: PendingLine[] = [];
  #unbatched: PendingLine[] = [];
  readonly #frames = spoolQueue<SpooledFrame>((frame) => frame.frame);
  readonly #batches = spoolQueue<SpooledBatch>((batch) => batch.number);
  /** Lines of an epoch that is about to begin; its E takes them up. */
  #again: PendingLine[] = [];
  /** Highest line by segment. */
  readonly #lastLine = new Map<number, number>();
  #dropped = 0;
  /** What lies before it survives a power cut, and may be sent. */
  #durable: Pick<Place, 'segment' | 'offset'>;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#segmentBytes = Math.max(8_192, Math.min(1_048_576, Math.floor(options.maxBytes / 8)));
    mkdirSync(options.dir, { recursive: true, mode: 0o700 });
    let marked = false;
    this.#journal = new Journal(join(options.dir, 'journal'), (json, place) => {
      const record = JSON.parse(json) as SpoolRecord;
      marked ||= record.t === 'S';
      this.#apply(record, place);
    });
    this.#durable = this.#journal.end;
    this.#frames.reached(this.#durable);
    this.#batches.reached(this.#durable);
    this.repair = this.#journal.repair;
    const keptEpoch = this.#keptEpoch();
    // A damaged record may have been the last number: only a new epoch is sure not to use it twice.
    this.startedAnew = !marked || this.repair.quarantined > 0 || keptEpoch > this.#marks.epoch;
    if (!this.startedAnew) return;
    const known = Math.max(marked ? this.#marks.epoch : -1, keptEpoch);
    // Nothing is known: the clock gives a number above those of an earlier life whose disk was lost.
    this.#beginEpoch(known >= 0 ? known + 1 : Math.floor(options.now / 1_000));
  }

  get epoch(): number {
    return this.#marks.epoch;
  }

  /** The numbers that the next frame and batch get, what the batch names as `prev`, and the gaps it tells of. */
  get next(): Marks {
    return this.#marks;
  }

  get bytes(): number {
    return this.#journal.bytes;
  }

  /** Segments that were dropped because the spool or the disk was full, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get unframed(): readonly Line[] {
    return this.#unframed;
  }

  get unbatched(): readonly Line[] {
    return this.#unbatched;
  }

  /** Synced and not acknowledged, oldest first: a copy of all; what is asked often has a way of its own below. */
  get frames(): readonly SpooledFrame[] {
    return [...this.#frames.synced()];
  }

  /** Synced and not acknowledged, in order of number: a copy of all. */
  get batches(): readonly SpooledBatch[] {
    return [...this.#batches.synced()];
  }

  get frameCount(): number {
    return this.#frames.syncedCount;
  }

  get batchCount(): number {
    return this.#batches.syncedCount;
  }

  get oldestFrame(): SpooledFrame | undefined {
    return this.#frames.firstSynced();
  }

  newestFrames(count: number): readonly SpooledFrame[] {
    return this.#frames.newestSynced(count);
  }

  get oldestBatch(): SpooledBatch | undefined {
    return this.#batches.firstSynced();
  }

  /** Journals a line. It survives the process at once, and the machine from the next sync on. */
  add(text: string, detail?: string): void {
    this.addAll([{ text, detail }]);
  }

  /** The same for several in one write: all or none. At most `mostAtOnce`. */
  addAll(lines: readonly NewLine[]): void {
    const { seq } = this.#marks;
    const records = lines.map(({ text, detail }, nth): SpoolRecord => {
      return { t: 'L', s: seq + nth, l: text, ...(detail === undefined ? {} : { d: detail }) };
    });
    this.#write(records);
  }

  /** Spools the next frame, of the unframed lines up to `to`. Not to be sent before `sync`. */
  addFrame(frame: FrameRecord & { readonly to: number }): void {
    this.#write([{ t: 'F', e: this.#marks.epoch, n: this.#marks.frame, ...frame }]);
  }

  /** Spools the next batch, of the unbatched lines of one day up to `to`. Not to be sent before `sync`. */
  addBatch(batch: Pick<BatchRecord, 'to' | 'day' | 'hash' | 'note'>): void {
    const first = this.#unbatched.find((line) => dayOfLine(line) === batch.day);
    const from = first === undefined ? batch.to + 1 : first.seq;
    const { epoch, number, gaps } = this.#marks;
    this.#write([{ t: 'B', e: epoch, n: number, from, gaps, ...batch }]);
  }

  async sync(): Promise<void> {
    const end = this.#journal.end;
    await this.#journal.sync();
    this.#reached(end);
  }

  frameOf(frame: SpooledFrame): FrameRecord {
    return JSON.parse(this.#journal.read(frame.place)) as FrameRecord;
  }

  noteOf(batch: SpooledBatch): string {
    return (JSON.parse(this.#journal.read(batch.place)) as BatchRecord).note;
  }

  /** The lines of a batch, read again from disk; fewer than there were when part of them was dropped. */
  linesOf(batch: SpooledBatch): readonly PendingLine[] {
    return this.#linesOf([batch]);
  }

  acknowledgeFrame(frame: SpooledFrame): void {
    this.#write([{ t: 'AF', e: frame.epoch, n: frame.frame }]);
  }

  acknowledgeBatch(batch: SpooledBatch): void {
    this.#write([{ t: 'AB', e: batch.epoch, n: batch.number }]);
  }

  /** Gives up on a batch that can never be accepted; its number becomes a gap. */
  giveUp(batch: SpooledBatch): void {
    this.#write([{ t: 'X', e: batch.epoch, n: batch.number }]);
  }

  /**
   * After a number turned out to have two texts: the note is kept as evidence, and lines that are in no
   * acknowledged batch go into batches of a new epoch.
   */
  startNewEpoch(evidence: { readonly name: string; readonly note: string }): void {
    const dir = join(this.#options.dir, 'conflicts');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const path = join(dir, evidence.name);
    if (!existsSync(path) && readdirSync(dir).length < maxConflictFiles) {
      writeFileSync(path, evidence.note, { mode: 0o600 });
    }
    this.#beginEpoch(this.#marks.epoch + 1);
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }

  /** Each segment is read once, whatever the number of batches. */
  #linesOf(batches: readonly SpooledBatch[]): readonly PendingLine[] {
    const ofDay = Map.groupBy(batches, (batch) => batch.day);
    const first = batches.reduce((least, batch) => Math.min(least, batch.from), Infinity);
    const lines = new Map<number, PendingLine>();
    for (const segment of this.#journal.segments) {
      if ((this.#lastLine.get(segment) ?? -1) < first) continue;
      for (const json of this.#journal.recordsOf(segment)) {
        const record = JSON.parse(json) as SpoolRecord;
        if (record.t !== 'L' && record.t !== 'R') continue;
        const line = lineOf(record);
        const isIn = (batch: SpooledBatch) => batch.from <= line.seq && line.seq <= batch.to;
        if (ofDay.get(dayOfLine(line))?.some(isIn)) lines.set(line.seq, { ...line, segment });
      }
    }
    return [...lines.values()].sort((a, b) => a.seq - b.seq);
  }

  #reached(end: Pick<Place, 'segment' | 'offset'>): void {
    const { segment, offset } = this.#durable;
    if (end.segment > segment || (end.segment === segment && end.offset > offset)) this.#durable = end;
    this.#frames.reached(this.#durable);
    this.#batches.reached(this.#durable);
  }

  /** The last epoch that was begun, from a file of its own; -1 when nothing is known. */
  #keptEpoch(): number {
    const file = join(this.#options.dir, 'epoch');
    const kept = existsSync(file) ? Number(readFileSync(file, 'utf8').trim()) : NaN;
    return Number.isSafeInteger(kept) ? kept : -1;
  }

  /**
   * The lines of waiting batches are written again first and taken up by the E after them, which also drops those
   * batches: wherever a crash cuts this off, they are in the one or in the other.
   */
  #beginEpoch(epoch: number): void {
    writeDurably(join(this.#options.dir, 'epoch'), `${epoch}\n`, this.#options.dir);
    const again = this.#linesOf([...this.#batches.all()]).map(({ seq, text, detail }): SpoolRecord => ({
      t: 'R',
      s: seq,
      l: text,
      ...(detail === undefined ? {} : { d: detail }),
    }));
    for (let from = 0; from < again.length; from += mostAtOnce) {
      this.#write(again.slice(from, from + mostAtOnce));
    }
    // Also where the power is cut: no E without its lines.
    if (again.length > 0) this.#rotate();
    this.#write([{ t: 'E', e: epoch }]);
    this.#rotate();
  }

  #write(records: readonly SpoolRecord[]): void {
    const jsons = records.map((record) => JSON.stringify(record));
    let places: readonly Place[];
    try {
      places = this.#journal.append(jsons);
    } catch (thrown) {
      // A full disk: the oldest makes room, as it does for a full spool. Nothing else is a reason to drop evidence.
      if (!isFullDisk(thrown) || !this.#dropOldest()) throw thrown;
      places = this.#journal.append(jsons);
    }
    for (const [nth, record] of records.entries()) {
      const place = places[nth];
      if (place) this.#apply(record, place);
    }
    if (this.#journal.currentBytes > this.#segmentBytes) this.#rotate();
  }

  #rotate(): void {
    this.#journal.rotate(JSON.stringify({ t: 'S', ...this.#marks } satisfies SpoolRecord));
    this.#reached(this.#journal.end);
    this.#sweep();
    while (this.#journal.bytes > this.#options.maxBytes && this.#dropOldest());
  }

  /** Deletes the oldest segments as long as nobody needs anything in them. */
  #sweep(): void {
    let needed = Math.min(
      this.#unframed[0]?.seq ?? Infinity,
      this.#unbatched[0]?.seq ?? Infinity,
      this.#again[0]?.seq ?? Infinity,
    );
    for (const batch of this.#batches.all()) needed = Math.min(needed, batch.from);
    const held = Math.min(
      this.#frames.first()?.place.segment ?? Infinity,
      this.#batches.first()?.place.segment ?? Infinity,
    );
    for (const segment of this.#journal.segments) {
      if (segment === this.#journal.current || segment === held) return;
      if ((this.#lastLine.get(segment) ?? -1) >= needed) return;
      this.#journal.drop(segment);
      this.#lastLine.delete(segment);
    }
  }

  /** Makes room. False when there is only the segment that is being written. */
  #dropOldest(): boolean {
    const [oldest = -1] = this.#journal.segments;
    if (oldest < 0 || oldest === this.#journal.current) return false;
    const lost = [...this.#batches.all()].filter((batch) => batch.place.segment === oldest);
    this.#journal.drop(oldest);
    this.#lastLine.delete(oldest);
    this.#dropped += 1;
    for (let frame = this.#frames.first(); frame?.place.segment === oldest; frame = this.#frames.first()) {
      this.#frames.remove(frame.epoch, frame.frame);
    }
    this.#unframed = this.#unframed.filter((line) => line.segment !== oldest);
    this.#unbatched = this.#unbatched.filter((line) => line.segment !== oldest);
    this.#again = this.#again.filter((line) => line.segment !== oldest);
    for (const batch of lost) this.giveUp(batch);
    return true;
  }

  /** Takes a record into the state: the same for one just written and one replayed. */
  #apply(record: SpoolRecord, place: Place): void {
    const marks = this.#marks;
    // Making room may come between an epoch's lines and its E; anything else says that a crash cut its beginning off.
    if (this.#again.length > 0 && !['R', 'S', 'X', 'E'].includes(record.t)) this.#again = [];
    switch (record.t) {
      case 'S': {
        const { t: _, ...read } = record;
        this.#marks = read;
        return;
      }
      case 'L':
      case 'R': {
        const line = { ...lineOf(record), segment: place.segment };
        this.#lastLine.set(place.segment, Math.max(record.s, this.#lastLine.get(place.segment) ?? -1));
        this.#marks = { ...marks, seq: Math.max(marks.seq, record.s + 1) };
        if (record.t === 'R') {
          this.#again.push(line);
          return;
        }
        this.#unbatched.push(line);
        this.#unframed.push(line);
        return;
      }
      case 'F':
        this.#unframed = this.#unframed.filter((line) => line.seq > record.to);
        this.#frames.add({ epoch: record.e, frame: record.n, place });
        this.#marks = { ...marks, frame: record.n + 1 };
        return;
      case 'B': {
        const { e: epoch, n: number, from, to, day, gaps } = record;
        this.#unbatched = this.#unbatched.filter((line) => line.seq > to || dayOfLine(line) !== day);
        this.#batches.add({ epoch, number, from, to, day, gaps, place });
        this.#marks = { ...marks, number: number + 1, prev: record.hash };
        return;
      }
      case 'AF':
        this.#frames.remove(record.e, record.n);
        return;
      case 'AB':
        this.#acknowledged(record.e, record.n);
        return;
      case 'X':
        this.#batches.remove(record.e, record.n);
        if (record.e === marks.epoch) this.#marks = { ...marks, gaps: withGap(marks.gaps, record.n) };
        return;
      case 'E':
        // Numbers begin again. What was framed has been shown, or will be by its batch.
        this.#marks = { ...marks, epoch: record.e, frame: 0, number: 0, prev: ZERO_HASH, gaps: [] };
        this.#frames.clear();
        this.#batches.clear();
        this.#unbatched = inOrder([...this.#again, ...this.#unbatched]);
        this.#again = [];
    }
  }

  /** Until the log can prove that it holds a batch, its acknowledgement is what allows to delete it. */
  #acknowledged(epoch: number, number: number): void {
    const batch = this.#batches.remove(epoch, number);
    if (!batch) return;
    const told = (gap: Gap) => batch.gaps.some(({ first, last }) => first <= gap.first && gap.last <= last);
    this.#marks = { ...this.#marks, gaps: this.#marks.gaps.filter((gap) => !told(gap)) };
  }
}

/** By number; each once. */
function inOrder(lines: readonly PendingLine[]): PendingLine[] {
  const bySeq = new Map(lines.map((line) => [line.seq, line]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}
