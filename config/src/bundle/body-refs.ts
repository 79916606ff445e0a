/**
 * What batches commit to, by day and service, in the order of the log, in few bytes each: a month of a large house has 5.4
 * million.
 */
const REFS = 512;
const HASH = 32;

interface Chunk {
  readonly batches: Uint32Array;
  readonly bytes: Float64Array;
  readonly lines: Uint32Array;
  readonly hashes: Uint8Array;
}

/** Of one day and service. */
export class BodyList {
  readonly #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `hashes` holds the hash from `at` on. */
  add(batch: number, bytes: number, lines: number, hashes: Uint8Array, at: number): void {
    const place = this.#length % REFS;
    if (place === 0) {
      this.#chunks.push({
        batches: new Uint32Array(REFS),
        bytes: new Float64Array(REFS),
        lines: new Uint32Array(REFS),
        hashes: new Uint8Array(REFS * HASH),
      });
    }
    const chunk = this.#chunkOf(this.#length);
    chunk.batches[place] = batch;
    chunk.bytes[place] = bytes;
    // A body of more lines than that has more bytes than any file may have.
    chunk.lines[place] = Math.min(lines, 0xffffffff);
    for (let i = 0; i < HASH; i += 1) chunk.hashes[place * HASH + i] = hashes[at + i] ?? 0;
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
    const { hashes } = this.#chunkOf(i);
    const at = (i % REFS) * HASH;
    for (let k = 0; k < HASH; k += 1) if (hashes[at + k] !== hash[k]) return false;
    return hash.length === HASH;
  }

  #chunkOf(i: number): Chunk {
    const chunk = this.#chunks[Math.floor(i / REFS)];
    if (chunk === undefined) throw new RangeError('there are not so many bodies');
    return chunk;
  }
}

export class BodyRefs {
  readonly #days = new Map<number, Map<number, BodyList>>();

  /** `service` is a number that stands for it. */
  list(day: number, service: number): BodyList {
    let services = this.#days.get(day);
    if (services === undefined) this.#days.set(day, (services = new Map<number, BodyList>()));
    let list = services.get(service);
    if (list === undefined) services.set(service, (list = new BodyList()));
    return list;
  }

  of(day: number): ReadonlyMap<number, BodyList> {
    return this.#days.get(day) ?? new Map<number, BodyList>();
  }

  letGo(day: number): void {
    this.#days.delete(day);
  }
}
