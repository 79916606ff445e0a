/**
 * A batch's note read from its bytes: the same verdict as parseNote and parseBatchText for all that a probe of this program
 * writes, at a tenth of the price. What it does not take may still be a batch; the slow readers then decide. A month of a
 * large house has 216,000 of them, with 5.4 million bodies.
 */
import { MAX_BATCH_TEXT_BYTES, MAX_GAPS, MAX_MINUTE, type Batch, type BodyRef } from '../proof/batch.ts';
import { MAX_INSTANT, encodeHex, utf8 } from '../proof/bytes.ts';
import { dayOfMinute } from '../time.ts';
import { Interned } from './interned.ts';
import { decodeInto } from './base64-bytes.ts';

const LF = 10;
const SPACE = 32;
const ZERO = 48;
const HASH_CHARS = 44;
/** Key id and signature: 68 bytes. */
const SIGNATURE_CHARS = 92;
/** Fewer do not fit into a batch's text. */
const MAX_BODIES = 1_200;

/** Letters of ids: [a-z0-9._-]. */
const isIdByte = new Uint8Array(256);
for (const byte of utf8('abcdefghijklmnopqrstuvwxyz0123456789._-')) isIdByte[byte] = 1;

const words = {
  probe: utf8('probe '),
  epoch: utf8('epoch '),
  number: utf8('number '),
  prev: utf8('prev '),
  minutes: utf8('minutes '),
  config: utf8('config '),
  clock: utf8('clock '),
  tip: utf8('tip '),
  gap: utf8('gap '),
  body: utf8('body '),
  minusOne: utf8('-1'),
  dash: utf8('\n— '),
} as const;

const noGaps: Batch['gaps'] = [];

class NotPlain extends Error {}
const notPlain = new NotPlain('the slow readers decide');

/** What was read stands in its fields until the next one is. */
export class BatchBytes {
  probe = '';
  epoch = 0;
  number = 0;
  first = 0;
  last = 0;
  /** Base64. */
  config = '';
  boundMs = 0;
  ageS = 0;
  /** The tree that its probe had seen. */
  tipSize = 0;
  readonly tipRoot = new Uint8Array(32);
  gaps: Batch['gaps'] = noGaps;
  /** Where the note's text ends. */
  textEnd = 0;
  signer = '';
  /** 8 hex digits. */
  keyId = '';
  readonly prev = new Uint8Array(32);
  /** Key id, then the signature. */
  readonly #signed = new Uint8Array(68);
  readonly signature: Uint8Array = this.#signed.subarray(4);
  bodies = 0;
  /** Of each body: the service's number in `services`, lines, bytes, and 32 bytes of hash. */
  readonly service = new Uint32Array(MAX_BODIES);
  readonly lines = new Float64Array(MAX_BODIES);
  readonly bytes = new Float64Array(MAX_BODIES);
  readonly hashes = new Uint8Array(MAX_BODIES * 32);
  /** The same bytes, to be copied faster. */
  readonly hashWords = new Uint32Array(this.hashes.buffer);

  readonly services = new Interned();
  readonly #ids = new Interned();
  readonly #configs = new Interned();
  readonly #signers = new Interned();
  readonly #head: Uint8Array;
  readonly #skipped = new Uint8Array(32);
  #data: Uint8Array = new Uint8Array();
  #at = 0;
  #end = 0;

  constructor(origin: string) {
    this.#head = utf8(`highwater/batch/v1\nlog ${origin}\n`);
  }

  /** False where the slow readers have to look at it. */
  read(note: Uint8Array): boolean {
    this.#data = note;
    this.#at = 0;
    this.#end = note.length;
    try {
      this.#batch();
      this.#signature();
      return true;
    } catch (error) {
      if (error === notPlain) return false;
      throw error;
    }
  }

  /** As `read` would have left it, of what the slow readers took. False where it has more bodies than a text can hold. */
  fill(batch: Batch, textEnd: number, signer: string, keyId: string, signature: Uint8Array): boolean {
    if (batch.bodies.length > MAX_BODIES || signature.length !== 64) return false;
    const { probe, epoch, number, config, gaps, minutes, clock } = batch;
    Object.assign(this, { probe, epoch, number, config, gaps, textEnd, signer, keyId });
    [this.first, this.last, this.boundMs, this.ageS] = [
      minutes.first,
      minutes.last,
      clock.boundMs,
      clock.ageS,
    ];
    decodeInto(utf8(batch.prev), 0, HASH_CHARS, this.prev, 0);
    this.tipSize = batch.tip.size;
    decodeInto(utf8(batch.tip.root), 0, HASH_CHARS, this.tipRoot, 0);
    this.signature.set(signature);
    this.bodies = 0;
    for (const body of batch.bodies) this.#fillBody(body);
    return true;
  }

  #fillBody({ service, lines, bytes, hash }: BodyRef): void {
    const id = utf8(service);
    this.service[this.bodies] = this.services.of(id, 0, id.length);
    this.lines[this.bodies] = lines;
    this.bytes[this.bodies] = bytes;
    decodeInto(utf8(hash), 0, HASH_CHARS, this.hashes, this.bodies * 32);
    this.bodies += 1;
  }

  #batch(): void {
    this.#expect(this.#head);
    this.#expect(words.probe);
    const probe = this.#id();
    this.probe = this.#ids.textOf(this.#data, probe, this.#at);
    this.#skip(LF);
    this.epoch = this.#field(words.epoch);
    this.number = this.#field(words.number);
    this.#expect(words.prev);
    this.#hash(this.prev, 0, LF);
    this.#expect(words.minutes);
    this.first = this.#decimal(SPACE, MAX_MINUTE);
    this.last = this.#decimal(LF, MAX_MINUTE);
    this.#expect(words.config);
    const config = this.#at;
    this.#hash(this.#skipped, 0, LF);
    this.config = this.#configs.textOf(this.#data, config, config + HASH_CHARS);
    this.#expect(words.clock);
    if (this.#startsWith(words.minusOne)) {
      this.#at += 2;
      this.#skip(SPACE);
      this.boundMs = -1;
    } else this.boundMs = this.#decimal(SPACE, MAX_INSTANT);
    this.ageS = this.#decimal(LF, MAX_INSTANT);
    this.#expect(words.tip);
    this.tipSize = this.#decimal(SPACE);
    this.#hash(this.tipRoot, 0, LF);
    this.#gaps();
    this.bodies = 0;
    let previous = 0;
    for (let previousEnd = 0; this.#startsWith(words.body);) {
      this.#at += words.body.length;
      const from = this.#body(previous, previousEnd);
      previousEnd = from + this.#idLength;
      previous = from;
    }
    if (this.first > this.last || dayOfMinute(this.first) !== dayOfMinute(this.last)) throw notPlain;
    if (this.bodies === 0 && this.first !== this.last) throw notPlain;
    this.textEnd = this.#at;
    if (this.textEnd > MAX_BATCH_TEXT_BYTES) throw notPlain;
  }

  #gaps(): void {
    if (!this.#startsWith(words.gap)) {
      this.gaps = noGaps;
      return;
    }
    const gaps: Batch['gaps'][number][] = [];
    while (this.#startsWith(words.gap)) {
      this.#at += words.gap.length;
      const first = this.#decimal(SPACE);
      const last = this.#decimal(LF);
      const before = gaps.at(-1)?.last;
      if (first > last || last >= this.number || (before !== undefined && first <= before + 1))
        throw notPlain;
      if (gaps.length === MAX_GAPS) throw notPlain;
      gaps.push({ first, last });
    }
    this.gaps = gaps;
  }

  #idLength = 0;

  /** Gives back where the service's id begins. */
  #body(previous: number, previousEnd: number): number {
    const place = this.bodies;
    if (place === MAX_BODIES) throw notPlain;
    const from = this.#id();
    const end = this.#at;
    if (previousEnd > 0 && !this.#isAfter(previous, previousEnd, from, end)) throw notPlain;
    this.#idLength = end - from;
    // Most batches have the services of the one before.
    const guess = this.service[place] ?? 0;
    if (!this.services.isAt(guess, this.#data, from, end))
      this.service[place] = this.services.of(this.#data, from, end);
    this.#skip(SPACE);
    const lines = this.#decimal(SPACE);
    const bytes = this.#decimal(SPACE);
    if (lines === 0 || bytes <= lines) throw notPlain;
    this.lines[place] = lines;
    this.bytes[place] = bytes;
    this.#hash(this.hashes, place * 32, LF);
    this.bodies += 1;
    return from;
  }

  #signature(): void {
    this.#expect(words.dash);
    const from = this.#at;
    while (this.#at < this.#end && this.#data[this.#at] !== SPACE) {
      if (isIdByte[this.#data[this.#at] ?? 0] !== 1) throw notPlain;
      this.#at += 1;
    }
    if (this.#at === from) throw notPlain;
    this.signer = this.#signers.textOf(this.#data, from, this.#at);
    this.#skip(SPACE);
    if (this.#at + SIGNATURE_CHARS + 1 !== this.#end) throw notPlain;
    if (!decodeInto(this.#data, this.#at, SIGNATURE_CHARS, this.#signed, 0)) throw notPlain;
    this.#at += SIGNATURE_CHARS;
    this.#skip(LF);
    this.keyId = encodeHex(this.#signed.subarray(0, 4));
  }

  // -------------------------------------------------------------- pieces

  #startsWith(word: Uint8Array): boolean {
    for (let i = 0; i < word.length; i += 1) if (this.#data[this.#at + i] !== word[i]) return false;
    return true;
  }

  #expect(word: Uint8Array): void {
    if (!this.#startsWith(word)) throw notPlain;
    this.#at += word.length;
  }

  #skip(byte: number): void {
    if (this.#data[this.#at] !== byte) throw notPlain;
    this.#at += 1;
  }

  #field(word: Uint8Array): number {
    this.#expect(word);
    return this.#decimal(LF);
  }

  /** A whole number and the byte behind it, as parseDecimal has it. */
  #decimal(stop: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const data = this.#data;
    const from = this.#at;
    let at = from;
    let value = 0;
    for (; at < this.#end; at += 1) {
      const digit = (data[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const length = at - from;
    if (length === 0 || length > 16 || (length > 1 && data[from] === ZERO) || value > max) throw notPlain;
    this.#at = at;
    this.#skip(stop);
    return value;
  }

  /** Goes behind an id; gives back where it begins. */
  #id(): number {
    const from = this.#at;
    let at = from;
    while (isIdByte[this.#data[at] ?? 0] === 1) at += 1;
    if (at === from || at - from > 64) throw notPlain;
    this.#at = at;
    return from;
  }

  #hash(into: Uint8Array, place: number, stop: number): void {
    if (this.#at + HASH_CHARS > this.#end) throw notPlain;
    if (!decodeInto(this.#data, this.#at, HASH_CHARS, into, place)) throw notPlain;
    this.#at += HASH_CHARS;
    this.#skip(stop);
  }

  #isAfter(from: number, end: number, otherFrom: number, otherEnd: number): boolean {
    const length = Math.min(end - from, otherEnd - otherFrom);
    for (let i = 0; i < length; i += 1) {
      const byte = this.#data[from + i] ?? 0;
      const other = this.#data[otherFrom + i] ?? 0;
      if (byte !== other) return byte < other;
    }
    return end - from < otherEnd - otherFrom;
  }
}
