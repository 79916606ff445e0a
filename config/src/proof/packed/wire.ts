/** Bytes of a pack: numbers as LEB128, grown as they are written, bounded as they are read. */

/** What is wrong with a pack. Nothing else is thrown by what reads one. */
export class PackError extends Error {
  override name = 'PackError';
}

/** Largest number that a pack holds apart from texts: differences of two still are exact. */
export const MAX_NUMBER = 2 ** 50;

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** A whole number of 0 to 2 ** 52. */
  number(value: number): void {
    this.#room(8);
    let left = value;
    while (left >= 128) {
      this.#bytes[this.#length] = (left % 128) | 128;
      this.#length += 1;
      left = left < 2 ** 31 ? left >>> 7 : Math.floor(left / 128);
    }
    this.#bytes[this.#length] = left;
    this.#length += 1;
  }

  /** A whole number of either sign. */
  signed(value: number): void {
    this.number(zigzag(value));
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new PackError('it ends too early');
    this.#at += 1;
    return value;
  }

  /** At most `max`. Throws PackError. */
  number(max: number = 2 * MAX_NUMBER + 1): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) break;
      if (scale >= 2 ** 49) throw new PackError('a number is too long');
    }
    if (value > max) throw new PackError('a number is too large');
    return value;
  }

  signed(): number {
    return unzigzag(this.number());
  }

  /** A view, no copy. */
  bytes(length: number): Uint8Array {
    if (length > this.left) throw new PackError('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
