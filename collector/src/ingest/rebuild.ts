/**
 * Rebuilding a batch's bodies from the frames that brought its lines. A probe ships lines in the order in which
 * they ended and closes a batch over those that have, so a batch's lines of a service are the first of those not
 * yet in a batch. The hash decides; where it differs the probe is asked for the body.
 */
import { type Batch, type BodyRef, dueMinuteOf } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import { parseFrameText } from '@highwater/config/proof/frame.ts';
import { parseNote } from '@highwater/config/proof/note.ts';
import { sha256 } from '@highwater/config/keys.ts';
import type { FrameRow } from '../store/store.ts';
import type { SaltOf } from './salts.ts';

/** Lines older than this, in minutes before a batch, are never asked for again. */
const FORGET_AFTER_MINUTES = 120;
/** Lines due later than this, in minutes from now, came of a clock that is wrong: no batch with them is taken for long. */
const FORGET_AHEAD_MINUTES = 10;

/** Where the rebuilding of a probe's batches has come to: `spool` in the log's shard, by probe. */
export interface SpoolState {
  readonly epoch: number;
  /** The first frame that holds a line that is in no batch yet. */
  readonly floor: number;
  /** Places of lines that are in a batch already, by frame, from the floor on. */
  readonly taken: Readonly<Record<string, readonly number[]>>;
  /** Commit size below which no frame of this probe is still needed: the position of the newest taken frame. */
  readonly pos: number;
}

export interface Waiting {
  readonly frame: number;
  readonly pos: number;
  readonly place: number;
  readonly line: string;
  readonly service: string;
  readonly minute: number;
}

/** How the lines of a frame are come by: of one that came lately without reading it again. */
export type LinesOf = (row: FrameRow) => readonly string[];

export function linesOfFrame(row: FrameRow): readonly string[] {
  const note = parseNote(row.note);
  const frame = 'error' in note ? note : parseFrameText(note.text);
  // It was opened and read before it was kept.
  if ('error' in frame) throw new Error(`frame ${row.pos} in the store is malformed: ${frame.error}`);
  return frame.lines;
}

/** Lines of the frames that are in no batch yet, in the order in which they came. */
export function waitingLines(
  frames: readonly FrameRow[],
  spool: SpoolState | undefined,
  linesOf: LinesOf = linesOfFrame,
): Waiting[] {
  const waiting: Waiting[] = [];
  for (const row of frames) {
    const { frame, pos } = row;
    const taken = new Set(spool?.epoch === row.epoch ? (spool.taken[frame] ?? []) : []);
    for (const [place, line] of linesOf(row).entries()) {
      if (taken.has(place)) continue;
      const service = line.slice(0, line.indexOf('/'));
      waiting.push({ frame, pos, place, line, service, minute: dueMinuteOf(line) });
    }
  }
  return waiting;
}

export interface Rebuilt {
  /** Those that could be rebuilt, by service. */
  readonly bodies: ReadonlyMap<string, RebuiltBody>;
  /** Services whose could not. */
  readonly missing: readonly string[];
}

/** The lines of a body: asked only about lines of its service, with the minute in which each was due. */
export interface LinesIn {
  has(line: string, minute: number): boolean;
}

export interface RebuiltBody {
  readonly text: string;
  readonly lines: LinesIn;
  readonly isSalted: boolean;
}

export function rebuild(batch: Batch, waiting: readonly Waiting[], saltOf: SaltOf): Rebuilt {
  const bodies = new Map<string, RebuiltBody>();
  const missing: string[] = [];
  const { first, last } = batch.minutes;
  const isIn = (minute: number): boolean => minute >= first && minute <= last;
  const byService = new Map<string, string[]>(batch.bodies.map(({ service }) => [service, []]));
  for (const { service, minute, line } of waiting) if (isIn(minute)) byService.get(service)?.push(line);
  // All that waits, mostly: then what is in it is told by the minute, without a set of thousands of lines.
  const isDueIn: LinesIn = { has: (_, minute) => isIn(minute) };
  for (const ref of batch.bodies) {
    const own = byService.get(ref.service) ?? [];
    // Lines are ASCII: in order of their characters they are in order of their bytes.
    let sorted = own.length === ref.lines ? own.toSorted() : [];
    let lines = isDueIn;
    if (sorted.length === 0 || sorted.some((line, i) => line === sorted[i + 1])) {
      const first = new Set([...new Set(own)].slice(0, ref.lines));
      [sorted, lines] = [[...first].sort(), first];
    }
    const text = sorted.length === 0 ? '' : `${sorted.join('\n')}\n`;
    const how = sorted.length === ref.lines ? howIn(ref, text, saltOf) : undefined;
    if (how === undefined) missing.push(ref.service);
    else bodies.set(ref.service, { text, lines, isSalted: how === 'salted' });
  }
  return { bodies, missing };
}

/** The salt is made only of a body that is not committed to plainly: it costs more than a body's hash. */
function howIn(ref: BodyRef, text: string, saltOf: SaltOf): ReturnType<typeof howCommitted> {
  const bytes = utf8(text);
  return howCommitted(ref, bytes, undefined, sha256) ?? howCommitted(ref, bytes, saltOf(ref.service), sha256);
}

/**
 * The spool after a batch: its lines are taken, what is too old or too far ahead is let go, the floor moves on.
 * @param lines of the batch, by service
 * @param now the collector's minute
 */
export function afterBatch(
  batch: Batch,
  lines: ReadonlyMap<string, LinesIn>,
  frames: readonly FrameRow[],
  waiting: readonly Waiting[],
  spool: SpoolState | undefined,
  now: number,
  linesOf: LinesOf = linesOfFrame,
): SpoolState {
  const forgotten = batch.minutes.first - FORGET_AFTER_MINUTES;
  const isAwaited = ({ minute }: Waiting) => minute > forgotten && minute <= now + FORGET_AHEAD_MINUTES;
  const left = waiting.filter((w) => lines.get(w.service)?.has(w.line, w.minute) !== true && isAwaited(w));
  const lastFrame = frames.at(-1);
  const floor = left[0]?.frame ?? (lastFrame === undefined ? (spool?.floor ?? 0) : lastFrame.frame + 1);
  const stillWaiting = Map.groupBy(left, (w) => w.frame);
  const taken: Record<string, number[]> = {};
  for (const row of frames) {
    if (row.frame < floor) continue;
    const waits = new Set((stillWaiting.get(row.frame) ?? []).map(({ place }) => place));
    const places = [...linesOf(row).keys()].filter((place) => !waits.has(place));
    if (places.length > 0) taken[row.frame] = places;
  }
  const firstLeft = left[0]?.pos;
  const pos = firstLeft === undefined ? (lastFrame?.pos ?? spool?.pos ?? 0) : firstLeft - 1;
  return { epoch: batch.epoch, floor, taken, pos };
}
