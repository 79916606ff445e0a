/** What lines of one UTC day say, as numbers in columns: of one monitor and one key at a time. */
import { utf8 } from '../bytes.ts';
import { MINUTES_PER_DAY } from '../../time.ts';

/** Of a row: due (ms of the day), what and of which batch, latency, lateness. */
export const WIDTH = 4;
export const WHAT = 1;
export const LATENCY = 2;
export const LATE = 3;
/** The second column: place of the batch x 16 + torn + what the line says. */
export const SAID_BITS = 4;
export const TORN = 8;

/** What else a line tells: from `METHODS` on the place of a method. */
export const HEIGHT = 0;
export const CERTIFICATE = 1;
export const METHODS = 2;
/** A service that tells of more is told without any. */
export const MAX_METHODS_OF_SERVICE = 256;

function longer<T extends Uint32Array | Float64Array | Uint16Array>(from: T, make: (length: number) => T): T {
  const made = make(from.length * 2);
  made.set(from);
  return made;
}

export class Rows {
  rows = 0;
  words = new Uint32Array(64 * WIDTH);
  /** Each due time is above the one before. */
  isAscending = true;
  facts = 0;
  factRow = new Uint32Array(16);
  factWhat = new Uint16Array(16);
  factValue = new Float64Array(16);
  /** Whole lines by row, of batches whose number was signed twice. */
  texts: Map<number, string> | undefined;
  /** By minute of the day (tallies.ts). */
  readonly tallies = new Uint32Array(MINUTES_PER_DAY);
  private kept = { rows: 0, facts: 0, isAscending: true };

  push(due: number, what: number, latency: number, late: number): void {
    const at = this.rows * WIDTH;
    if (at === this.words.length) this.words = longer(this.words, (length) => new Uint32Array(length));
    const { words } = this;
    if (at !== 0 && due <= (words[at - WIDTH] ?? 0)) this.isAscending = false;
    words[at] = due;
    words[at + WHAT] = what;
    words[at + LATENCY] = latency;
    words[at + LATE] = late;
    this.rows += 1;
  }

  /** Of the row that was pushed last. */
  fact(what: number, value: number): void {
    const at = this.facts;
    if (at === this.factRow.length) {
      this.factRow = longer(this.factRow, (length) => new Uint32Array(length));
      this.factWhat = longer(this.factWhat, (length) => new Uint16Array(length));
      this.factValue = longer(this.factValue, (length) => new Float64Array(length));
    }
    this.factRow[at] = this.rows - 1;
    this.factWhat[at] = what;
    this.factValue[at] = value;
    this.facts += 1;
  }

  /** Of the row that was pushed last the batch says something else as well. */
  tear(): void {
    const at = (this.rows - 1) * WIDTH + WHAT;
    this.words[at] = (this.words[at] ?? 0) | TORN;
  }

  keepText(text: string): void {
    this.texts ??= new Map();
    this.texts.set(this.rows - 1, text);
  }

  mark(): void {
    this.kept = { rows: this.rows, facts: this.facts, isAscending: this.isAscending };
  }

  /** As it was when it was marked. */
  undo(): void {
    ({ rows: this.rows, facts: this.facts, isAscending: this.isAscending } = this.kept);
    if (this.texts) for (const row of this.texts.keys()) if (row >= this.rows) this.texts.delete(row);
  }

  clear(): void {
    this.rows = 0;
    this.facts = 0;
    this.isAscending = true;
    this.texts = undefined;
  }
}

interface Method {
  readonly bytes: Uint8Array;
  readonly place: number;
}

export class MonitorRows {
  readonly id: string;
  readonly service: string;
  /** `service/node` */
  readonly node: string;
  /** The id and a space. */
  readonly bytes: Uint8Array;
  /** By place of the key. */
  readonly byKey: (Rows | undefined)[] = [];
  /** In the order in which its lines told them first. */
  readonly methods: Method[] = [];

  constructor(id: string) {
    this.id = id;
    this.node = id.slice(0, id.lastIndexOf('/'));
    this.service = id.slice(0, id.indexOf('/'));
    this.bytes = utf8(`${id} `);
  }

  rowsOf(key: number): Rows {
    return (this.byKey[key] ??= new Rows());
  }

  clear(): void {
    for (const rows of this.byKey) rows?.clear();
  }
}

/** All monitors of a service that were ever configured; they are found in the order of lines. */
export class ServiceRows {
  readonly id: string;
  readonly monitors: readonly MonitorRows[];
  readonly byId: ReadonlyMap<string, MonitorRows>;
  readonly methods = new Map<string, number>();

  constructor(id: string, monitors: readonly string[]) {
    this.id = id;
    const sorted = [...monitors].sort((a, b) => (`${a} ` < `${b} ` ? -1 : 1));
    this.monitors = sorted.map((each) => new MonitorRows(each));
    this.byId = new Map(this.monitors.map((each) => [each.id, each]));
  }

  /** Undefined: there are too many. */
  methodPlace(id: string): number | undefined {
    const known = this.methods.get(id);
    if (known !== undefined) return known;
    // One more, by which it is known that there are more.
    if (this.methods.size > MAX_METHODS_OF_SERVICE) return undefined;
    this.methods.set(id, this.methods.size);
    return this.methods.size - 1;
  }

  get hasTooManyMethods(): boolean {
    return this.methods.size > MAX_METHODS_OF_SERVICE;
  }
}
