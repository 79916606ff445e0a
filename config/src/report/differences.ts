/** What differs between two revisions of a report: paths of integers that changed, came or went. Pure. */
import { MAX_DIFFERENCES, type Report } from './report.ts';

/** Elements of these lists are told apart by these keys rather than by their place, so that one more moves no other. */
const nameKeys: Readonly<Record<string, readonly string[]>> = {
  services: ['id'],
  subjects: ['subject', 'region'],
  days: ['subject'],
  outages: ['subject', 'firstMinute'],
  latency: ['subject', 'region', 'method'],
  latencyDays: ['subject'],
  heads: ['subject', 'chain'],
  certificates: ['monitor'],
  probes: ['key'],
  gaps: ['epoch', 'first', 'why'],
  silent: ['firstMinute'],
  voided: ['epoch'],
  later: ['month', 'probe'],
  missing: ['service', 'date'],
  configs: ['year', 'index'],
  keys: ['year', 'index'],
  maintenance: ['year', 'index'],
  actions: ['year', 'index'],
  annotations: ['year', 'index'],
  logs: ['year'],
};

/**
 * Of what is counted and logged, and how far the logs were read: `counted.services.rpc.subjects.rpc.totals.down: 25 -> 23`;
 * `none` where the other has no such place. In the order of the earlier one, then what only the later one has.
 */
export function differencesOf(before: Report, after: Report): { differences: string[]; more: number } {
  const differences: string[] = [];
  let more = 0;
  const tell = (path: string, was: number | undefined, is: number | undefined): void => {
    if (was === is) return;
    if (differences.length < MAX_DIFFERENCES)
      differences.push(`${path}: ${was ?? 'none'} -> ${is ?? 'none'}`);
    else more += 1;
  };
  for (const part of ['logs', 'counted', 'logged'] as const) {
    const [was, is] = [leavesOf(before[part], part), leavesOf(after[part], part)];
    for (const [path, value] of was) tell(path, value, is.get(path));
    for (const [path, value] of is) if (!was.has(path)) tell(path, undefined, value);
  }
  return { differences, more };
}

/** All integers below a value by path; of two that have one path the second gets a number. */
function leavesOf(value: unknown, path: string): Map<string, number> {
  const found = new Map<string, number>();
  collect(value, path, path, found);
  return found;
}

function collect(value: unknown, path: string, key: string, into: Map<string, number>): void {
  if (typeof value === 'number') {
    into.set(path, value);
  } else if (Array.isArray(value)) {
    const seen = new Map<string, number>();
    for (const [i, element] of value.entries()) {
      const name = nameOf(element, key) ?? String(i);
      const times = (seen.get(name) ?? 0) + 1;
      seen.set(name, times);
      collect(element, `${path}.${times === 1 ? name : `${name}#${times}`}`, '', into);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) collect(inner, `${path}.${name}`, name, into);
  }
}

/** Undefined where an element has no name: it is then told by its place. */
function nameOf(element: unknown, list: string): string | undefined {
  const keys = Object.hasOwn(nameKeys, list) ? nameKeys[list] : undefined;
  if (keys === undefined || typeof element !== 'object' || element === null) return undefined;
  const parts = keys.map((key) => (element as Readonly<Record<string, unknown>>)[key]);
  return parts
    .filter((part) => part !== undefined)
    .map(String)
    .join('@');
}
