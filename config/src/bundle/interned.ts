/** Short texts that come again and again as bytes: each is decoded once. */

const FNV_START = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

export class Interned {
  readonly #texts: string[] = [];
  readonly #bytes: Uint8Array[] = [];
  /** Places of texts by their hash. */
  readonly #places = new Map<number, number[]>();

  /** The number of a text of ASCII, from 0 on in the order in which they came. */
  of(bytes: Uint8Array, from: number, end: number): number {
    let hash = FNV_START;
    for (let i = from; i < end; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), FNV_PRIME);
    const places = this.#places.get(hash);
    for (const place of places ?? []) if (this.isAt(place, bytes, from, end)) return place;
    const own = bytes.slice(from, end);
    const place = this.#bytes.push(own) - 1;
    this.#texts.push(String.fromCharCode(...own));
    if (places) places.push(place);
    else this.#places.set(hash, [place]);
    return place;
  }

  textOf(bytes: Uint8Array, from: number, end: number): string {
    return this.text(this.of(bytes, from, end));
  }

  text(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** Whether it is the text with this number. */
  isAt(place: number, bytes: Uint8Array, from: number, end: number): boolean {
    const own = this.#bytes[place];
    if (own?.length !== end - from) return false;
    for (let i = 0; i < own.length; i += 1) if (own[i] !== bytes[from + i]) return false;
    return true;
  }
}
