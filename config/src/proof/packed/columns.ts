/**
 * Columns by their place, each compressed by itself: what is alike lies together, and shares no code table with what is
 * not. A column is `LENGTH STORED BYTES`; STORED 0 says that the bytes are not compressed.
 */
import { ByteReader, ByteWriter, PackError } from './wire.ts';

/** Handed in: Node has zstd built in, a browser brings its own. */
export interface Compression {
  /** The same bytes give the same bytes. */
  readonly compress: (bytes: Uint8Array) => Uint8Array;
  /** Gives at most `length` bytes, or throws. */
  readonly decompress: (bytes: Uint8Array, length: number) => Uint8Array;
}

/** Of one column when it is not compressed, bytes. */
export const MAX_COLUMN_BYTES = 16_777_216;
/** Columns of a segment: some for each key of its lines. */
export const MAX_COLUMNS = 4_096;
/** All columns of a segment together, bytes. */
const MAX_SEGMENT_BYTES = 67_108_864;
/** A zstd frame has a dozen bytes of its own. */
const WORTH_BYTES = 24;

function put(out: ByteWriter, bytes: Uint8Array, { compress }: Compression): void {
  if (bytes.length > MAX_COLUMN_BYTES) throw new PackError('a column is too large');
  const packed = bytes.length < WORTH_BYTES ? bytes : compress(bytes);
  out.number(bytes.length);
  out.number(packed.length < bytes.length ? packed.length : 0);
  out.bytes(packed.length < bytes.length ? packed : bytes);
}

function take(from: ByteReader, { decompress }: Compression): Uint8Array {
  const length = from.number(MAX_COLUMN_BYTES);
  const stored = from.number(MAX_COLUMN_BYTES);
  if (stored === 0) return from.bytes(length);
  const packed = from.bytes(stored);
  let bytes: Uint8Array;
  try {
    bytes = decompress(packed, length);
  } catch {
    throw new PackError('a column cannot be decompressed');
  }
  if (bytes.length !== length) throw new PackError('a column has another length than it says');
  return bytes;
}

export class ColumnsWriter {
  readonly #columns: ByteWriter[] = [];

  at(place: number): ByteWriter {
    while (this.#columns.length <= place) this.#columns.push(new ByteWriter());
    return this.#columns[place] as ByteWriter;
  }

  done(compression: Compression): Uint8Array {
    const out = new ByteWriter();
    out.number(this.#columns.length);
    for (const column of this.#columns) put(out, column.done(), compression);
    return out.done();
  }
}

export class ColumnsReader {
  readonly #columns: ByteReader[] = [];

  /** Throws PackError. */
  constructor(bytes: Uint8Array, compression: Compression) {
    const from = new ByteReader(bytes);
    const count = from.number(MAX_COLUMNS);
    let whole = 0;
    for (let i = 0; i < count; i += 1) {
      const column = take(from, compression);
      whole += column.length;
      if (whole > MAX_SEGMENT_BYTES) throw new PackError('a segment is too large');
      this.#columns.push(new ByteReader(column));
    }
    if (from.left > 0) throw new PackError('something follows its end');
  }

  /** One that was never written to is empty. */
  at(place: number): ByteReader {
    return this.#columns[place] ?? new ByteReader(new Uint8Array());
  }
}
