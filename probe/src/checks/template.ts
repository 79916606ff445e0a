/**
 * Parameters that vary, so that no cache can flatter a node: `{{head}}`, `{{head-100}}`, `{{random 1000..9000}}` and
 * `{{head-random 10..100}}` (blocks back), each with ` hex` or ` int` at its end to say the notation. Pure: the random
 * numbers come of a hash of the round and the place, so that all probes ask all nodes the same in one round.
 */
import { createHash } from 'node:crypto';

/** What stands between the braces. `from` to `to` is how far below the head, or without `head` the number itself. */
interface Template {
  readonly head: boolean;
  readonly from: number;
  readonly to: number;
  readonly notation: 'hex' | 'int' | undefined;
}

/** What templates are filled with. */
export interface Filling {
  /** Needed where `needsHead` says so. */
  readonly head?: number;
  /** How a parameter that is only a template is written unless it says so itself. */
  readonly heights: 'hex' | 'number' | 'decimal';
  readonly round: number;
  /** Makes the numbers of one method others than those of the next. */
  readonly id: string;
}

/** Up to 15 digits: all of them below 2^53. */
const inside = /^(?:head(?:-([0-9]{1,15}))?|(head-)?random ([0-9]{1,15})\.\.([0-9]{1,15}))(?: (hex|int))?$/;
const opened = '{{';
const whole = /\{\{([^{}]*)\}\}/g;

const forms = '{{head}}, {{head-100}}, {{random 1000..9000}} or {{head-random 10..100}}';

/** What is wrong with the templates of a text, and what to write instead; undefined when nothing is. */
export function templateProblem(text: string): string | undefined {
  if (text.replaceAll(whole, '').includes(opened)) return `{{ without }}, write ${forms}`;
  for (const [, said = ''] of text.matchAll(whole)) {
    const template = parse(said);
    if (!template)
      return `not a template, write ${forms}, with ' hex' or ' int' before the }} where the notation matters`;
    if (template.from > template.to)
      return 'a range that ends before it begins, write the smaller number first';
  }
  return undefined;
}

/** A text with each of its templates replaced. */
export function withoutTemplates(text: string, by: (inside: string) => string): string {
  return text.replaceAll(whole, (_, said: string) => by(said));
}

/** Whether something in it is counted from the head. */
export function needsHead(value: unknown): boolean {
  if (typeof value === 'string') {
    return (
      value.includes('{{') && [...value.matchAll(whole)].some(([, said = '']) => parse(said)?.head ?? false)
    );
  }
  return typeof value === 'object' && value !== null && Object.values(value).some(needsHead);
}

/** The value with all templates in its texts filled in; those of keys stay. */
export function fill<T>(value: T, filling: Filling): T {
  let count = 0;
  const filled = (inner: unknown): unknown => {
    if (typeof inner === 'string') return filledText(inner, filling, () => (count += 1));
    if (Array.isArray(inner)) return inner.map(filled);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, deeper]) => [key, filled(deeper)]));
  };
  return filled(value) as T;
}

/** A text with all templates filled in as text: decimal digits, unless one says ` hex`. */
export function fillText(text: string, filling: Filling): string {
  return String(filledText(text, { ...filling, heights: 'number' }, counter()));
}

function counter(): () => number {
  let count = 0;
  return () => (count += 1);
}

function filledText(text: string, filling: Filling, next: () => number): string | number {
  if (!text.includes('{{')) return text;
  const [first] = text.matchAll(whole);
  if (first?.[0] === text) {
    const template = parsed(first[1] ?? '');
    const value = valueOf(template, filling, next());
    const notation = template.notation ?? filling.heights;
    if (notation === 'hex') return hexText(value);
    return notation === 'decimal' ? String(value) : value;
  }
  return text.replaceAll(whole, (_, said: string) => {
    const template = parsed(said);
    const value = valueOf(template, filling, next());
    return template.notation === 'hex' ? hexText(value) : String(value);
  });
}

function hexText(value: number): string {
  return `0x${value.toString(16)}`;
}

/** `place` tells the templates of one method apart. */
function valueOf({ head, from, to }: Template, filling: Filling, place: number): number {
  const number = from === to ? from : from + random(filling.round, filling.id, place, to - from + 1);
  if (!head) return number;
  if (filling.head === undefined) throw new Error('a template of the head without a head');
  // A young chain has not yet so many blocks: its first is asked, and not all chains have a block 0.
  return Math.max(filling.head - number, Math.min(1, filling.head));
}

/** 0 to `below` - 1, as evenly as 52 bits allow. */
function random(round: number, id: string, place: number, below: number): number {
  const digest = createHash('sha256').update(`${round}\n${id}\n${place}`).digest('hex');
  return Number.parseInt(digest.slice(0, 13), 16) % below;
}

function parsed(said: string): Template {
  const template = parse(said);
  if (!template) throw new Error('a template that the settings should have refused');
  return template;
}

function parse(said: string): Template | undefined {
  const match = inside.exec(said.trim());
  if (!match) return undefined;
  const [, back = '0', below, from, to, notation] = match;
  const known = { notation: notation as Template['notation'] };
  if (from === undefined) return { ...known, head: true, from: Number(back), to: Number(back) };
  return { ...known, head: below !== undefined, from: Number(from), to: Number(to) };
}
