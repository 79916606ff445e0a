/**
 * What batches commit to, by day and service, in the order of the log, in few bytes each: a month of a large house has 5.4
 * million.
 */
const REFS = 512;
const HASH = 32;
const WORDS = HASH / 4;
const MAX_UINT32 = 0xffffffff;

interface Chunk {
  readonly batches: Uint32Array;
  readonly bytes: Uint32Array;
  readonly lines: Uint32Array;
  readonly words: Uint32Array;
}

function newChunk(size: number): Chunk {
  return {
    batches: new Uint32Array(size),
    bytes: new Uint32Array(size),
    lines: new Uint32Array(size),
    words: new Uint32Array(size * WORDS),
  };
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
      this.#chunks.push(newChunk(REFS));
    }
    const chunk = this.#chunkOf(this.#length);
    chunk.batches[place] = batch;
    chunk.bytes[place] = bytes;
    chunk.lines[place] = lines;
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

/** What a batch commits to, in columns: BatchBytes has it so. */
export interface Refs {
  /** How many there are. */
  readonly bodies: number;
  readonly service: Uint32Array;
  readonly bytes: Float64Array;
  readonly lines: Float64Array;
  readonly hashWords: Uint32Array;
}

/** Of one day, of all services, as they came; the number that stands for its service beside each. */
interface Block extends Chunk {
  readonly services: Uint32Array;
  length: number;
}

/** As they come they are put down whole; by service they are told apart when a day is read, and of services that are needed alone. */
const BLOCK = 8_192;

export class BodyRefs {
  readonly #days = new Map<number, Block[]>();

  add(day: number, batch: number, { bodies, service, bytes, lines, hashWords }: Refs): void {
    if (bodies === 0) return;
    const block = this.#blockFor(day, bodies);
    const at = block.length;
    block.batches.fill(batch, at, at + bodies);
    block.services.set(service.subarray(0, bodies), at);
    block.words.set(hashWords.subarray(0, bodies * WORDS), at * WORDS);
    for (let i = 0; i < bodies; i += 1) {
      // A body of more than that is more than any file may have.
      block.bytes[at + i] = Math.min(bytes[i] ?? 0, MAX_UINT32);
      block.lines[at + i] = Math.min(lines[i] ?? 0, MAX_UINT32);
    }
    block.length += bodies;
  }

  /** Of the services that `isNeeded` says so of, by their numbers. */
  lists(day: number, isNeeded: (service: number) => boolean): ReadonlyMap<number, BodyList> {
    const lists = new Map<number, BodyList>();
    this.#each(day, isNeeded, (service, { batches, bytes, lines, words }, i) => {
      let list = lists.get(service);
      if (list === undefined) lists.set(service, (list = new BodyList()));
      list.add(batches[i] ?? 0, bytes[i] ?? 0, lines[i] ?? 0, words, i * WORDS);
    });
    return lists;
  }

  /** How many bytes theirs are. */
  bytes(day: number, isNeeded: (service: number) => boolean): number {
    let sum = 0;
    this.#each(day, isNeeded, (_, { bytes }, i) => {
      sum += bytes[i] ?? 0;
    });
    return sum;
  }

  letGo(day: number): void {
    this.#days.delete(day);
  }

  #each(
    day: number,
    isNeeded: (service: number) => boolean,
    take: (service: number, block: Block, i: number) => void,
  ): void {
    // 1: no, 2: yes; a service is asked about once.
    const known: number[] = [];
    for (const block of this.#days.get(day) ?? []) {
      for (let i = 0; i < block.length; i += 1) {
        const service = block.services[i] ?? 0;
        const is = (known[service] ??= isNeeded(service) ? 2 : 1);
        if (is === 2) take(service, block, i);
      }
    }
  }

  #blockFor(day: number, bodies: number): Block {
    let blocks = this.#days.get(day);
    if (blocks === undefined) this.#days.set(day, (blocks = []));
    const last = blocks.at(-1);
    if (last !== undefined && last.length + bodies <= last.services.length) return last;
    const size = Math.max(BLOCK, bodies);
    const block: Block = { ...newChunk(size), services: new Uint32Array(size), length: 0 };
    blocks.push(block);
    return block;
  }
}
