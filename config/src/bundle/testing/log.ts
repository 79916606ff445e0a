/** Logs for tests of bundles: probes that sign, and entries that stand where they were appended. All is held in memory. */
import { hash as hashOnce } from 'node:crypto';
import { type SigningKey, sha256 } from '../../keys.ts';
import { type Batch, type BodyRef, formatBatchText } from '../../proof/batch.ts';
import { type Salts, bodyHash, noSalts } from '../../proof/body-hash.ts';
import { encodeBase64, utf8 } from '../../proof/bytes.ts';
import { emptyRoot, leafHashOfNote, ZERO_HASH } from '../../proof/leaf-hash.ts';
import type { Evidence, LoggedLeaf } from '../../proof/rule/evidence.ts';
import { orderOf } from '../files.ts';

/** A batch that a probe has made: whether and when it reaches the log is another matter. */
export interface MadeBatch {
  readonly note: string;
  /** Leaf hash, base64. */
  readonly hash: string;
  readonly key: string;
  readonly batch: Batch;
  /** By service: whole lines, sorted. */
  readonly bodies: ReadonlyMap<string, Uint8Array>;
}

export interface Minute {
  readonly minutes: Batch['minutes'];
  /** By service, sorted, none empty. */
  readonly bodies: ReadonlyMap<string, string>;
  /** Leaf hash of the configuration that it ran. */
  readonly config: string;
  readonly clockBoundMs?: number;
  readonly gaps?: Batch['gaps'];
}

const NO_TIP = { size: 0, root: encodeBase64(emptyRoot(sha256)) };

/** Numbers and chains what a probe signs under one key. */
export class TestProbe {
  readonly key: SigningKey;
  readonly #origin: string;
  readonly #salts: Salts;
  #epoch = 1;
  #next = { number: 0, prev: ZERO_HASH };
  #last = this.#next;

  constructor(key: SigningKey, origin: string, salts: Salts = noSalts) {
    this.key = key;
    this.#origin = origin;
    this.#salts = salts;
  }

  get number(): number {
    return this.#next.number;
  }

  /** As after the loss of its record. */
  newEpoch(): void {
    this.#epoch += 1;
    this.#next = { number: 0, prev: ZERO_HASH };
  }

  make(minute: Minute): MadeBatch {
    this.#last = this.#next;
    const made = this.#sign(minute, this.#last);
    this.#next = { number: this.#last.number + 1, prev: made.hash };
    return made;
  }

  /** Another text under the number of the batch before. */
  makeAgain(minute: Minute): MadeBatch {
    return this.#sign(minute, this.#last);
  }

  #sign(minute: Minute, place: { readonly number: number; readonly prev: string }): MadeBatch {
    const { minutes, config, clockBoundMs = 5, gaps = [] } = minute;
    const bodies = new Map([...minute.bodies].map(([service, body]) => [service, utf8(body)]));
    const batch: Batch = {
      origin: this.#origin,
      probe: this.key.name,
      epoch: this.#epoch,
      ...place,
      minutes,
      config,
      clock: { boundMs: clockBoundMs, ageS: 0 },
      tip: NO_TIP,
      gaps,
      bodies: [...bodies].map(([service, body]) => this.#ref(service, body)),
    };
    const note = this.key.sign(formatBatchText(batch));
    return { note, hash: leafHashOfNote(note, sha256), key: this.key.vkey, batch, bodies };
  }

  #ref(service: string, body: Uint8Array): BodyRef {
    let lines = 0;
    for (let at = body.indexOf(10); at >= 0; at = body.indexOf(10, at + 1)) lines += 1;
    const salt = this.#salts.get(service);
    const hash = salt === undefined ? hashOnce('sha256', body, 'base64') : bodyHash(body, salt, sha256);
    return { service, lines, bytes: body.length, hash };
  }
}

/** One year's log and what its batches commit to. */
export class TestLog {
  readonly year: number;
  /** `ORIGIN/YEAR` */
  readonly key: SigningKey;
  readonly entries: Uint8Array[] = [];
  readonly #leaves: LoggedLeaf[] = [];
  /** By index. */
  readonly #bodies = new Map<number, ReadonlyMap<string, Uint8Array>>();

  constructor(year: number, key: SigningKey) {
    this.year = year;
    this.key = key;
  }

  /** A note by a key; gives back its leaf hash. */
  append(note: string, key: string): string {
    const index = this.entries.length;
    const hash = leafHashOfNote(note, sha256);
    this.entries.push(utf8(note));
    const text = note.slice(0, note.lastIndexOf('\n\n') + 1);
    this.#leaves.push({ index: orderOf(this.year, index), key, hash, text });
    return hash;
  }

  sign(text: string, key: SigningKey): string {
    return this.append(key.sign(text), key.vkey);
  }

  /** Without `bodies`, as those of a second text under one number, which nobody has kept. */
  take(made: MadeBatch, bodies = made.bodies): void {
    this.#bodies.set(this.entries.length, bodies);
    this.append(made.note, made.key);
  }

  body(index: number, service: string): Uint8Array | undefined {
    return this.#bodies.get(index)?.get(service);
  }

  /** What `evaluate` counts from the entries below `size`. */
  evidence(size: number = this.entries.length): Evidence {
    const bodies = new Map<string, string>();
    for (const [index, own] of this.#bodies) {
      if (index >= size) continue;
      for (const body of own.values()) {
        bodies.set(hashOnce('sha256', body, 'base64'), Buffer.from(body).toString('utf8'));
      }
    }
    return { leaves: this.#leaves.slice(0, size), bodies };
  }
}
