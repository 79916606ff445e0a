/** From spooled lines to signed frames and batches. What is made here is spooled before anybody sends it. */
import { type SigningKey, sha256 } from '@highwater/config/keys.ts';
import { type Batch, bodiesOf, bodyRefs, formatBatchText, minutesOf } from '@highwater/config/proof/batch.ts';
import type { Salts } from '@highwater/config/proof/body-hash.ts';
import { encodeBase64 } from '@highwater/config/proof/bytes.ts';
import { formatFrameText } from '@highwater/config/proof/frame.ts';
import { emptyRoot, leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import { dayOfMinute } from '@highwater/config/time.ts';
import { dayOfLine, type Line } from './spool-records.ts';
import type { Spool } from './spool.ts';

/** Who signs. `name` of the key is the probe's id. */
export interface Identity {
  readonly key: SigningKey;
  /** Origin of the log without the year. */
  readonly origin: string;
}

/** The newest checkpoint of the log that was found consistent. */
export type Tip = Batch['tip'];

/** What a batch says of the moment in which it was made. */
export interface Known {
  readonly clock: Batch['clock'];
  readonly tip: Tip;
}

/** What a batch closes. */
export interface Closing {
  /** The last line that ended in it. */
  readonly through: number;
  /** The minute that it closes. */
  readonly minute: number;
  /** Leaf hash of the configuration under which its lines were made, base64. */
  readonly config: string;
  /** Of the private services under it. */
  readonly salts?: Salts;
}

// A frame and a body go in one upload of 1 MiB, with room for JSON and details.
const maxFrameLines = 4_000;
const maxFrameChars = 500_000;
const maxBatchChars = 800_000;
// A batch's text has 65,000 bytes at most and needs up to 160 for each service.
const maxBatchServices = 350;

/** Before any checkpoint was seen. */
export const noTip: Tip = { size: 0, root: encodeBase64(emptyRoot(sha256)) };

/** Spools one frame of lines that are in none yet; false when there are none. */
export function spoolFrame(spool: Spool, { key, origin }: Identity): boolean {
  const lines = firstLines(spool.unframed);
  const last = lines.at(-1);
  if (!last) return false;
  const text = formatFrameText({
    origin,
    probe: key.name,
    epoch: spool.epoch,
    frame: spool.next.frame,
    lines: lines.map((line) => line.text),
  });
  const details = detailsOf(lines);
  spool.addFrame({ to: last.seq, note: key.sign(text), ...(details ? { details } : {}) });
  return true;
}

/**
 * Spools the batches of what has closed: one, or one for each UTC day in which its lines were due, or several where
 * one would be too large. An empty minute gets a batch too.
 */
export function spoolBatches(spool: Spool, identity: Identity, closing: Closing, known: Known): void {
  const closed = spool.unbatched.filter((line) => line.seq <= closing.through);
  const days = [...new Set(closed.map(dayOfLine))].sort((a, b) => a - b);
  if (days.length === 0) return spoolBatch(spool, identity, closing, known, dayOfMinute(closing.minute), []);
  for (const day of days) {
    let rest = closed.filter((line) => dayOfLine(line) === day);
    while (rest.length > 0) {
      const part = firstServices(rest);
      spoolBatch(spool, identity, closing, known, day, part);
      rest = rest.slice(part.length);
    }
  }
}

function spoolBatch(
  spool: Spool,
  { key, origin }: Identity,
  closing: Closing,
  { clock, tip }: Known,
  day: number,
  lines: readonly Line[],
): void {
  const texts = lines.map((line) => line.text);
  const minutes = minutesOf(texts) ?? { first: closing.minute, last: closing.minute };
  const { epoch, number, prev, gaps } = spool.next;
  const note = key.sign(
    formatBatchText({
      origin,
      probe: key.name,
      epoch,
      number,
      prev,
      minutes,
      config: closing.config,
      clock,
      tip,
      gaps,
      bodies: bodyRefs(bodiesOf(texts), sha256, closing.salts),
    }),
  );
  const to = lines.at(-1)?.seq ?? -1;
  spool.addBatch({ to, day, m: minutes.last, note, hash: leafHashOfNote(note, sha256) });
}

function firstLines(lines: readonly Line[]): readonly Line[] {
  let chars = 0;
  const end = lines.findIndex((line, place) => {
    chars += line.text.length + (line.detail?.length ?? 0) + 8;
    return place >= maxFrameLines || chars > maxFrameChars;
  });
  return end < 0 ? lines : lines.slice(0, Math.max(1, end));
}

function firstServices(lines: readonly Line[]): readonly Line[] {
  const services = new Set<string>();
  let chars = 0;
  const end = lines.findIndex((line) => {
    services.add(line.text.slice(0, line.text.indexOf('/')));
    chars += line.text.length + 3;
    return services.size > maxBatchServices || chars > maxBatchChars;
  });
  return end < 0 ? lines : lines.slice(0, Math.max(1, end));
}

function detailsOf(lines: readonly Line[]): Record<string, string> | undefined {
  const told = lines.flatMap((line, place) =>
    line.detail === undefined ? [] : [[String(place), line.detail]],
  );
  return told.length === 0 ? undefined : (Object.fromEntries(told) as Record<string, string>);
}
