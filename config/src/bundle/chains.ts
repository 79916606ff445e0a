/**
 * Which batches are believed (CONTRACTS "Batch"). Each names the leaf hash of the one before, so the signature of the newest of an
 * unbroken chain speaks for all of it; it alone is verified, and so is every batch that nobody names. Two texts under one number
 * void their epoch from there on.
 */
import { utf8, decodeUtf8, encodeHex } from '../proof/bytes.ts';
import { leafHash } from '../proof/leaf-hash.ts';
import { type VerifierKey, formatNote } from '../proof/note.ts';
import type { Checker } from './checker.ts';
import type { BatchBytes } from './batch-bytes.ts';
import type { Signatures } from './signatures.ts';

/** A probe's key that some leaf enrolled. */
export interface ProbeKey {
  readonly vkey: string;
  readonly key: VerifierKey;
}

/** Chains whose newest batch is held unverified; of more all are verified, and begun anew. */
const MAX_TIPS = 256;
/** Of each batch: leaf hash, prev, signature. */
const RECORD = 128;
const RECORDS = 4_096;

interface Tip {
  readonly number: number;
  readonly batch: number;
  verify(): void;
}

interface Epoch {
  readonly key: ProbeKey;
  /** The first batch under each number. */
  readonly byNumber: Map<number, number>;
  /** SHA-256 of further texts under a number. */
  readonly others: Map<number, Set<string>>;
  voidFrom: number;
  tip: Tip | undefined;
}

export class Chains {
  readonly #checker: Checker;
  readonly #signatures: Signatures;
  readonly #onBad: (batch: number) => void;
  readonly #records: Uint8Array[] = [];
  readonly #keys = new Map<string, Map<number, Epoch>>();
  readonly #tips = new Set<Epoch>();
  #count = 0;

  /** @param onBad told of a batch, by its number from 0 on, whose signature is not good */
  constructor(checker: Checker, signatures: Signatures, onBad: (batch: number) => void) {
    this.#checker = checker;
    this.#signatures = signatures;
    this.#onBad = onBad;
  }

  /** Takes the next batch; false when the same text is there already, which is then not counted. */
  take(key: ProbeKey, read: BatchBytes, note: Uint8Array, leaf: Uint8Array): boolean {
    const epoch = this.#epochOf(key, read.epoch);
    const before = epoch.byNumber.get(read.number);
    if (before !== undefined && !this.#isOther(epoch, before, read, note, leaf)) return false;
    const batch = this.#keep(read, leaf);
    if (before === undefined) epoch.byNumber.set(read.number, batch);
    else epoch.voidFrom = Math.min(epoch.voidFrom, read.number);
    this.#follow(epoch, batch, read, note);
    return true;
  }

  /** The newest of each chain is verified too. */
  finish(): void {
    for (const epoch of this.#tips) {
      epoch.tip?.verify();
      epoch.tip = undefined;
    }
    this.#tips.clear();
  }

  /** From which number on an epoch counts for nothing. */
  voidFrom(key: string, epoch: number): number {
    return this.#keys.get(key)?.get(epoch)?.voidFrom ?? Infinity;
  }

  /** Of each epoch the lowest number from batch `from` on, as far as it counts and is not 0; and which numbers are here. */
  *firsts(from: number): Generator<{ readonly batch: number; has(number: number): boolean }, void> {
    for (const epochs of this.#keys.values()) {
      for (const { byNumber, voidFrom } of epochs.values()) {
        let first: readonly [number: number, batch: number] | undefined;
        for (const of of byNumber) if (of[1] >= from && of[0] < (first?.[0] ?? Infinity)) first = of;
        if (first === undefined || first[0] === 0 || first[0] >= voidFrom) continue;
        yield { batch: first[1], has: (number) => byNumber.has(number) };
      }
    }
  }

  /**
   * Batches that do not name the one before them, which is here, though their epoch does not contradict itself. Both have good signatures,
   * or are told with `onBad`: their probe contradicts itself.
   */
  *broken(): Generator<number, void> {
    for (const epochs of this.#keys.values()) {
      for (const epoch of epochs.values()) {
        if (epoch.voidFrom < Infinity) continue;
        for (const [number, batch] of epoch.byNumber) {
          const before = epoch.byNumber.get(number - 1);
          const isFit =
            number === 0
              ? this.#prevOf(batch).every((byte) => byte === 0)
              : before === undefined || this.#isPrev(batch, before);
          if (!isFit) yield batch;
        }
      }
    }
  }

  #epochOf(key: ProbeKey, number: number): Epoch {
    let epochs = this.#keys.get(key.vkey);
    if (epochs === undefined) this.#keys.set(key.vkey, (epochs = new Map<number, Epoch>()));
    let epoch = epochs.get(number);
    if (epoch === undefined) {
      epoch = { key, byNumber: new Map(), others: new Map(), voidFrom: Infinity, tip: undefined };
      epochs.set(number, epoch);
    }
    return epoch;
  }

  #keep(read: BatchBytes, leaf: Uint8Array): number {
    const batch = this.#count;
    this.#count += 1;
    if (batch % RECORDS === 0) this.#records.push(new Uint8Array(RECORD * RECORDS));
    const record = this.#recordOf(batch);
    record.set(leaf);
    record.set(read.prev, 32);
    record.set(read.signature, 64);
    return batch;
  }

  #recordOf(batch: number): Uint8Array {
    const at = (batch % RECORDS) * RECORD;
    return this.#records[Math.floor(batch / RECORDS)]?.subarray(at, at + RECORD) ?? new Uint8Array(RECORD);
  }

  #prevOf(batch: number): Uint8Array {
    return this.#recordOf(batch).subarray(32, 64);
  }

  #isPrev(batch: number, before: number): boolean {
    const prev = this.#prevOf(batch);
    const leaf = this.#recordOf(before);
    for (let i = 0; i < 32; i += 1) if (prev[i] !== leaf[i]) return false;
    return true;
  }

  /**
   * Whether the text is another one than the batch's under the same number. That one's text is gone, but not its leaf hash
   * and its signature: with the signature under this text the same leaf comes out when the texts are the same.
   */
  #isOther(epoch: Epoch, before: number, read: BatchBytes, note: Uint8Array, leaf: Uint8Array): boolean {
    const { hash } = this.#checker;
    const record = this.#recordOf(before);
    const first = record.subarray(0, 32);
    if (first.every((byte, i) => byte === leaf[i])) return false;
    const bytes = note.subarray(0, read.textEnd);
    const text = decodeUtf8(bytes) ?? '';
    const { name, keyId } = epoch.key.key;
    const signed = formatNote({ text, signatures: [{ name, keyId, bytes: record.subarray(64) }] });
    const rebuilt = leafHash(utf8(signed), hash);
    if (first.every((byte, i) => byte === rebuilt[i])) return false;
    const id = encodeHex(hash(bytes));
    const others = epoch.others.get(read.number) ?? new Set<string>();
    epoch.others.set(read.number, others);
    if (others.has(id)) return false;
    others.add(id);
    return true;
  }

  #follow(epoch: Epoch, batch: number, read: BatchBytes, note: Uint8Array): void {
    const { tip } = epoch;
    const isNamed = tip !== undefined && tip.number + 1 === read.number && this.#isPrev(batch, tip.batch);
    if (tip !== undefined && !isNamed) tip.verify();
    if (tip === undefined && this.#tips.size >= MAX_TIPS) this.finish();
    const message = note.subarray(0, read.textEnd);
    const verify = (): void => {
      const signature = this.#recordOf(batch).subarray(64);
      this.#signatures.ask(epoch.key.key, message, signature, () => {
        this.#onBad(batch);
      });
    };
    epoch.tip = { number: read.number, batch, verify };
    this.#tips.add(epoch);
  }
}
