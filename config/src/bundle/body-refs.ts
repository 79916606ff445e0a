/**
 * What batches commit to, by day and service, in the order of the log, in few bytes each: a month of a large house has 5.4
 * million.
 */
const REFS = 512;
const HASH = 32;
const WORDS = HASH / 4;

interface Chunk {
  readonly batches: Uint32Array;
  readonly bytes: Uint32Array;
  readonly lines: Uint32Array;
  readonly words: Uint32Array;
}

/** Of one day and service. */
export class BodyList {
  readonly #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `hashes` holds the hash from its word `at` on: eight of them, in the machine's own order. */
  add(batch: number, bytes: number, lines: number, hashes: Uint32Array, at: number): void {
    const place = this.#length % REFS;
    if (place === 0) {
      this.#chunks.push({
        batches: new Uint32Array(REFS),
        bytes: new Uint32Array(REFS),
        lines: new Uint32Array(REFS),
        words: new Uint32Array(REFS * WORDS),
      });
    }
    const chunk = this.#chunkOf(this.#length);
    chunk.batches[place] = batch;
    // A body of more than that is more than any file may have.
    chunk.bytes[place] = Math.min(bytes, 0xffffffff);
    chunk.lines[place] = Math.min(lines, 0xffffffff);
    const { words } = chunk;
    for (let i = 0, to = place * WORDS; i < WORDS; i += 1) words[to + i] = hashes[at + i] ?? 0;
    this.#length += 1;
  }

  /** Number of the batch. */
  batch(i: number): number {
    return this.#chunkOf(i).batches[i % REFS] ?? 0;
  }

  bytes(i: number): number {
    return this.#chunkOf(i).bytes[i % REFS] ?? 0;
  }

  lines(i: number): number {
    return this.#chunkOf(i).lines[i % REFS] ?? 0;
  }

  isHash(i: number, hash: Uint8Array): boolean {
    const own = new Uint8Array(this.#chunkOf(i).words.buffer, (i % REFS) * HASH, HASH);
    for (let k = 0; k < HASH; k += 1) if (own[k] !== hash[k]) return false;
    return hash.length === HASH;
  }

  #chunkOf(i: number): Chunk {
    const chunk = this.#chunks[Math.floor(i / REFS)];
    if (chunk === undefined) throw new RangeError('there are not so many bodies');
    return chunk;
  }
}

/** By the number that stands for a service; with holes. */
export type DayLists = (BodyList | undefined)[];

export class BodyRefs {
  readonly #days = new Map<number, DayLists>();

  /** Those of a day, to be added to. */
  day(day: number): DayLists {
    let lists = this.#days.get(day);
    if (lists === undefined) this.#days.set(day, (lists = []));
    return lists;
  }

  *of(day: number): Generator<readonly [service: number, list: BodyList], void> {
    for (const [service, list] of (this.#days.get(day) ?? []).entries()) if (list) yield [service, list];
  }

  letGo(day: number): void {
    this.#days.delete(day);
  }
}
