/**
 * What both ways of a segment share: the places of its columns, the kinds of its keys, and the order in which heads are
 * told. A segment holds whole bodies of one service; docs/storage.md describes it.
 */
import { MAX_KEYS } from './line-parts.ts';
import { PackError } from './wire.ts';

/** Lines of one segment; one body may have no more either. */
export const MAX_LINES = 131_072;
export const MAX_BODIES = 65_536;
/** Bodies times monitors of a segment: one count each. */
export const MAX_COUNTS = 4_194_304;
/** Chains in a segment that are told apart; what is over that shares the last. */
export const MAX_GROUPS = 64;
/** Of due times in one segment, ms: also keeps the order of heads exact. */
export const MAX_SPAN_MS = 2 ** 31;

export const column = {
  header: 0,
  texts: 1,
  counts: 2,
  due: 3,
  shape: 4,
  latency: 5,
  raw: 6,
  firstDue: 7,
} as const;

const FIRST_KEY = 8;
/** Columns of a key, used from the first on. */
const KEY_COLUMNS = 5;

export function keyColumn(key: number, place = 0): number {
  return FIRST_KEY + KEY_COLUMNS * key + place;
}
export const MAX_KEY_NAMES = 512;

/**
 * `number`: difference to the one before of the monitor and probe. `plain`: itself. `text`: by number, 0 for the one before.
 * `phases`: five numbers. The others are told in order of time: `height`: difference to the highest so far of its chain;
 * `near`, `block`, `fork`: nothing when it is what was last told for the height.
 */
export const kinds = ['number', 'plain', 'text', 'phases', 'height', 'near', 'block', 'fork'] as const;
export type Kind = (typeof kinds)[number];

export const isOfHead = (kind: Kind): boolean => kinds.indexOf(kind) >= 4;

const fixedKinds: Readonly<Record<string, Kind>> = {
  late: 'plain',
  p: 'phases',
  h: 'height',
  bt: 'near',
  fh: 'near',
  id: 'block',
  cp: 'fork',
};

export function kindOf(key: string, numbers: number, texts: number): Kind {
  const fixed = Object.hasOwn(fixedKinds, key) ? fixedKinds[key] : undefined;
  return fixed ?? (numbers > texts ? 'number' : 'text');
}

/** A shape and the keys of its lines, by number. */
export interface Shape {
  /** `OUTCOME` and `FAULT` as they stand in a line. */
  readonly outcome: string;
  readonly fault: string;
  readonly isFail: boolean;
  readonly keys: readonly number[];
}

export function shapeOf(text: string, keyNumbers: ReadonlyMap<string, number>): Shape {
  const [outcome = '', fault = '', ...names] = text.split(' ');
  if (names.length > MAX_KEYS) throw new PackError('a line has too many keys');
  const keys = names.map((name) => {
    const number = keyNumbers.get(name);
    if (number === undefined) throw new PackError('a line has a key without a column');
    return number;
  });
  return { outcome, fault, isFail: outcome !== 'ok' && outcome !== 'degraded', keys };
}

/** Lines by the instant of their answers, as far as a line says it: `ats` in ms since the segment's base. */
export function inOrderOfTime(lines: readonly number[], ats: ArrayLike<number>): number[] {
  const order = Float64Array.from(lines, (line) => (ats[line] ?? 0) * MAX_LINES + line).sort();
  return Array.from(order, (value) => value % MAX_LINES);
}

/** When a line's answer was there, ms after the base. */
export function answeredAt(due: number, late: number, latency: number): number {
  return due + Math.min(late, 2 ** 31) + Math.floor(latency / 10);
}

/** What was last told of one chain's blocks. */
export class Group {
  highest = 0;
  readonly #told = new Map<number, (string | undefined)[]>();
  readonly #last: number[] = [];

  told(height: number, key: number): string | undefined {
    return this.#told.get(height)?.[key];
  }
  tell(height: number, key: number, value: string): void {
    const row = this.#told.get(height);
    if (row === undefined)
      this.#told.set(height, Object.assign<string[], Record<number, string>>([], { [key]: value }));
    else row[key] = value;
  }
  last(key: number): number {
    return this.#last[key] ?? 0;
  }
  setLast(key: number, value: number): void {
    this.#last[key] = value;
  }
}
