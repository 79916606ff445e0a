/**
 * What a probe has seen and not yet been rid of. Lines are journaled as they end, frames and batches before they are
 * sent, so that a number never has two texts. States of a batch: spooled -> acknowledged -> proven, and then deleted;
 * until then its text and its lines can be sent again. Bounded: the oldest segment is dropped, and the numbers of its
 * batches become a gap in a later batch.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ZERO_HASH } from '@highwater/config/proof/leaf-hash.ts';
import { isFullDisk, Journal, type Place, type Repair } from './journal.ts';
import { batchStates } from './spool-batches.ts';
import { epochAfter, isOfOtherKey, keepConflict, keepEpoch, keptEpoch, marksOfEpoch } from './spool-epoch.ts';
import { linesOf, SpoolLines } from './spool-lines.ts';
import { isBefore, later, spoolQueue } from './spool-queue.ts';
import { dayOfLine, lineOf, lineRecord, MOST_GAPS, spooledBatchOf, toldGaps } from './spool-records.ts';
import type { BatchRecord, FrameRecord, Line, Marks, NewLine, PendingLine } from './spool-records.ts';
import type { SpooledBatch, SpooledFrame, SpoolOptions, SpoolRecord } from './spool-records.ts';
import { withGap, withGaps } from './spool-records.ts';

/** Records in one write, at most: more would stand in one segment, and be lost together where the disk is full. */
export const mostAtOnce = 256;

export class Spool {
  readonly repair: Repair;
  /** A new epoch was begun at opening: the last number was not certain, or a crash cut the beginning of one. */
  readonly startedAnew: boolean;
  #options: SpoolOptions;
  readonly #journal: Journal;
  #marks: Marks = { epoch: 0, frame: 0, number: 0, prev: ZERO_HASH, seq: 0, gaps: [] };
  readonly #lines = new SpoolLines();
  readonly #frames = spoolQueue<SpooledFrame>((frame) => frame.frame);
  readonly #batches = batchStates();
  #dropped = 0;
  /** What lies before it survives a power cut, and may be sent. */
  #durable: Pick<Place, 'segment' | 'offset'>;

  constructor(options: SpoolOptions) {
    this.#options = options;
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
    const kept = keptEpoch(options.dir);
    const marks = this.#marks;
    // A damaged record may have been the last number: only a new epoch is sure not to use it twice.
    const isCertain = marked && this.repair.quarantined === 0 && kept <= marks.epoch;
    this.startedAnew =
      !isCertain || isOfOtherKey(marks, options.key) || this.#batches.waitsFromBefore(marks.since);
    // An older version did not write down whose it is.
    if (!this.startedAnew && options.key !== undefined && marks.key === undefined) {
      this.#marks = { ...marks, key: options.key };
      this.#rotate();
    }
    if (!this.startedAnew) return;
    this.#beginEpoch(epochAfter(Math.max(marked ? marks.epoch : -1, kept), options.now));
  }

  get epoch(): number {
    return this.#marks.epoch;
  }

  /** The numbers that the next frame and batch get, what the batch names as `prev`, and the gaps it tells of. */
  get next(): Marks {
    return { ...this.#marks, gaps: this.#marks.gaps.slice(0, MOST_GAPS) };
  }

  get bytes(): number {
    return this.#journal.bytes;
  }

  /** Segments that were dropped because the spool or the disk was full, since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get unframed(): readonly Line[] {
    return this.#lines.unframed;
  }

  get unbatched(): readonly Line[] {
    return this.#lines.unbatched;
  }

  /** Synced and not acknowledged, oldest first: a copy of all; what is asked often has a way of its own below. */
  get frames(): readonly SpooledFrame[] {
    return [...this.#frames.synced()];
  }

  /** Synced and not acknowledged, in the order in which they were made: a copy of all. */
  get batches(): readonly SpooledBatch[] {
    return [...this.#batches.spooled.synced()];
  }

  get frameCount(): number {
    return this.#frames.syncedCount;
  }

  get batchCount(): number {
    return this.#batches.spooled.syncedCount;
  }

  /** Acknowledged, and no proof has come yet. */
  get unprovenCount(): number {
    return this.#batches.acknowledged.syncedCount;
  }

  get oldestFrame(): SpooledFrame | undefined {
    return this.#frames.firstSynced();
  }

  newestFrames(count: number): readonly SpooledFrame[] {
    return this.#frames.newestSynced(count);
  }

  get oldestBatch(): SpooledBatch | undefined {
    return this.#batches.spooled.firstSynced();
  }

  /** The oldest ones that are acknowledged and not proven, with their leaf hashes (base64). */
  unproven(count: number): readonly { readonly batch: SpooledBatch; readonly leaf: string }[] {
    return this.#batches.acknowledged
      .oldest(count)
      .map((batch) => ({ batch, leaf: this.#recordOf(batch).hash }));
  }

  /** Whether it still waits for its acknowledgement. */
  isSpooled(batch: SpooledBatch): boolean {
    return this.#batches.spooled.has(batch);
  }

  /** Takes effect with the next segment. */
  limit(maxBytes: number): void {
    this.#options = { ...this.#options, maxBytes };
  }

  /** Journals a line. It survives the process at once, and the machine from the next sync on. */
  add(text: string, detail?: string): void {
    this.addAll([{ text, detail }]);
  }

  /** The same for several in one write: all or none. At most `mostAtOnce`. */
  addAll(lines: readonly NewLine[]): void {
    const { seq } = this.#marks;
    this.#write(lines.map(({ text, detail }, nth) => lineRecord('L', seq + nth, text, detail)));
  }

  /** Spools the next frame, of the unframed lines up to `to`. Not to be sent before `sync`. */
  addFrame(frame: FrameRecord & { readonly to: number }): void {
    this.#write([{ t: 'F', e: this.#marks.epoch, n: this.#marks.frame, ...frame }]);
  }

  /** Spools the next batch, of the unbatched lines of one day up to `to`. Not to be sent before `sync`. */
  addBatch(batch: Pick<BatchRecord, 'to' | 'day' | 'm' | 'hash' | 'note'>): void {
    const first = this.unbatched.find((line) => dayOfLine(line) === batch.day);
    const from = first === undefined ? batch.to + 1 : first.seq;
    const { epoch, number, gaps } = this.next;
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
    return this.#recordOf(batch).note;
  }

  /** The lines of a batch, read again from disk; fewer than there were when part of them was dropped. */
  linesOf(batch: SpooledBatch): readonly PendingLine[] {
    return linesOf([batch], this.#journal, this.#lines);
  }

  acknowledgeFrame(frame: SpooledFrame): void {
    this.#write([{ t: 'AF', e: frame.epoch, n: frame.frame }]);
  }

  acknowledgeBatch(batch: SpooledBatch): void {
    this.#write([{ t: 'AB', e: batch.epoch, n: batch.number }]);
  }

  /** The collector no longer knows what it acknowledged: they are to be sent again, before what was made later. */
  takeBack(batches: readonly SpooledBatch[]): void {
    this.#tell('U', batches);
    // Of a former key nobody takes them: their lines go into batches of this one.
    if (this.#batches.waitsFromBefore(this.#marks.since)) this.#beginEpoch(this.#marks.epoch + 1);
  }

  /** The log holds them: nothing of them is needed any more. */
  proven(batches: readonly SpooledBatch[]): void {
    // Gone before it is written down: on a full disk this is what makes room. Who does not know it asks again.
    for (const { epoch, number } of batches) this.#batches.remove(epoch, number);
    this.#sweep();
    this.#tell('P', batches);
  }

  /** Gives up on a batch that can never be accepted; its number becomes a gap. */
  giveUp(batch: SpooledBatch): void {
    this.#tell('X', [batch]);
  }

  /** Gives up on batches whose last minute is before this one, and on frames from before them. Returns how many. */
  expire(minute: number): number {
    const old = this.#batches.before(minute);
    if (old.length === 0) return 0;
    const newest = old.map(({ place }) => place).reduce(later, { segment: -1, offset: 0 });
    for (const frame of [...this.#frames.all()]) {
      if (isBefore(frame.place, newest)) this.acknowledgeFrame(frame);
    }
    this.#tell('X', old);
    this.#sweep();
    return old.length;
  }

  /**
   * After a number turned out to have two texts: the note is kept as evidence, and lines that are in no
   * acknowledged batch go into batches of a new epoch. Acknowledged ones are still to be proven.
   */
  startNewEpoch(evidence: { readonly name: string; readonly note: string }): void {
    keepConflict(this.#options.dir, evidence);
    this.#beginEpoch(this.#marks.epoch + 1);
  }

  [Symbol.dispose](): void {
    this.#journal[Symbol.dispose]();
  }

  #recordOf(batch: SpooledBatch): BatchRecord {
    return JSON.parse(this.#journal.read(batch.place)) as BatchRecord;
  }

  #reached(end: Pick<Place, 'segment' | 'offset'>): void {
    if (isBefore(this.#durable, end)) this.#durable = end;
    this.#frames.reached(this.#durable);
    this.#batches.reached(this.#durable);
  }

  /**
   * The lines of waiting batches are written again first and taken up by the E after them, which also drops those
   * batches: wherever a crash cuts this off, they are in the one or in the other.
   */
  #beginEpoch(epoch: number): void {
    keepEpoch(this.#options.dir, epoch);
    const waiting = [...this.#batches.spooled.all()];
    const again = linesOf(waiting, this.#journal, this.#lines);
    this.#writeMany(again.map(({ seq, text, detail }) => lineRecord('R', seq, text, detail)));
    // Also where the power is cut: no E without its lines.
    if (again.length > 0) this.#rotate();
    const { key } = this.#options;
    this.#write([{ t: 'E', e: epoch, ...(key === undefined ? {} : { key }) }]);
    this.#rotate();
  }

  #tell(t: 'U' | 'P' | 'X', batches: readonly SpooledBatch[]): void {
    this.#writeMany(batches.map(({ epoch, number }) => ({ t, e: epoch, n: number })));
  }

  #writeMany(records: readonly SpoolRecord[]): void {
    for (let from = 0; from < records.length; from += mostAtOnce) {
      this.#write(records.slice(from, from + mostAtOnce));
    }
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
    const segmentBytes = Math.max(8_192, Math.min(1_048_576, Math.floor(this.#options.maxBytes / 8)));
    if (this.#journal.currentBytes > segmentBytes) this.#rotate();
  }

  #rotate(): void {
    this.#journal.rotate(JSON.stringify({ t: 'S', ...this.#marks } satisfies SpoolRecord));
    this.#reached(this.#journal.end);
    this.#sweep();
    while (this.#journal.bytes > this.#options.maxBytes && this.#dropOldest());
  }

  /** Deletes the oldest segments as long as nobody needs anything in them. */
  #sweep(): void {
    const needed = Math.min(this.#lines.needed, this.#batches.neededLine());
    const held = Math.min(this.#frames.first()?.place.segment ?? Infinity, this.#batches.firstSegment());
    for (const segment of this.#journal.segments) {
      if (segment === this.#journal.current || segment === held) return;
      if (this.#lines.lastIn(segment) >= needed) return;
      this.#journal.drop(segment);
      this.#lines.swept(segment);
    }
  }

  /** Makes room. False when there is only the segment that is being written. */
  #dropOldest(): boolean {
    const [oldest = -1] = this.#journal.segments;
    if (oldest < 0 || oldest === this.#journal.current) return false;
    const lost = this.#batches.within(oldest);
    this.#journal.drop(oldest);
    this.#lines.dropped(oldest);
    this.#dropped += 1;
    for (let frame = this.#frames.first(); frame?.place.segment === oldest; frame = this.#frames.first()) {
      this.#frames.remove(frame.epoch, frame.frame);
    }
    // Before it is written: with no room for that either, nobody may look for their texts.
    for (const { epoch, number } of lost) this.#givenUp(epoch, number);
    this.#tell('X', lost);
    return true;
  }

  /** Takes a record into the state: the same for one just written and one replayed. */
  #apply(record: SpoolRecord, place: Place): void {
    const marks = this.#marks;
    // Making room may come between an epoch's lines and its E; anything else says that a crash cut its beginning off.
    if (!['R', 'S', 'X', 'E'].includes(record.t)) this.#lines.forgetAgain();
    switch (record.t) {
      case 'S': {
        const { t: _, ...read } = record;
        this.#marks = read;
        return;
      }
      case 'L':
      case 'R': {
        const line = { ...lineOf(record), segment: place.segment };
        this.#marks = { ...marks, seq: Math.max(marks.seq, record.s + 1) };
        if (record.t === 'R') this.#lines.addAgain(line);
        else this.#lines.add(line);
        return;
      }
      case 'F':
        this.#lines.framed(record.to);
        this.#frames.add({ epoch: record.e, frame: record.n, place });
        this.#marks = { ...marks, frame: record.n + 1 };
        return;
      case 'B': {
        const { n: number, to, day, hash: prev } = record;
        this.#lines.batched(to, day);
        this.#batches.spooled.add(spooledBatchOf(record, place));
        this.#marks = { ...marks, number: number + 1, prev };
        return;
      }
      case 'AF':
        this.#frames.remove(record.e, record.n);
        return;
      case 'AB': {
        const batch = this.#batches.acknowledge(record.e, record.n);
        if (batch) this.#marks = { ...marks, gaps: toldGaps(marks.gaps, batch.gaps) };
        return;
      }
      case 'U': {
        const batch = this.#batches.takeBack(record.e, record.n);
        // What it told may be lost with it.
        if (batch?.epoch === marks.epoch) this.#marks = { ...marks, gaps: withGaps(marks.gaps, batch.gaps) };
        return;
      }
      case 'P':
        this.#batches.remove(record.e, record.n);
        return;
      case 'X':
        this.#givenUp(record.e, record.n);
        return;
      case 'E':
        // Numbers begin again. What was framed has been shown, or will be by its batch.
        this.#marks = marksOfEpoch(marks, record);
        this.#frames.clear();
        this.#batches.spooled.clear();
        this.#lines.takeAgain();
    }
  }

  #givenUp(epoch: number, number: number): void {
    this.#batches.remove(epoch, number);
    if (epoch !== this.#marks.epoch) return;
    this.#marks = { ...this.#marks, gaps: withGap(this.#marks.gaps, number) };
  }
}
