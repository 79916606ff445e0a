/** The texts of a segment, each once, by number. */
import { decodeUtf8, utf8 } from '../bytes.ts';
import { type ByteReader, type ByteWriter, PackError } from './wire.ts';

/** Of one segment. */
export const MAX_TEXTS = 1_048_576;
/** One text, bytes: a body that is stored as it is may be one. */
const MAX_TEXT_BYTES = 8_388_608;

export function putText(out: ByteWriter, text: string): void {
  const bytes = utf8(text);
  if (bytes.length > MAX_TEXT_BYTES) throw new PackError('a text is too long');
  out.number(bytes.length);
  out.bytes(bytes);
}

export function takeText(from: ByteReader): string {
  const text = decodeUtf8(from.bytes(from.number(MAX_TEXT_BYTES)));
  if (text === undefined) throw new PackError('a text is not UTF-8');
  return text;
}

export class Texts {
  readonly #out: ByteWriter;
  readonly #numbers = new Map<string, number>();
  constructor(out: ByteWriter) {
    this.#out = out;
  }

  get size(): number {
    return this.#numbers.size;
  }

  of(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(text, number);
    putText(this.#out, text);
    return number;
  }
}
