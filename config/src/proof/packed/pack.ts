/**
 * Bodies of one service as one object that gives each back byte for byte (docs/storage.md): `highwater/pack/v1` LF, two
 * lengths of the directory as 32 bits, the directory, and segments. The directory says what lies where; a segment is read
 * by its range. The same bodies give the same bytes, in whichever order they come.
 *
 * A body is named by its batch: probe, epoch and number, which outlive a commit sequence that was cut. Two keys of one probe
 * id, and a probe that signed two batches under one number, give bodies of one name: the hash that the batch commits to
 * decides, and whoever reads a body compares it.
 */
import { compareBytewise, concat, isId, utf8 } from '../bytes.ts';
import { type Compression, ColumnsReader, ColumnsWriter, MAX_COLUMN_BYTES } from './columns.ts';
import { writeSegment } from './segment-write.ts';
import { readSegment } from './segment-read.ts';
import { MAX_BODIES } from './segment.ts';
import { putText, takeText } from './texts.ts';
import { MAX_NUMBER, PackError } from './wire.ts';

export { PackError } from './wire.ts';

/** In place of a service, which has no such id: an object of bodies of any services, whose lines are kept whole. */
export const MIXED = '~';
export type { Compression } from './columns.ts';

const MAGIC = utf8('highwater/pack/v1\n');
/** What comes before the directory. */
export const HEAD_BYTES = MAGIC.length + 8;

/** Lines of a segment, as far as whole bodies allow: what it takes to read one body. */
export const SEGMENT_LINES = 4_096;
/** Of one object. */
const MAX_ALL_BODIES = 1_048_576;
const MAX_SEGMENTS = 65_536;
const MAX_PROBES = 4_096;
const MAX_SEGMENT_BYTES = 67_108_864;

/** Whether a body may be served: by its number. */
export const shownWords = ['public', 'private', 'salted'] as const;
export type PackedShown = (typeof shownWords)[number];

export interface BodyName {
  readonly probe: string;
  readonly epoch: number;
  readonly number: number;
}

export interface PackBody extends BodyName {
  /** The first due minute of its batch: bodies of one time lie together. */
  readonly minute: number;
  readonly shown: PackedShown;
  readonly text: string;
}

export interface PackedBody extends BodyName {
  readonly shown: PackedShown;
  /** Place of its segment in the object, and its own place there. */
  readonly segment: number;
  readonly place: number;
}

export interface PackSegment {
  /** Range in the object: [start, end). */
  readonly start: number;
  readonly end: number;
  /** Number of each body's probe. */
  readonly probes: readonly number[];
}

export interface Directory {
  readonly service: string;
  /** Bytes of the whole object. */
  readonly bytes: number;
  readonly lines: number;
  readonly bodyBytes: number;
  readonly segments: readonly PackSegment[];
  readonly bodies: readonly PackedBody[];
}

const column = { header: 0, probes: 1, segments: 2, probe: 3, epoch: 4, number: 5, shown: 6 } as const;

function inOrder(bodies: readonly PackBody[]): PackBody[] {
  return [...bodies].sort(
    (a, b) =>
      a.minute - b.minute ||
      compareBytewise(a.probe, b.probe) ||
      a.epoch - b.epoch ||
      a.number - b.number ||
      compareBytewise(a.text, b.text) ||
      compareBytewise(a.shown, b.shown),
  );
}

function linesOf(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

interface Segment {
  readonly bodies: readonly PackBody[];
  readonly bytes: Uint8Array;
}

/** One segment; halves of it, as long as it is over the bounds of one. */
function* segmentsOf(
  service: string,
  bodies: readonly PackBody[],
  numbers: ReadonlyMap<string, number>,
  compression: Compression,
): Generator<Segment> {
  const named = bodies.map(({ probe, text }) => ({ probe: numbers.get(probe) ?? 0, text }));
  let bytes: Uint8Array;
  try {
    bytes = writeSegment(service, named, compression);
  } catch (error) {
    if (!(error instanceof PackError) || bodies.length < 2) throw error;
    const half = bodies.length >> 1;
    yield* segmentsOf(service, bodies.slice(0, half), numbers, compression);
    yield* segmentsOf(service, bodies.slice(half), numbers, compression);
    return;
  }
  yield { bodies, bytes };
}

function* cut(bodies: readonly PackBody[]): Generator<PackBody[]> {
  let part: PackBody[] = [];
  let lines = 0;
  for (const body of bodies) {
    const own = linesOf(body.text);
    if (part.length > 0 && (lines + own > SEGMENT_LINES || part.length === MAX_BODIES)) {
      yield part;
      part = [];
      lines = 0;
    }
    part.push(body);
    lines += own;
  }
  if (part.length > 0) yield part;
}

/** The object of these bodies. Throws PackError for a body that is larger than any that is accepted. */
export function writePack(service: string, all: readonly PackBody[], compression: Compression): Uint8Array {
  const bodies = inOrder(all);
  const probes = [...new Set(bodies.map(({ probe }) => probe))].sort();
  const numbers = new Map(probes.map((probe, i) => [probe, i]));
  const segments = [...cut(bodies)].flatMap((part) => [...segmentsOf(service, part, numbers, compression)]);
  if (bodies.length > MAX_ALL_BODIES || segments.length > MAX_SEGMENTS || probes.length > MAX_PROBES) {
    throw new PackError('a pack would be too large');
  }
  const columns = new ColumnsWriter();
  const header = columns.at(column.header);
  putText(header, service);
  for (const count of [probes.length, segments.length, bodies.length]) header.number(count);
  header.number(bodies.reduce((sum, { text }) => sum + linesOf(text), 0));
  header.number(bodies.reduce((sum, { text }) => sum + utf8(text).length, 0));
  for (const probe of probes) putText(columns.at(column.probes), probe);
  for (const segment of segments) {
    columns.at(column.segments).number(segment.bytes.length);
    columns.at(column.segments).number(segment.bodies.length);
  }
  const last = new Map<string, BodyName>();
  for (const body of bodies) {
    const before = last.get(body.probe);
    columns.at(column.probe).number(numbers.get(body.probe) ?? 0);
    columns.at(column.epoch).signed(body.epoch - (before?.epoch ?? 0));
    columns.at(column.number).signed(body.number - (before?.number ?? 0) - 1);
    columns.at(column.shown).number(shownWords.indexOf(body.shown));
    last.set(body.probe, body);
  }
  const directory = columns.done(compression);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, directory.length);
  new DataView(length.buffer).setUint32(
    4,
    segments.reduce((sum, { bytes }) => sum + bytes.length, 0),
  );
  return concat(MAGIC, length, directory, ...segments.map(({ bytes }) => bytes));
}

/** How many bytes from the start on the directory needs, from the first HEAD_BYTES. Throws PackError. */
export function directoryEnd(head: Uint8Array): number {
  if (head.length < HEAD_BYTES || MAGIC.some((byte, i) => head[i] !== byte)) {
    throw new PackError('it is no pack of this version');
  }
  const length = new DataView(head.buffer, head.byteOffset).getUint32(MAGIC.length);
  if (length > MAX_COLUMN_BYTES) throw new PackError('its directory is too large');
  return HEAD_BYTES + length;
}

/** `start` holds the object's first bytes, at least as many as directoryEnd says. Throws PackError. */
export function readDirectory(start: Uint8Array, compression: Compression): Directory {
  const end = directoryEnd(start);
  if (start.length < end) throw new PackError('it ends too early');
  const columns = new ColumnsReader(start.subarray(HEAD_BYTES, end), compression);
  const header = columns.at(column.header);
  const service = takeText(header);
  if (!isId(service) && service !== MIXED) throw new PackError('its service is none');
  const probeCount = header.number(MAX_PROBES);
  const segmentCount = header.number(MAX_SEGMENTS);
  const bodyCount = header.number(MAX_ALL_BODIES);
  const [lines, bodyBytes] = [header.number(MAX_NUMBER), header.number(MAX_NUMBER)];
  const names = Array.from({ length: probeCount }, () => takeText(columns.at(column.probes)));
  const segments: PackSegment[] = [];
  const bodies: PackedBody[] = [];
  const last: { epoch: number; number: number }[] = [];
  let at = end;
  for (let segment = 0; segment < segmentCount; segment += 1) {
    const length = columns.at(column.segments).number(MAX_SEGMENT_BYTES);
    const count = columns.at(column.segments).number(bodyCount - bodies.length);
    const probes: number[] = [];
    for (let place = 0; place < count; place += 1) {
      const probe = columns.at(column.probe).number();
      const name = names[probe];
      const before = last[probe] ?? { epoch: 0, number: 0 };
      const epoch = before.epoch + columns.at(column.epoch).signed();
      const number = before.number + 1 + columns.at(column.number).signed();
      const shown = shownWords[columns.at(column.shown).number()];
      if (name === undefined || shown === undefined) throw new PackError('a body is of no probe');
      if (epoch < 0 || number < 0 || epoch > MAX_NUMBER || number > MAX_NUMBER) {
        throw new PackError('a body has no number');
      }
      last[probe] = { epoch, number };
      probes.push(probe);
      bodies.push({ probe: name, epoch, number, shown, segment, place });
    }
    segments.push({ start: at, end: at + length, probes });
    at += length;
  }
  if (bodies.length !== bodyCount) throw new PackError('bodies are missing from its directory');
  return { service, bytes: at, lines, bodyBytes, segments, bodies };
}

/** All bodies of a segment, from the bytes of its range. Throws PackError. */
export function readPackSegment(
  { service, segments }: Pick<Directory, 'service' | 'segments'>,
  segment: number,
  bytes: Uint8Array,
  compression: Compression,
): string[] {
  const place = segments[segment];
  if (place === undefined) throw new PackError('it has no such segment');
  if (bytes.length !== place.end - place.start) throw new PackError('it ends too early');
  return readSegment(service, bytes, place.probes, compression);
}
