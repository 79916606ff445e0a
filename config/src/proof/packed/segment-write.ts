/** Bodies of one service as one segment. */
import { type Compression, ColumnsWriter } from './columns.ts';
import { writeHeads } from './heads.ts';
import { type LineParts, numberOf, partsOf } from './line-parts.ts';
import {
  answeredAt,
  column,
  isOfHead,
  keyColumn,
  kindOf,
  kinds,
  type Kind,
  MAX_BODIES,
  MAX_COUNTS,
  MAX_KEY_NAMES,
  MAX_LINES,
  MAX_SPAN_MS,
  type Shape,
  shapeOf,
} from './segment.ts';
import { putText, Texts } from './texts.ts';
import { type ByteWriter, PackError } from './wire.ts';

export interface SegmentBody {
  /** Number of its probe: lines of one monitor and probe follow each other. */
  readonly probe: number;
  readonly text: string;
}

interface Raw {
  /** Place of the line in its body. */
  readonly at: number;
  readonly text: string;
}

interface Parsed {
  readonly probe: number;
  readonly lines: readonly LineParts[];
  readonly raws: readonly Raw[];
  /** The body, where it is not whole sorted lines. */
  readonly whole?: string;
}

/** Whether lines are by monitor and due time: what the counts of a body give back. */
function isInOrder(lines: readonly LineParts[]): boolean {
  return lines.every((line, i) => i === 0 || (lines[i - 1]?.monitor ?? '') <= line.monitor);
}

function parseBody(
  { probe, text }: SegmentBody,
  service: string,
  keep: (line: LineParts) => boolean,
): Parsed {
  const lines: LineParts[] = [];
  const raws: Raw[] = [];
  if (!text.endsWith('\n')) return { probe, lines, raws, whole: text };
  for (const [at, line] of text.slice(0, -1).split('\n').entries()) {
    const parts = partsOf(line, service);
    if (parts === undefined || !keep(parts)) raws.push({ at, text: line });
    else lines.push(parts);
  }
  return isInOrder(lines) ? { probe, lines, raws } : { probe, lines: [], raws: [], whole: text };
}

function parseAll(bodies: readonly SegmentBody[], service: string): { parsed: Parsed[]; base: number } {
  let first = Number.POSITIVE_INFINITY;
  const seen = bodies.map((body) =>
    parseBody(body, service, (line) => {
      first = Math.min(first, line.dueAt);
      return true;
    }),
  );
  const base = Number.isFinite(first) ? first : 0;
  const fits = (line: LineParts): boolean => line.dueAt - base < MAX_SPAN_MS;
  const isNear = seen.every(({ lines }) => lines.every(fits));
  return { parsed: isNear ? seen : bodies.map((body) => parseBody(body, service, fits)), base };
}

/** How often which steps lie between lines of one series. */
function commonStep(steps: ReadonlyMap<number, number>): number {
  let [best, most] = [60_000, 0];
  for (const [step, count] of [...steps].sort(([a], [b]) => a - b))
    if (count > most) [best, most] = [step, count];
  return best;
}

interface Table {
  readonly monitors: readonly string[];
  readonly steps: readonly number[];
  readonly scales: readonly number[];
  readonly keys: readonly string[];
  readonly keyKinds: readonly Kind[];
  readonly shapeTexts: readonly string[];
}

function tableOf(parsed: readonly Parsed[]): Table {
  const monitors = new Map<
    string,
    { steps: Map<number, number>; last: Map<number, number>; scale: number }
  >();
  const keys = new Map<string, { numbers: number; texts: number }>();
  const shapes = new Map<string, string[]>();
  for (const { probe, lines } of parsed) {
    for (const { monitor, dueAt, latency, shape, values } of lines) {
      let seen = monitors.get(monitor);
      if (seen === undefined)
        monitors.set(monitor, (seen = { steps: new Map(), last: new Map(), scale: 10 }));
      if (latency % 10 !== 0) seen.scale = 1;
      const step = dueAt - (seen.last.get(probe) ?? dueAt);
      if (step > 0) seen.steps.set(step, (seen.steps.get(step) ?? 0) + 1);
      seen.last.set(probe, dueAt);
      let names = shapes.get(shape);
      if (names === undefined) shapes.set(shape, (names = shape.split(' ').slice(2)));
      for (const [i, name] of names.entries()) {
        let counts = keys.get(name);
        if (counts === undefined) keys.set(name, (counts = { numbers: 0, texts: 0 }));
        if (numberOf(values[i] ?? '') < 0) counts.texts += 1;
        else counts.numbers += 1;
      }
    }
  }
  const names = [...monitors.keys()].sort();
  const keyNames = [...keys.keys()].sort();
  return {
    monitors: names,
    steps: names.map((name) => commonStep(monitors.get(name)?.steps ?? new Map())),
    scales: names.map((name) => monitors.get(name)?.scale ?? 1),
    keys: keyNames,
    keyKinds: keyNames.map((name) => kindOf(name, keys.get(name)?.numbers ?? 0, keys.get(name)?.texts ?? 0)),
    shapeTexts: [...shapes.keys()],
  };
}

/** What was last seen of a monitor by a probe. */
interface Series {
  first: number;
  due: number;
  readonly latency: [number, number];
  readonly phases: number[];
  readonly numbers: number[];
  readonly texts: string[];
}

class SegmentWriter {
  readonly columns = new ColumnsWriter();
  readonly texts = new Texts(this.columns.at(column.texts));
  readonly table: Table;
  readonly base: number;
  readonly #shapes = new Map<string, { number: number; shape: Shape }>();
  readonly #series = new Map<number, Series>();
  /** Of lines with heads: their order, and what the columns of heads are made of. */
  readonly ats: number[] = [];
  readonly monitorOfLine: number[] = [];
  readonly heads: { line: number; shape: Shape; values: readonly string[] }[] = [];

  constructor(table: Table, base: number) {
    this.table = table;
    this.base = base;
    for (const name of table.monitors) this.texts.of(` ${name}`);
    for (const name of table.keys) this.texts.of(`=${name}`);
    for (const name of table.shapeTexts) this.texts.of(` ${name}`);
    const keyNumbers = new Map(table.keys.map((name, i) => [name, i]));
    for (const [number, text] of table.shapeTexts.entries()) {
      this.#shapes.set(text, { number, shape: shapeOf(text, keyNumbers) });
    }
  }

  body({ probe, lines, raws, whole }: Parsed): void {
    const raw = this.columns.at(column.raw);
    raw.number(whole === undefined ? (raws.length === 0 ? 0 : raws.length + 1) : 1);
    if (whole !== undefined) putText(raw, whole);
    for (const { at, text } of raws) {
      raw.number(at);
      putText(raw, text);
    }
    const counts = this.columns.at(column.counts);
    let at = 0;
    for (const [number, name] of this.table.monitors.entries()) {
      const from = at;
      while (lines[at]?.monitor === name) at += 1;
      counts.number(at - from);
      for (let i = from; i < at; i += 1) this.#line(probe, number, lines[i] as LineParts);
    }
  }

  #line(probe: number, monitor: number, line: LineParts): void {
    const { shape: found } = line;
    const { number, shape } = this.#shapes.get(found) as { number: number; shape: Shape };
    const id = probe * this.table.monitors.length + monitor;
    const series = this.#series.get(id);
    const seen: Series = series ?? {
      first: line.dueAt,
      due: 0,
      latency: [0, 0],
      phases: [],
      numbers: [],
      texts: [],
    };
    const step = this.table.steps[monitor] ?? 1;
    if (series === undefined) {
      this.#series.set(id, seen);
      this.columns.at(column.firstDue).number(line.dueAt - this.base);
    } else {
      this.columns.at(column.due).signed(line.dueAt - seen.due - step);
    }
    if ((line.dueAt - seen.first) % step === 0) seen.due = line.dueAt;
    this.columns.at(column.shape).number(number);
    const state = shape.isFail ? 1 : 0;
    const latency = line.latency / (this.table.scales[monitor] ?? 1);
    this.columns.at(column.latency).signed(latency - seen.latency[state]);
    seen.latency[state] = latency;
    let late = 0;
    let hasHead = false;
    for (const [i, key] of shape.keys.entries()) {
      const value = line.values[i] ?? '';
      const kind = this.table.keyKinds[key] as Kind;
      if (isOfHead(kind)) hasHead = true;
      else if (kind === 'phases') this.#phases(seen, key, value, line.latency);
      else if (kind === 'text') this.#text(seen, key, value);
      else this.#number(seen, key, value, kind);
      if (kind === 'plain') late = Math.max(0, numberOf(value));
    }
    const place = this.ats.length;
    this.ats.push(answeredAt(line.dueAt - this.base, late, line.latency));
    this.monitorOfLine.push(monitor);
    if (hasHead) this.heads.push({ line: place, shape, values: line.values });
  }

  /** 0 for what is no number; else from 1 on. */
  #number(seen: Series, key: number, value: string, kind: Kind): void {
    const out = this.columns.at(keyColumn(key));
    const number = numberOf(value);
    if (number < 0) {
      out.number(0);
      this.columns.at(keyColumn(key, 1)).number(this.texts.of(value));
    } else if (kind === 'plain') {
      out.number(number + 1);
    } else {
      const delta = number - (seen.numbers[key] ?? 0);
      out.number(1 + (delta < 0 ? -2 * delta - 1 : 2 * delta));
      seen.numbers[key] = number;
    }
  }

  #text(seen: Series, key: number, value: string): void {
    const out: ByteWriter = this.columns.at(keyColumn(key));
    out.number(seen.texts[key] === value ? 0 : this.texts.of(value) + 1);
    seen.texts[key] = value;
  }

  /** The last is what the others leave of the latency, mostly. */
  #phases(seen: Series, key: number, value: string, latency: number): void {
    let left = latency;
    for (const [i, part] of value.split(',').entries()) {
      const phase = numberOf(part);
      this.columns.at(keyColumn(key, i)).signed(phase - (i < 4 ? (seen.phases[i] ?? 0) : left));
      seen.phases[i] = phase;
      left -= phase;
    }
  }

  done(bodies: number, compression: Compression): Uint8Array {
    const { monitors, steps, scales, keys, keyKinds, shapeTexts } = this.table;
    const groups = writeHeads(this);
    const header = this.columns.at(column.header);
    for (const count of [this.base, bodies, monitors.length, keys.length, shapeTexts.length])
      header.number(count);
    header.number(this.texts.size);
    for (const step of steps) header.number(step);
    for (const scale of scales) header.number(scale);
    for (const group of groups) header.number(group);
    for (const kind of keyKinds) header.number(kinds.indexOf(kind));
    return this.columns.done(compression);
  }
}

/** Throws PackError for what is over the bounds that a reader keeps. */
export function writeSegment(
  service: string,
  bodies: readonly SegmentBody[],
  compression: Compression,
): Uint8Array {
  const { parsed, base } = parseAll(bodies, `${service}/`);
  const table = tableOf(parsed);
  const lines = parsed.reduce((sum, body) => sum + body.lines.length + body.raws.length, 0);
  const isOver =
    lines > MAX_LINES ||
    bodies.length > MAX_BODIES ||
    bodies.length * table.monitors.length > MAX_COUNTS ||
    table.keys.length > MAX_KEY_NAMES;
  if (isOver) throw new PackError('a segment would be too large');
  const writer = new SegmentWriter(table, base);
  for (const body of parsed) writer.body(body);
  return writer.done(bodies.length, compression);
}
