/** Bodies back from a segment. Everything in it is hostile: each count and number is bounded before it is used. */
import { type Compression, ColumnsReader } from './columns.ts';
import { readHeads } from './heads.ts';
import { MAX_DUE, MAX_LATENCY, MIN_DUE } from './line-parts.ts';
import {
  answeredAt,
  column,
  isOfHead,
  keyColumn,
  kinds,
  type Kind,
  MAX_BODIES,
  MAX_COUNTS,
  MAX_GROUPS,
  MAX_KEY_NAMES,
  MAX_LINES,
  MAX_SPAN_MS,
  type Shape,
  shapeOf,
} from './segment.ts';
import { MAX_TEXTS, takeText } from './texts.ts';
import { MAX_NUMBER, PackError, unzigzag } from './wire.ts';

/** What one segment's texts may come to, bytes: a small one could otherwise repeat a long text in each line. */
const MAX_TEXT_BYTES = 134_217_728;

interface Series {
  readonly first: number;
  due: number;
  readonly latency: [number, number];
  readonly phases: number[];
  readonly numbers: number[];
  readonly texts: string[];
}

function bounded(value: number, min: number, max: number): number {
  if (value < min || value > max) throw new PackError('a number is out of bounds');
  return value;
}

export class SegmentReader {
  readonly columns: ColumnsReader;
  readonly #service: string;
  readonly #base: number;
  readonly #bodies: number;
  readonly #texts: readonly string[];
  readonly #monitors: readonly string[];
  readonly #shapes: readonly Shape[];
  readonly #keyParts: readonly string[];
  readonly #steps: readonly number[];
  readonly #scales: readonly number[];
  readonly groupOf: readonly number[];
  readonly keyKinds: readonly Kind[];
  readonly #series = new Map<number, Series>();
  /** By line. */
  readonly ats: number[] = [];
  readonly shapeOfLine: Shape[] = [];
  readonly monitorOfLine: number[] = [];
  readonly #dues: number[] = [];
  readonly #latencies: number[] = [];
  readonly headLines: number[] = [];
  /** By key and line. */
  readonly values: (string | number)[][];
  readonly #plans: {
    readonly lines: number;
    readonly raws: readonly { at: number; text: string }[];
    whole?: string;
  }[] = [];

  constructor(service: string, bytes: Uint8Array, compression: Compression) {
    this.#service = service;
    this.columns = new ColumnsReader(bytes, compression);
    const header = this.columns.at(column.header);
    this.#base = header.number(MAX_DUE);
    this.#bodies = header.number(MAX_BODIES);
    const monitors = header.number(MAX_LINES);
    const keys = header.number(MAX_KEY_NAMES);
    const shapes = header.number(MAX_LINES);
    const texts = header.number(MAX_TEXTS);
    if (this.#bodies * monitors > MAX_COUNTS) throw new PackError('a segment has too many counts');
    if (monitors + keys + shapes > texts) throw new PackError('texts are missing');
    const from = this.columns.at(column.texts);
    this.#texts = Array.from({ length: texts }, () => takeText(from));
    // The first ones begin with a space, so that none is another's value too.
    const named = (from: number, count: number): string[] =>
      this.#texts.slice(from, from + count).map((text) => text.slice(1));
    this.#monitors = named(0, monitors);
    const keyNames = named(monitors, keys);
    const keyNumbers = new Map(keyNames.map((name, i) => [name, i]));
    this.#shapes = named(monitors + keys, shapes).map((text) => shapeOf(text, keyNumbers));
    this.#keyParts = keyNames.map((name) => ` ${name}=`);
    const list = (length: number, max: number): number[] => Array.from({ length }, () => header.number(max));
    this.#steps = list(monitors, MAX_SPAN_MS);
    this.#scales = list(monitors, 10);
    this.groupOf = list(monitors, MAX_GROUPS - 1);
    this.keyKinds = list(keys, kinds.length - 1).map((kind) => kinds[kind] as Kind);
    this.values = keyNames.map(() => []);
    if (this.#steps.includes(0)) throw new PackError('a step is nothing');
  }

  readonly text = (number: number): string => {
    const text = this.#texts[number];
    if (text === undefined) throw new PackError('a text is missing');
    return text;
  };

  /** `probeOf` is the number of each body's probe. */
  read(probeOf: readonly number[]): string[] {
    if (probeOf.length !== this.#bodies)
      throw new PackError('a segment has other bodies than its directory says');
    for (const probe of probeOf) this.#body(probe);
    readHeads(this);
    return this.#regenerate();
  }

  #body(probe: number): void {
    const raw = this.columns.at(column.raw);
    const code = raw.number(MAX_LINES + 1);
    const before = this.ats.length;
    const whole = code === 1 ? { whole: takeText(raw) } : {};
    const raws = Array.from({ length: Math.max(0, code - 1) }, () => ({
      at: raw.number(MAX_LINES),
      text: takeText(raw),
    }));
    const counts = this.columns.at(column.counts);
    for (let monitor = 0; monitor < this.#monitors.length; monitor += 1) {
      const count = counts.number(MAX_LINES - this.ats.length);
      for (let i = 0; i < count; i += 1) this.#line(probe, monitor);
    }
    this.#plans.push({ lines: this.ats.length - before, raws, ...whole });
  }

  #line(probe: number, monitor: number): void {
    const { columns } = this;
    const id = probe * this.#monitors.length + monitor;
    const step = this.#steps[monitor] ?? 1;
    let seen = this.#series.get(id);
    let due: number;
    if (seen === undefined) {
      due = this.#base + columns.at(column.firstDue).number(MAX_SPAN_MS);
      seen = { first: due, due, latency: [0, 0], phases: [], numbers: [], texts: [] };
      this.#series.set(id, seen);
    } else {
      due = seen.due + step + columns.at(column.due).signed();
    }
    bounded(due - this.#base, 0, MAX_SPAN_MS);
    bounded(due, MIN_DUE, MAX_DUE);
    if ((due - seen.first) % step === 0) seen.due = due;
    const shape = this.#shapes[columns.at(column.shape).number()];
    if (shape === undefined) throw new PackError('a shape is missing');
    const state = shape.isFail ? 1 : 0;
    const scaled = bounded(seen.latency[state] + columns.at(column.latency).signed(), 0, MAX_LATENCY);
    seen.latency[state] = scaled;
    const latency = bounded(scaled * (this.#scales[monitor] ?? 1), 0, MAX_LATENCY);
    const line = this.ats.length;
    let late = 0;
    let hasHead = false;
    for (const key of shape.keys) {
      const kind = this.keyKinds[key] as Kind;
      if (isOfHead(kind)) {
        hasHead = true;
        continue;
      }
      const value =
        kind === 'phases'
          ? this.#phases(seen, key, latency)
          : kind === 'text'
            ? this.#textOf(seen, key)
            : this.#number(seen, key, kind);
      (this.values[key] as (string | number)[])[line] = value;
      if (kind === 'plain' && typeof value === 'number') late = value;
    }
    if (hasHead) this.headLines.push(line);
    this.ats.push(answeredAt(due - this.#base, late, latency));
    this.#dues.push(due);
    this.#latencies.push(latency);
    this.shapeOfLine.push(shape);
    this.monitorOfLine.push(monitor);
  }

  #number(seen: Series, key: number, kind: Kind): string | number {
    const code = this.columns.at(keyColumn(key)).number();
    if (code === 0) return this.text(this.columns.at(keyColumn(key, 1)).number());
    const before = kind === 'plain' ? 0 : (seen.numbers[key] ?? 0);
    const number = kind === 'plain' ? code - 1 : before + unzigzag(code - 1);
    seen.numbers[key] = bounded(number, 0, MAX_NUMBER);
    return number;
  }

  #textOf(seen: Series, key: number): string {
    const code = this.columns.at(keyColumn(key)).number();
    const value = code === 0 ? seen.texts[key] : this.text(code - 1);
    if (value === undefined) throw new PackError('a text is as the one before, and there is none');
    seen.texts[key] = value;
    return value;
  }

  #phases(seen: Series, key: number, latency: number): string {
    let left = latency;
    let text = '';
    for (let i = 0; i < 5; i += 1) {
      const before = i < 4 ? (seen.phases[i] ?? 0) : left;
      const phase = bounded(before + this.columns.at(keyColumn(key, i)).signed(), 0, MAX_NUMBER);
      seen.phases[i] = phase;
      left -= phase;
      text += i === 0 ? phase : `,${phase}`;
    }
    return text;
  }

  #regenerate(): string[] {
    let line = 0;
    let size = 0;
    const prefixes = this.#monitors.map((monitor) => `${this.#service}/${monitor} `);
    return this.#plans.map(({ lines, raws, whole }) => {
      if (whole !== undefined) return whole;
      let body = '';
      let [place, nextRaw] = [0, 0];
      const takeRaws = (): void => {
        for (; raws[nextRaw]?.at === place; place += 1, nextRaw += 1)
          body += `${raws[nextRaw]?.text ?? ''}\n`;
      };
      for (const end = line + lines; line < end; line += 1, place += 1) {
        takeRaws();
        const { outcome, fault, keys } = this.shapeOfLine[line] as Shape;
        body += `${prefixes[this.monitorOfLine[line] ?? 0] ?? ''}${this.#dues[line]} ${outcome} ${this.#latencies[line]} ${fault}`;
        for (const key of keys) body += `${this.#keyParts[key] ?? ''}${this.values[key]?.[line] ?? ''}`;
        body += '\n';
        if (size + body.length > MAX_TEXT_BYTES) throw new PackError('its bodies are too large');
      }
      takeRaws();
      size += body.length;
      if (nextRaw < raws.length) throw new PackError('a line has no place in its body');
      return body;
    });
  }
}

/** The bodies of a segment in their order. Throws PackError. */
export function readSegment(
  service: string,
  bytes: Uint8Array,
  probeOf: readonly number[],
  compression: Compression,
): string[] {
  try {
    return new SegmentReader(service, bytes, compression).read(probeOf);
  } catch (error) {
    // A text of over half a gigabyte is a RangeError of the engine.
    throw error instanceof RangeError ? new PackError('its bodies are too large', { cause: error }) : error;
  }
}
