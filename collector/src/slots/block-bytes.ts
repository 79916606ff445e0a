/** Whole numbers in as few bytes as they need (LEB128), and short texts: what days and months are written in. */

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  byte(value: number): void {
    if (this.#length === this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#length);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#length] = value;
    this.#length += 1;
  }

  /** From 0 to Number.MAX_SAFE_INTEGER. */
  number(value: number): void {
    let left = value;
    while (left >= 128) {
      this.byte((left % 128) + 128);
      left = Math.floor(left / 128);
    }
    this.byte(left);
  }

  /** ASCII, with its length. */
  text(value: string): void {
    this.number(value.length);
    for (let i = 0; i < value.length; i += 1) this.byte(value.charCodeAt(i));
  }

  bytes(value: Uint8Array): void {
    for (const byte of value) this.byte(byte);
  }

  /** A copy of what was written; the writer is empty again. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return taken;
  }
}

/** Throws RangeError where a block ends too early: it was written by us, so that is a bug or a damaged disk. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get isDone(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new RangeError('a block ends too early');
    this.#at += 1;
    return value;
  }

  number(): number {
    // Most are below 128.
    const first = this.byte();
    if (first < 128) return first;
    let value = first - 128;
    let scale = 128;
    for (;;) {
      const byte = this.byte();
      value += (byte % 128) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  text(): string {
    const length = this.number();
    let text = '';
    for (let i = 0; i < length; i += 1) text += String.fromCharCode(this.byte());
    return text;
  }

  /** So many bytes as they are: a view, not a copy. */
  bytes(count: number): Uint8Array {
    if (this.#at + count > this.#bytes.length) throw new RangeError('a block ends too early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  skip(count: number): void {
    this.#at += count;
  }
}
