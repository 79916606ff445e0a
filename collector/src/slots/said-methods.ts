/** What lines say of methods: a time or a fault for each fact `m.ID`. */
import type { SeenLine } from './lines.ts';

/** A check has no more methods: what a line tells beyond them counts as nothing. */
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

/** A line of the probe's own trouble says nothing of methods, nor does a skipped one. */
export function* saidOf({ outcome, fault, facts }: SeenLine): Generator<Said> {
  if (outcome === 'skipped' || isOfProbe(fault)) return;
  let left = MAX_METHODS;
  for (let at = start(facts); at !== undefined && left > 0 && facts.startsWith(FACT, at); left -= 1) {
    const equals = facts.indexOf('=', at);
    const space = facts.indexOf(' ', equals);
    const end = space === -1 ? facts.length : space;
    const value = facts.slice(equals + 1, end);
    if (!isOfProbe(value)) yield [facts.slice(at + FACT.length, equals), value];
    at = end + 1;
  }
}
