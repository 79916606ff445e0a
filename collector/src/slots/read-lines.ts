/** Lines of a body in one pass. They were checked when the body was taken in, and are not checked again. */
import type { Outcome } from '@highwater/config/domain.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import type { SeenLine } from './lines.ts';

export interface ReadLine extends SeenLine {
  readonly minute: number;
  readonly lateMs: number;
  /** The whole line: what repeats are compared by. */
  readonly text: string;
}

/** Two different lines of one batch for one due time: neither is believed. */
export interface Torn {
  readonly monitor: string;
  readonly dueAt: number;
  readonly minute: number;
}

export interface BodyLines {
  readonly lines: ReadLine[];
  readonly torn: Torn[];
}

/** The one text of an id that is kept: a piece of a body would keep the whole of it. */
export type Intern = (text: string) => string;

const SPACE = 32;
const LF = 10;
const ZERO = 48;
const outcomes = new Map<number, Outcome>([
  ['o'.charCodeAt(0), 'ok'],
  ['d'.charCodeAt(0), 'degraded'],
  ['f'.charCodeAt(0), 'fail'],
  ['s'.charCodeAt(0), 'skipped'],
]);

function isRecheck(facts: string): boolean {
  if (!facts.includes('re=1')) return false;
  return facts.split(' ').includes('re=1');
}

function lateOf(facts: string): number {
  // Not split: nearly every line is late by some milliseconds.
  const at = facts.startsWith('late=') ? 0 : facts.indexOf(' late=') + 1;
  if (at === 0 && !facts.startsWith('late=')) return 0;
  const end = facts.indexOf(' ', at);
  return Number(facts.slice(at + 'late='.length, end === -1 ? undefined : end));
}

/** Reads digits up to a space; `at` is where they begin. */
function numberAt(body: string, at: number): number {
  let value = 0;
  for (let i = at; ; i += 1) {
    const code = body.charCodeAt(i);
    // At the end it is not a number, and ends too.
    if (!(code > SPACE)) return value;
    value = value * 10 + code - ZERO;
  }
}

/** The line that begins at `start`, of a monitor that is known; undefined for a recheck. */
function lineAt(body: string, start: number, end: number, monitor: string): ReadLine | undefined {
  const due = start + monitor.length + 1;
  const outcome = body.indexOf(' ', due) + 1;
  const latency = body.indexOf(' ', outcome) + 1;
  const fault = body.indexOf(' ', latency) + 1;
  const next = body.indexOf(' ', fault);
  const faultEnd = next === -1 || next > end ? end : next;
  const facts = faultEnd === end ? '' : body.slice(faultEnd + 1, end);
  if (facts !== '' && isRecheck(facts)) return undefined;
  const dueAt = numberAt(body, due);
  return {
    monitor,
    dueAt,
    minute: Math.floor(dueAt / MINUTE_MS),
    outcome: outcomes.get(body.charCodeAt(outcome)) ?? 'skipped',
    latencyTenths: numberAt(body, latency),
    fault: faultEnd === fault + 1 ? '-' : body.slice(fault, faultEnd),
    facts,
    lateMs: facts === '' ? 0 : lateOf(facts),
    text: body.slice(start, end),
  };
}

/** Adds the lines of minutes [first, last] that stand in the body: no rechecks, each once. */
export function readLines(body: string, first: number, last: number, intern: Intern, into: BodyLines): void {
  let monitor = '';
  let previous: ReadLine | undefined;
  let isTorn = false;
  for (let start = 0; start < body.length;) {
    const end = body.indexOf('\n', start);
    const isSame =
      body.charCodeAt(start + monitor.length) === SPACE && monitor !== '' && body.startsWith(monitor, start);
    if (!isSame) monitor = intern(body.slice(start, body.indexOf(' ', start)));
    const line = lineAt(body, start, end, monitor);
    start = end + 1;
    if (line === undefined || line.minute < first || line.minute > last) continue;
    // Lines are sorted: those for one due time are neighbours.
    if (previous?.monitor !== monitor || previous.dueAt !== line.dueAt) {
      into.lines.push(line);
      previous = line;
      isTorn = false;
    } else if (previous.text !== line.text && !isTorn) {
      into.lines.pop();
      into.torn.push({ monitor, dueAt: line.dueAt, minute: line.minute });
      isTorn = true;
    }
  }
}

/** Where the first line begins that is not below `text`; the body's length when all are. */
function firstFrom(body: string, text: string): number {
  let [low, high] = [0, body.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const start = middle === 0 ? 0 : body.lastIndexOf('\n', middle - 1) + 1;
    const end = body.indexOf('\n', start);
    if (body.slice(start, end) < text) low = end + 1;
    else high = start;
  }
  return low;
}

/** What a body says for one due time; undefined when nothing. */
export function lineFor(body: string, monitor: string, dueAt: number): ReadLine | Torn | undefined {
  const prefix = `${monitor} ${dueAt} `;
  let found: ReadLine | undefined;
  for (let start = firstFrom(body, prefix); body.startsWith(prefix, start);) {
    const end = body.charCodeAt(start) === LF ? start : body.indexOf('\n', start);
    const line = lineAt(body, start, end, monitor);
    start = end + 1;
    if (line === undefined) continue;
    if (found !== undefined && found.text !== line.text) return { monitor, dueAt, minute: line.minute };
    found = line;
  }
  return found;
}
