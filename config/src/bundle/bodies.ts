/** Bodies: each is what its batch commits to, or said to be missing, and then counted. One UTC day after the other. */
import { decodeUtf8, compareBytewise, parseDecimal } from '../proof/bytes.ts';
import type { Count, CountBatch } from '../proof/count/count.ts';
import type { RuleConfig } from '../proof/projection.ts';
import { formatDay } from '../time.ts';
import type { BodyList } from './body-refs.ts';
import { tooManyViews } from './caps.ts';
import type { Entries } from './entries.ts';
import { BODIES_FILE_BYTES, MAX_FILE_BYTES, names, orderOf } from './files.ts';
import { cutAt, isPublished, missingWhy } from './published.ts';
import type { Reading } from './reading.ts';

/** Hashed at once. */
const AT_ONCE = 1_024;
/** Of what a file says to be missing. */
const MISSING = 'missing ';
const MAX_MISSING_LINE = 512;
const LF = 10;

export interface BodiesInput {
  readonly entries: Entries;
  /** By leaf hash, base64. */
  readonly configs: ReadonlyMap<string, RuleConfig>;
  readonly count: Count;
  readonly days: { readonly first: number; readonly last: number };
}

/** A body that is to be here: its place in the list of its day and service. */
type Wanted = readonly number[];

export async function readBodies(reading: Reading, input: BodiesInput): Promise<void> {
  const { entries, count, days } = input;
  const reader = new BodiesReader(reading, input);
  for (let day = days.first; day <= days.last; day += 1) reader.expect(day);
  for (let day = days.first; day <= days.last; day += 1) {
    const tooMany = tooManyViews(count.views(day));
    if (tooMany !== undefined)
      return reading.problems.fatal('incomplete', names.range, `${formatDay(day)}: ${tooMany}`);
    const needed = count.needs(day);
    const lists = entries.bodies.lists(day, (number) => needed.has(entries.service(number)));
    entries.bodies.letGo(day);
    const named = [...lists].map(([number, list]) => ({ service: entries.service(number), list }));
    for (const { service, list } of named.sort((a, b) => compareBytewise(a.service, b.service)))
      await reader.read(day, service, list);
    count.close(day);
  }
}

class BodiesReader {
  readonly #reading: Reading;
  readonly #input: BodiesInput;
  readonly #published = new Map<string, boolean>();
  #all = 0;
  #done = 0;

  constructor(reading: Reading, input: BodiesInput) {
    this.#reading = reading;
    this.#input = input;
  }

  /** Adds up what a day will take. */
  expect(day: number): void {
    const { entries, count } = this.#input;
    const needed = count.needs(day);
    this.#all += entries.bodies.bytes(day, (number) => needed.has(entries.service(number)));
  }

  async read(day: number, service: string, list: BodyList): Promise<void> {
    const wanted: number[] = [];
    const { count } = this.#input;
    let unpublished = 0;
    for (let i = 0; i < list.length; i += 1) {
      const batch = this.#batch(list, i);
      if (this.#isPublished(batch.config, service)) wanted.push(i);
      else {
        this.#done += list.bytes(i);
        if (!count.isPublicIn(batch.minutes, service)) continue;
        unpublished += 1;
        count.miss(day, service);
      }
    }
    if (unpublished > 0) {
      this.#reading.problems.remark(
        names.bodies(day, service, 0),
        `${unpublished} of ${list.length} bodies of ${service} are not here: the configurations that their batches name do not publish them, and that in force does`,
      );
    }
    if (wanted.length === 0) return;
    const first = names.bodies(day, service, 0);
    let bytes: Uint8Array | undefined = await this.#reading.need(first, MAX_FILE_BYTES);
    const head = this.#head(first, bytes, list, wanted);
    for (const i of wanted) {
      if (!head.missing.has(i)) continue;
      this.#done += list.bytes(i);
      count.miss(day, service);
    }
    const here = wanted.filter((i) => !head.missing.has(i));
    const parts = cutAt(
      BODIES_FILE_BYTES,
      here.map((i) => list.bytes(i)),
    );
    bytes = bytes.subarray(head.bytes);
    if (parts.length === 0 && bytes.length > 0)
      this.#reading.problems.mismatch(first, 'it goes on behind what is missing, though no body is here');
    for (const [part, { from, to }] of parts.entries()) {
      const file = names.bodies(day, service, part);
      bytes = part === 0 ? bytes : await this.#reading.need(file, MAX_FILE_BYTES);
      await this.#file({ day, service, file, list }, bytes, here.slice(from, to));
    }
  }

  #batch(list: BodyList, i: number): CountBatch {
    const batch = this.#input.entries.batches[list.batch(i)];
    if (batch === undefined) throw new RangeError('a body of no batch');
    return batch;
  }

  #isPublished(config: string, service: string): boolean {
    const id = `${config} ${service}`;
    let is = this.#published.get(id);
    if (is === undefined) {
      is = isPublished(this.#input.configs.get(config), service);
      this.#published.set(id, is);
    }
    return is;
  }

  /** What the first file of a day says to be missing, and how many bytes it takes to say so. */
  #head(
    file: string,
    bytes: Uint8Array,
    list: BodyList,
    wanted: Wanted,
  ): { missing: ReadonlySet<number>; bytes: number } {
    const missing = new Set<number>();
    const { problems } = this.#reading;
    const places = new Map<number, number>();
    let at = 0;
    let last = -1;
    while (startsWithMissing(bytes, at)) {
      const end = bytes.indexOf(LF, at);
      const line = end < 0 || end - at > MAX_MISSING_LINE ? undefined : decodeUtf8(bytes.subarray(at, end));
      const [, year = '', index = '', ...why] = (line ?? '').split(' ');
      const [y, entry] = [parseDecimal(year, 9_999), parseDecimal(index, orderOf(1, 0) - 1)];
      if (y === undefined || entry === undefined || !missingWhy.some((word) => word === why.join(' ')))
        return problems.fatal('mismatch', file, `a line is not: missing YEAR INDEX ${missingWhy.join('|')}`);
      if (places.size === 0) for (const i of wanted) places.set(this.#batch(list, i).index, i);
      const place = places.get(orderOf(y, entry));
      if (place === undefined || place <= last)
        return problems.fatal(
          'mismatch',
          file,
          `entry ${entry} of ${y} has no body that could be missing here`,
        );
      missing.add(place);
      last = place;
      at = end + 1;
    }
    return { missing, bytes: at };
  }

  async #file(
    of: { readonly day: number; readonly service: string; readonly file: string; readonly list: BodyList },
    bytes: Uint8Array,
    wanted: Wanted,
  ): Promise<void> {
    const { problems, amount, checker } = this.#reading;
    const { list, file, service, day } = of;
    const size = wanted.reduce((sum, i) => sum + list.bytes(i), 0);
    if (bytes.length !== size)
      problems.mismatch(file, `it has ${bytes.length} bytes of bodies; its batches commit to ${size}`);
    let at = 0;
    for (let from = 0; from < wanted.length; from += AT_ONCE) {
      const some = wanted.slice(from, from + AT_ONCE);
      const slices = some.map((i) => bytes.subarray(at, (at += list.bytes(i))));
      const hashes = await checker.hashAll(slices);
      for (const [k, i] of some.entries()) {
        const body = slices[k] ?? bytes;
        const batch = this.#batch(list, i);
        this.#done += list.bytes(i);
        if (!list.isHash(i, hashes[k] ?? body)) {
          problems.mismatch(file, `it has not the bytes that ${placeText(batch)}, commits to`);
          // What follows is likely to be moved, and would only be told again.
          if (bytes.length !== size) return;
          continue;
        }
        amount.bodies += 1;
        const wrong = this.#input.count.add(batch, service, body, list.lines(i));
        if (wrong === undefined) amount.lines += list.lines(i);
        else problems.remark(file, `${placeText(batch)}: ${wrong}, so that all of it counts for nothing`);
      }
      const [done, all] = [this.#done, this.#all];
      await this.#reading.turn(() => ({ phase: 'bodies', done, all, of: `${formatDay(day)} ${service}` }));
    }
  }
}

function placeText({ index, probe }: CountBatch): string {
  const year = Math.floor(index / orderOf(1, 0));
  return `entry ${index - orderOf(year, 0)} of ${year}, a batch of ${probe}`;
}

function startsWithMissing(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < MISSING.length; i += 1) if (bytes[at + i] !== MISSING.charCodeAt(i)) return false;
  return true;
}
