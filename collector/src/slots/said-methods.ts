/** What lines say of methods: a time or a fault for each fact `m.ID`. */
import { compareBytewise } from '@highwater/config/proof/bytes.ts';
import type { SeenLine } from './lines.ts';

/** A check has no more methods. What a probe says of others would fill the disk, and nobody asked it. */
export const MAX_METHODS = 16;

/** [the id, without `m.`, and tenths of a millisecond or the id of a fault] */
export type Said = readonly [method: string, value: string];

const FACT = 'm.';

const isOfProbe = (fault: string): boolean => fault.startsWith('probe.');

/** Where the facts of methods begin; they are sorted, so they stand together. Undefined without any. */
function start(facts: string): number | undefined {
  if (facts.startsWith(FACT)) return 0;
  const at = facts.indexOf(` ${FACT}`);
  return at === -1 ? undefined : at + 1;
}

/** Whether it says anything of methods. A line of the probe's own trouble does not, nor does a skipped one. */
export function tellsOfMethods({ outcome, fault, facts }: SeenLine): boolean {
  return start(facts) !== undefined && outcome !== 'skipped' && !isOfProbe(fault);
}

function read(facts: string, into: Said[]): void {
  for (let at = start(facts); at !== undefined && facts.startsWith(FACT, at);) {
    const equals = facts.indexOf('=', at);
    const space = facts.indexOf(' ', equals);
    const end = space === -1 ? facts.length : space;
    const value = facts.slice(equals + 1, end);
    if (!isOfProbe(value)) into.push([facts.slice(at + FACT.length, equals), value]);
    at = end + 1;
  }
}

/**
 * What the lines of one monitor, probe and minute say: of the first ids, bytewise, if they are more than a check has. That
 * depends on these lines alone, whatever else comes and goes, so that it can be taken out again as it was put in.
 */
export function saidOf(lines: readonly SeenLine[]): readonly Said[] {
  const said: Said[] = [];
  for (const { facts } of lines) read(facts, said);
  if (said.length <= MAX_METHODS) return said;
  const ids = new Set(said.map(([method]) => method));
  if (ids.size <= MAX_METHODS) return said;
  const counted = new Set([...ids].sort(compareBytewise).slice(0, MAX_METHODS));
  return said.filter(([method]) => counted.has(method));
}
