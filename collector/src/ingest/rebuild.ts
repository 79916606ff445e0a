/**
 * Rebuilding a batch's bodies from the frames that brought its lines. A probe ships lines in the order in which
 * they ended and closes a batch over those that have, so a batch's lines of a service are the first of those not
 * yet in a batch. The hash decides; where it differs the probe is asked for the body.
 */
import { type Batch, bodiesOf, dueMinuteOf } from '@highwater/config/proof/batch.ts';
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

export function linesOfFrame(row: FrameRow): readonly string[] {
  const note = parseNote(row.note);
  const frame = 'error' in note ? note : parseFrameText(note.text);
  // It was opened and read before it was kept.
  if ('error' in frame) throw new Error(`frame ${row.pos} in the store is malformed: ${frame.error}`);
  return frame.lines;
}

/** Lines of the frames that are in no batch yet, in the order in which they came. */
export function waitingLines(frames: readonly FrameRow[], spool: SpoolState | undefined): Waiting[] {
  return frames.flatMap((row) => {
    const taken = new Set(spool?.epoch === row.epoch ? (spool.taken[row.frame] ?? []) : []);
    return linesOfFrame(row).flatMap((line, place) =>
      taken.has(place)
        ? []
        : [
            {
              frame: row.frame,
              pos: row.pos,
              place,
              line,
              service: line.slice(0, line.indexOf('/')),
              minute: dueMinuteOf(line),
            },
          ],
    );
  });
}

/** The bodies that could be rebuilt, and the services whose could not. */
export function rebuild(
  batch: Batch,
  waiting: readonly Waiting[],
  saltOf: SaltOf,
): { bodies: ReadonlyMap<string, string>; missing: readonly string[] } {
  const bodies = new Map<string, string>();
  const missing: string[] = [];
  const inMinutes = waiting.filter((w) => w.minute >= batch.minutes.first && w.minute <= batch.minutes.last);
  const byService = Map.groupBy(inMinutes, (w) => w.service);
  for (const ref of batch.bodies) {
    const own = byService.get(ref.service) ?? [];
    const lines = [...new Set(own.map((w) => w.line))].slice(0, ref.lines);
    const body = bodiesOf(lines).get(ref.service) ?? '';
    const how = howCommitted(ref, utf8(body), saltOf(ref.service), sha256);
    if (how !== undefined && lines.length === ref.lines) {
      bodies.set(ref.service, body);
    } else {
      missing.push(ref.service);
    }
  }
  return { bodies, missing };
}

/**
 * The spool after a batch: its lines are taken, what is too old or too far ahead is let go, the floor moves on.
 * @param now the collector's minute
 */
export function afterBatch(
  batch: Batch,
  bodies: ReadonlyMap<string, string>,
  frames: readonly FrameRow[],
  waiting: readonly Waiting[],
  spool: SpoolState | undefined,
  now: number,
): SpoolState {
  const inBatch = new Set([...bodies.values()].flatMap((body) => body.slice(0, -1).split('\n')));
  const forgotten = batch.minutes.first - FORGET_AFTER_MINUTES;
  const isAwaited = ({ minute }: Waiting) => minute > forgotten && minute <= now + FORGET_AHEAD_MINUTES;
  const left = waiting.filter((w) => !inBatch.has(w.line) && isAwaited(w));
  const lastFrame = frames.at(-1);
  const floor = left[0]?.frame ?? (lastFrame === undefined ? (spool?.floor ?? 0) : lastFrame.frame + 1);
  const stillWaiting = new Set(left.map((w) => `${w.frame} ${w.place}`));
  const taken: Record<string, number[]> = {};
  for (const row of frames.filter((each) => each.frame >= floor)) {
    const places = [...linesOfFrame(row).keys()].filter((i) => !stillWaiting.has(`${row.frame} ${i}`));
    if (places.length > 0) taken[row.frame] = places;
  }
  const firstLeft = left[0]?.pos;
  const pos = firstLeft === undefined ? (lastFrame?.pos ?? spool?.pos ?? 0) : firstLeft - 1;
  return { epoch: batch.epoch, floor, taken, pos };
}
