/** The entries of a log as they come: into the tree, and each to where it belongs. */
import { decodeUtf8, encodeBase64, utf8 } from '../proof/bytes.ts';
import { parseBatchText } from '../proof/batch.ts';
import type { CountBatch } from '../proof/count/count.ts';
import { type VerifierKey, parseNote } from '../proof/note.ts';
import { TILE_WIDTH, decodeBundle } from '../proof/tiles.ts';
import { dayOfMinute } from '../time.ts';
import { BatchBytes } from './batch-bytes.ts';
import { BodyRefs } from './body-refs.ts';
import type { Progress } from './check.ts';
import { Chains } from './chains.ts';
import { names, orderOf } from './files.ts';
import { type LeafPlace, OperatorLeaves } from './leaves-read.ts';
import type { Range, RangeTree } from './range.ts';
import type { Reading } from './reading.ts';
import { Tips } from './tips.ts';
import type { GrowingTree } from './tree.ts';

/** 256 entries, each of up to 65,535 bytes behind two. */
const MAX_TILE_BYTES = TILE_WIDTH * 65_537;
const BATCH = utf8('highwater/batch/v1\n');

/** Where an entry was read. */
export interface EntryPlace {
  readonly year: number;
  readonly index: number;
  readonly file: string;
  /** An entry of the bundle's part of a log, and not one of the earlier leaves. */
  readonly isInPart: boolean;
}

export class Entries {
  readonly leaves: OperatorLeaves;
  readonly chains: Chains;
  /** Each once, in the order of the logs. */
  readonly batches: CountBatch[] = [];
  readonly bodies = new BodyRefs();
  readonly tips = new Tips();
  readonly #reading: Reading;
  readonly #range: Range;
  readonly #operator: VerifierKey;
  readonly #days: { readonly first: number; readonly last: number };
  readonly #read: BatchBytes;

  constructor(
    reading: Reading,
    range: Range,
    operator: VerifierKey,
    days: { readonly first: number; readonly last: number },
  ) {
    this.#reading = reading;
    this.#range = range;
    this.#operator = operator;
    this.#days = days;
    this.#read = new BatchBytes(range.origin);
    this.leaves = new OperatorLeaves(range.origin, reading.checker.hash, reading.problems);
    this.chains = new Chains(reading.checker, reading.signatures, (batch) => {
      this.sayOfBatch(batch, 'its signature does not fit its text');
    });
  }

  /** What `service` of BodyRefs stands for. */
  service(number: number): string {
    return this.#read.services.text(number);
  }

  take(entry: Uint8Array, leaf: Uint8Array, place: EntryPlace): void {
    this.#reading.amount.entries += 1;
    if (this.#read.read(entry)) this.#takeBatch(entry, leaf, place);
    else this.#takeSlowly(entry, leaf, place);
  }

  /** A mismatch of the batch that has this number in `batches`. */
  sayOfBatch(batch: number, says: string): void {
    const { index = 0, probe = '' } = this.batches[batch] ?? {};
    const { file, name } = placeOf(this.#range, index);
    this.#reading.problems.mismatch(file, `${name}, a batch of ${probe}: ${says}`);
  }

  /** Once all are read: what shows of the batches together. */
  async finish(): Promise<void> {
    this.chains.finish();
    await this.#reading.signatures.settle();
    for (const batch of this.chains.broken()) {
      const { index = 0, probe = '' } = this.batches[batch] ?? {};
      const { file, name } = placeOf(this.#range, index);
      const says = `${name}: it does not name the batch before it, which is here; both are signed by ${probe}, which contradicts itself`;
      this.#reading.problems.remark(file, says);
    }
  }

  #takeBatch(entry: Uint8Array, leaf: Uint8Array, place: EntryPlace): void {
    const read = this.#read;
    const key = this.leaves.keyOf(read.signer, read.keyId);
    if (key === undefined) {
      this.#say(
        place,
        `it is signed by ${read.signer}+${read.keyId}, a key that no entry before it enrolled`,
      );
      return;
    }
    if (!this.chains.take(key, read, entry, leaf)) return;
    this.#reading.amount.batches += 1;
    const { probe, epoch, number, config, gaps, first, last, boundMs, ageS } = read;
    const batch = this.batches.length;
    let lines = 0;
    for (let i = 0; i < read.bodies; i += 1) lines += read.lines[i] ?? 0;
    this.batches.push({
      index: orderOf(place.year, place.index),
      key: key.vkey,
      probe,
      epoch,
      number,
      minutes: { first, last },
      config,
      clock: { boundMs, ageS },
      gaps,
      lines,
    });
    if (place.isInPart) this.tips.take(key.vkey, read, batch, place);
    const day = dayOfMinute(first);
    if (!place.isInPart || day < this.#days.first || day > this.#days.last) return;
    this.bodies.add(day, batch, read);
  }

  #takeSlowly(entry: Uint8Array, leaf: Uint8Array, place: EntryPlace): void {
    const whole = decodeUtf8(entry);
    const note = whole === undefined ? { error: 'it is not UTF-8' } : parseNote(whole);
    if ('error' in note) {
      this.#say(place, note.error);
      return;
    }
    const [signature, ...more] = note.signatures;
    if (signature === undefined || more.length > 0) {
      this.#say(place, 'it does not have exactly one signature');
      return;
    }
    const { name, keyId, bytes } = signature;
    if (BATCH.every((byte, i) => byte === entry[i])) {
      const batch = parseBatchText(note.text);
      if ('error' in batch) this.#say(place, batch.error);
      else if (batch.origin !== this.#range.origin) this.#say(place, `it is of another log, ${batch.origin}`);
      else if (this.#read.fill(batch, utf8(note.text).length, name, keyId, bytes))
        this.#takeBatch(entry, leaf, place);
      else this.#say(place, 'its signature is none');
      return;
    }
    if (name !== this.#operator.name || keyId !== this.#operator.keyId) {
      this.#say(place, `it is signed by ${name}+${keyId}, which is not the operator's key`);
      return;
    }
    this.#reading.signatures.ask(this.#operator, utf8(note.text), bytes, () => {
      this.#say(place, "the operator's signature does not fit its text");
    });
    this.leaves.take(note.text, leafPlace(place, leaf));
  }

  #say(place: EntryPlace, says: string): void {
    this.#reading.problems.mismatch(place.file, `${nameOf(place)}: ${says}`);
  }
}

function nameOf({ year, index }: { readonly year: number; readonly index: number }): string {
  return `entry ${index} of ${year}`;
}

/** Where an entry lies, by its place in the order of all logs. */
export function placeOf(range: Range, order: number): EntryPlace & { readonly name: string } {
  const year = Math.floor(order / orderOf(1, 0));
  const index = order - orderOf(year, 0);
  const tree = range.trees.find((each) => each.year === year);
  const isInPart = tree !== undefined && index >= tree.start;
  const file = isInPart ? names.entries(year, Math.floor(index / TILE_WIDTH)) : names.leaf(year, index);
  return { year, index, file, isInPart, name: nameOf({ year, index }) };
}

function leafPlace(place: EntryPlace, leaf: Uint8Array): LeafPlace {
  const { year, index, file, isInPart } = place;
  return { index: orderOf(year, index), file, name: nameOf(place), hash: encodeBase64(leaf), isInPart };
}

/**
 * Reads the entries of a log's part into its tree, and gives those from `start` on to `take`.
 * @param carried whether entry 0 was no leaf, but the last checkpoint of the log before
 */
export async function readEntries(
  reading: Reading,
  { year, start, size }: RangeTree,
  tree: GrowingTree,
  take: (entry: Uint8Array, leaf: Uint8Array, place: EntryPlace) => void,
  carried: (entry: Uint8Array, place: EntryPlace) => Promise<boolean>,
  progress: (entries: number, bytes: number) => Progress,
): Promise<void> {
  const { problems, checker, signatures } = reading;
  for (let from = tree.size; from < size; from += TILE_WIDTH) {
    const file = names.entries(year, Math.floor(from / TILE_WIDTH));
    // A copy: in it the byte before each entry becomes that of its leaf hash.
    const bytes = new Uint8Array(await reading.need(file, MAX_TILE_BYTES));
    const entries = decodeBundle(bytes);
    if ('error' in entries) return problems.fatal('mismatch', file, entries.error);
    const wanted = Math.min(TILE_WIDTH, size - from);
    if (entries.length !== wanted)
      return problems.fatal('mismatch', file, `it has ${entries.length} entries, not ${wanted}`);
    const leaves = await checker.hashAll(entries.map((entry) => behindZero(bytes, entry)));
    for (const [i, entry] of entries.entries()) {
      const leaf = leaves[i] ?? new Uint8Array(32);
      const index = from + i;
      tree.add(leaf);
      if (index < start) continue;
      const place = { year, index, file, isInPart: true };
      if (index > 0 || !(await carried(entry, place))) take(entry, leaf, place);
    }
    if (signatures.isFull) await signatures.settle();
    const done = progress(entries.length, bytes.length);
    await reading.turn(() => done);
  }
}

/** What a leaf hash is of: a byte 0, then the entry. It takes the place of its length's second byte. */
function behindZero(bundle: Uint8Array, entry: Uint8Array): Uint8Array {
  const from = entry.byteOffset - bundle.byteOffset - 1;
  bundle[from] = 0;
  return bundle.subarray(from, from + 1 + entry.length);
}
