/**
 * Records on disk, in the order in which they were appended: one a line, `CRC32 LENGTH JSON`, in numbered
 * segment files. A written record survives the process; after `sync` it survives the machine. A torn end is cut;
 * a record that does not fit its checksum is set aside in quarantine/ and reported, the others are read.
 */
import {
  closeSync,
  existsSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

/** Where a record lies. */
export interface Place {
  readonly segment: number;
  readonly offset: number;
  /** Bytes of its JSON. */
  readonly length: number;
}

/** What was wrong with the files when they were opened. */
export interface Repair {
  readonly tornBytes: number;
  readonly quarantined: number;
}

const maxQuarantineFiles = 100;
const fsyncFile = promisify(fsync);

export class Journal {
  readonly repair: Repair;
  readonly #dir: string;
  /** Bytes by segment, oldest first. */
  readonly #sizes = new Map<number, number>();
  readonly #readers = new Map<number, number>();
  #current: number;
  #fd: number;

  /** Opens or makes the journal and gives every good record to `replay`, oldest first. */
  constructor(dir: string, replay: (json: string, place: Place) => void) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    let tornBytes = 0;
    let quarantined = 0;
    const segments = segmentsIn(dir);
    for (const segment of segments) {
      const last = segment === segments.at(-1);
      const read = readSegment(readFileSync(this.#path(segment)));
      for (const bad of read.bad) {
        // Without its line end a last record was still being written when the power went.
        if (last && bad.torn) tornBytes = bad.bytes.length;
        else quarantined += 1;
        if (!last || !bad.torn) this.#quarantine(segment, bad.offset, bad.bytes);
      }
      this.#sizes.set(segment, last ? read.goodEnd : read.size);
      for (const { json, offset } of read.records) {
        replay(json, { segment, offset, length: Buffer.byteLength(json) });
      }
    }
    this.repair = { tornBytes, quarantined };
    this.#current = segments.at(-1) ?? 0;
    this.#fd = openSync(this.#path(this.#current), segments.length === 0 ? 'wx+' : 'r+', 0o600);
    const size = this.#sizes.get(this.#current) ?? 0;
    this.#sizes.set(this.#current, size);
    ftruncateSync(this.#fd, size);
    fsyncSync(this.#fd);
    syncDir(dir);
  }

  get bytes(): number {
    let sum = 0;
    for (const size of this.#sizes.values()) sum += size;
    return sum;
  }

  get current(): number {
    return this.#current;
  }

  get currentBytes(): number {
    return this.#sizes.get(this.#current) ?? 0;
  }

  /** Oldest first; the last one is appended to. */
  get segments(): readonly number[] {
    return [...this.#sizes.keys()];
  }

  /** Appends records in one write. Throws what the disk says; then nothing was appended. */
  append(jsons: readonly string[]): readonly Place[] {
    const start = this.currentBytes;
    const places: Place[] = [];
    let text = '';
    let at = start;
    for (const json of jsons) {
      const length = Buffer.byteLength(json);
      const head = `${checksum(json)} ${length} `;
      places.push({ segment: this.#current, offset: at + head.length, length });
      text += `${head}${json}\n`;
      at += head.length + length + 1;
    }
    const bytes = Buffer.from(text);
    try {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, start + done);
      }
    } catch (thrown) {
      ftruncateSync(this.#fd, start);
      throw thrown;
    }
    this.#sizes.set(this.#current, start + bytes.length);
    return places;
  }

  /** Where the next record will lie: everything before it has been appended. */
  get end(): Pick<Place, 'segment' | 'offset'> {
    return { segment: this.#current, offset: this.currentBytes };
  }

  /** Resolves when everything appended so far survives a power cut. */
  async sync(): Promise<void> {
    const segment = this.#current;
    try {
      await fsyncFile(this.#fd);
    } catch (thrown) {
      // Rotating synced the file itself before it closed it.
      if (this.#current === segment) throw thrown;
    }
  }

  /** Starts a new segment with this record in it, durably. The old one was synced before. */
  rotate(json: string): void {
    fsyncSync(this.#fd);
    const next = this.#current + 1;
    const fd = openSync(this.#path(next), 'wx+', 0o600);
    closeSync(this.#fd);
    this.#fd = fd;
    this.#current = next;
    this.#sizes.set(next, 0);
    this.append([json]);
    fsyncSync(fd);
    syncDir(this.#dir);
  }

  read(place: Place): string {
    const buffer = Buffer.alloc(place.length);
    readSync(this.#reader(place.segment), buffer, 0, place.length, place.offset);
    return buffer.toString('utf8');
  }

  /** The good records of one segment, for the rare need to look something up again. */
  recordsOf(segment: number): readonly string[] {
    return readSegment(readFileSync(this.#path(segment))).records.map((record) => record.json);
  }

  /** Deletes a segment; never the current one. */
  drop(segment: number): void {
    if (segment === this.#current) throw new Error('the current segment cannot be dropped');
    const fd = this.#readers.get(segment);
    if (fd !== undefined) closeSync(fd);
    this.#readers.delete(segment);
    this.#sizes.delete(segment);
    unlinkSync(this.#path(segment));
  }

  [Symbol.dispose](): void {
    for (const fd of this.#readers.values()) closeSync(fd);
    this.#readers.clear();
    closeSync(this.#fd);
  }

  #reader(segment: number): number {
    if (segment === this.#current) return this.#fd;
    const known = this.#readers.get(segment);
    if (known !== undefined) return known;
    const fd = openSync(this.#path(segment), 'r');
    this.#readers.set(segment, fd);
    return fd;
  }

  #path(segment: number): string {
    return join(this.#dir, `${String(segment).padStart(10, '0')}.log`);
  }

  #quarantine(segment: number, offset: number, bytes: Buffer): void {
    const dir = join(this.#dir, 'quarantine');
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const path = join(dir, `${segment}-${offset}`);
    if (!existsSync(path) && readdirSync(dir).length < maxQuarantineFiles) {
      writeFileSync(path, bytes, { mode: 0o600 });
    }
    // Blanked where it was, so that the next start does not find it again.
    const fd = openSync(this.#path(segment), 'r+');
    try {
      writeSync(fd, Buffer.alloc(bytes.length, ' '), 0, bytes.length, offset);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/** Whether this is what a disk without room, or past its quota, says: with less in it, it would take more. */
export function isFullDisk(thrown: unknown): boolean {
  return (
    thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT')
  );
}

/** Writes a small file so that a crash leaves the old text or the new one. */
export function writeDurably(path: string, text: string, dir: string): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  syncDir(dir);
}

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0');
}

interface Segment {
  readonly records: readonly { readonly json: string; readonly offset: number }[];
  readonly bad: readonly { readonly offset: number; readonly bytes: Buffer; readonly torn: boolean }[];
  readonly size: number;
  /** Where appending goes on: after the last whole line. */
  readonly goodEnd: number;
}

/** JSON holds no line feed, so after a damaged record reading goes on at the next line. */
function readSegment(bytes: Buffer): Segment {
  const records: { json: string; offset: number }[] = [];
  const bad: { offset: number; bytes: Buffer; torn: boolean }[] = [];
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(10, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    const text = line.toString('utf8');
    if (end >= 0 && text.trim() === '') {
      start += line.length + 1;
      continue;
    }
    const [sum = '', length = ''] = text.slice(0, 24).split(' ', 2);
    const head = sum.length + length.length + 2;
    const json = text.slice(head);
    const good = end >= 0 && sum === checksum(json) && length === String(Buffer.byteLength(json));
    if (good) records.push({ json, offset: start + head });
    else bad.push({ offset: start, bytes: Buffer.from(line), torn: end < 0 });
    start += line.length + 1;
  }
  const torn = bad.at(-1)?.torn === true ? bad.at(-1) : undefined;
  return { records, bad, size: bytes.length, goodEnd: torn ? torn.offset : bytes.length };
}

function segmentsIn(dir: string): number[] {
  return readdirSync(dir)
    .flatMap((name) => (/^\d{10}\.log$/.test(name) ? [Number(name.slice(0, 10))] : []))
    .sort((a, b) => a - b);
}

function syncDir(dir: string): void {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
