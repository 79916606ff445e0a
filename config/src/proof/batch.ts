/** The batch: a minute's lines of one probe, numbered and chained; the evidence (CONTRACTS "Batch"). */
import { MINUTE_MS, dayOfMinute } from '../time.ts';
import { type Salts, bodyHash, noSalts } from './body-hash.ts';
import { type Hash, MAX_INSTANT, compareBytewise, parseDecimal, utf8 } from './bytes.ts';
import {
  type TextReader,
  decimal,
  hashField,
  idField,
  readText,
  takeHash,
  takeId,
  takeNumber,
  takeOrigin,
} from './text.ts';

const HEADER = 'highwater/batch/v1';
/** A leaf's length is 16 bits in the log's entry bundles. */
export const MAX_ENTRY_BYTES = 65_535;
/** What a batch's text may have, so that its note stays an entry with room for the signature line. */
export const MAX_BATCH_TEXT_BYTES = 65_000;
export const MAX_MINUTE = Math.floor(MAX_INSTANT / MINUTE_MS);

/** What a batch commits to of one service: its lines, each with LF, sorted bytewise. */
export interface BodyRef {
  readonly service: string;
  readonly lines: number;
  readonly bytes: number;
  /** SHA-256, or HMAC-SHA-256 under the service's salt (body-hash.ts); base64. */
  readonly hash: string;
}

export interface Batch {
  /** Origin of the log without the year. */
  readonly origin: string;
  readonly probe: string;
  readonly epoch: number;
  readonly number: number;
  /** Leaf hash of number - 1, base64; ZERO_HASH at 0. */
  readonly prev: string;
  /** Due minutes of its lines, all of one UTC day; the minute it closes when empty. */
  readonly minutes: { readonly first: number; readonly last: number };
  /** Leaf hash of the configuration that the probe ran, base64. */
  readonly config: string;
  /** CONTRACTS "Clock": ms, -1 when not known; age in whole seconds, 0 when never compared. */
  readonly clock: { readonly boundMs: number; readonly ageS: number };
  /** The newest log checkpoint that the probe found consistent; size 0 and the empty root before any. */
  readonly tip: { readonly size: number; readonly root: string };
  /** Numbers of this epoch that the full spool dropped: ascending, apart from each other, below `number`. */
  readonly gaps: readonly { readonly first: number; readonly last: number }[];
  /** Sorted by service. */
  readonly bodies: readonly BodyRef[];
}

/** Ranges that one batch tells; a probe tells fewer, and the rest in later ones. */
export const MAX_GAPS = 500;

export function formatBatchText(b: Batch): string {
  const lines = [
    HEADER,
    `log ${b.origin}`,
    `probe ${b.probe}`,
    `epoch ${b.epoch}`,
    `number ${b.number}`,
    `prev ${b.prev}`,
    `minutes ${b.minutes.first} ${b.minutes.last}`,
    `config ${b.config}`,
    `clock ${b.clock.boundMs} ${b.clock.ageS}`,
    `tip ${b.tip.size} ${b.tip.root}`,
    ...b.gaps.map((gap) => `gap ${gap.first} ${gap.last}`),
    ...b.bodies.map((body) => `body ${body.service} ${body.lines} ${body.bytes} ${body.hash}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Reads a batch's text; checks every rule that the text alone can break. Never throws. */
export function parseBatchText(text: string): Batch | { error: string } {
  if (text.length > MAX_BATCH_TEXT_BYTES)
    return { error: `the batch's text has over ${MAX_BATCH_TEXT_BYTES} bytes` };
  return readText<Batch>(text, HEADER, readBatch, formatBatchText);
}

function readBatch(lines: TextReader): Batch {
  const origin = takeOrigin(lines);
  const probe = takeId(lines, 'probe');
  const epoch = takeNumber(lines, 'epoch');
  const number = takeNumber(lines, 'number');
  const prev = takeHash(lines, 'prev');
  const minutes = takeRange(lines, 'minutes', MAX_MINUTE);
  const config = takeHash(lines, 'config');
  const [bound = '', age] = lines.take('clock', 2);
  const boundMs = bound === '-1' ? -1 : decimal(lines, 'clock bound', bound, MAX_INSTANT);
  const ageS = decimal(lines, 'clock age', age, MAX_INSTANT);
  const [size, root] = lines.take('tip', 2);
  const tip = { size: decimal(lines, 'tip size', size), root: hashField(lines, 'tip root', root) };
  const gaps: Batch['gaps'][number][] = [];
  while (lines.at('gap')) {
    if (gaps.length === MAX_GAPS) lines.fail(`gap: a batch tells at most ${MAX_GAPS}`);
    gaps.push(takeGap(lines, gaps.at(-1)?.last, number));
  }
  const bodies: BodyRef[] = [];
  while (lines.at('body')) bodies.push(takeBody(lines, bodies.at(-1)?.service));
  if (dayOfMinute(minutes.first) !== dayOfMinute(minutes.last)) lines.fail('minutes: on two UTC days');
  if (bodies.length === 0 && minutes.first !== minutes.last)
    lines.fail('minutes: an empty batch closes one minute');
  return { origin, probe, epoch, number, prev, minutes, config, clock: { boundMs, ageS }, tip, gaps, bodies };
}

function takeRange(lines: TextReader, word: string, max?: number): { first: number; last: number } {
  const [from, to] = lines.take(word, 2);
  const range = { first: decimal(lines, word, from, max), last: decimal(lines, word, to, max) };
  return range.first <= range.last ? range : lines.fail(`${word}: the first is after the last`);
}

function takeGap(lines: TextReader, previousLast: number | undefined, number: number): Batch['gaps'][number] {
  const gap = takeRange(lines, 'gap');
  // Gaps that touch would be one gap: one spelling for one fact.
  if (previousLast !== undefined && gap.first <= previousLast + 1) lines.fail('gap: not ascending and apart');
  return gap.last < number ? gap : lines.fail("gap: not below the batch's own number");
}

function takeBody(lines: TextReader, previous = ''): BodyRef {
  const [service, count, bytes, hash] = lines.take('body', 4);
  const body = {
    service: idField(lines, 'body service', service),
    lines: decimal(lines, 'body lines', count),
    bytes: decimal(lines, 'body bytes', bytes),
    hash: hashField(lines, 'body hash', hash),
  };
  if (body.service <= previous) lines.fail('body: not sorted by service, each once');
  return body.lines > 0 && body.bytes > body.lines ? body : lines.fail('body: empty');
}

/** The bodies of a batch: for each service its whole lines, each ending in LF, sorted bytewise. */
export function bodiesOf(lines: readonly string[]): Map<string, string> {
  const byService = new Map<string, string[]>();
  for (const line of [...lines].sort(compareBytewise)) {
    const service = line.slice(0, line.indexOf('/'));
    const own = byService.get(service);
    if (own) own.push(`${line}\n`);
    else byService.set(service, [`${line}\n`]);
  }
  const sorted = [...byService].sort(([a], [b]) => compareBytewise(a, b));
  return new Map(sorted.map(([service, own]) => [service, own.join('')]));
}

/** What the batch says of its bodies, in order; salted those of services that have a salt. */
export function bodyRefs(bodies: ReadonlyMap<string, string>, hash: Hash, salts: Salts = noSalts): BodyRef[] {
  return [...bodies]
    .sort(([a], [b]) => compareBytewise(a, b))
    .map(([service, body]) => {
      const bytes = utf8(body);
      return {
        service,
        lines: body.split('\n').length - 1,
        bytes: bytes.length,
        hash: bodyHash(bytes, salts.get(service), hash),
      };
    });
}

/** The lines of a body; undefined unless it is whole lines, sorted bytewise. */
export function linesOfBody(body: string): string[] | undefined {
  if (!body.endsWith('\n')) return undefined;
  const lines = body.slice(0, -1).split('\n');
  const sorted = lines.every((line, i) => i === 0 || (lines[i - 1] ?? '') <= line);
  return sorted ? lines : undefined;
}

/** The minute in which a line was due; the line must have been accepted by parseLine. */
export function dueMinuteOf(line: string): number {
  const from = line.indexOf(' ') + 1;
  const due = parseDecimal(line.slice(from, line.indexOf(' ', from)), MAX_INSTANT);
  if (due === undefined) throw new RangeError('dueMinuteOf: not an accepted line');
  return Math.floor(due / MINUTE_MS);
}

/** First and last due minute of the lines; undefined when there are none. */
export function minutesOf(lines: readonly string[]): Batch['minutes'] | undefined {
  const minutes = lines.map(dueMinuteOf);
  if (minutes.length === 0) return undefined;
  const lowest = (a: number, b: number): number => Math.min(a, b);
  return { first: minutes.reduce(lowest), last: minutes.reduce((a, b) => Math.max(a, b)) };
}

/** Lines due on different UTC days go into different batches: one group a day, oldest first. */
export function splitByDay(lines: readonly string[]): string[][] {
  const days = new Map<number, string[]>();
  for (const line of lines) {
    const day = dayOfMinute(dueMinuteOf(line));
    const group = days.get(day);
    if (group) group.push(line);
    else days.set(day, [line]);
  }
  return [...days].sort(([a], [b]) => a - b).map(([, group]) => group);
}
