/** Bodies that are gone, by day: what is lost is often lost of all services at once. Pure. */
import type { Counted } from './counted.ts';
import { grouped } from './words.ts';

export interface MissingDay {
  readonly date: string;
  readonly services: readonly string[];
  readonly bodies: number;
}

/** By day, in order. */
export function missingDays(missing: Counted['missing']): MissingDay[] {
  const days = new Map<string, { date: string; services: string[]; bodies: number }>();
  for (const { service, date, bodies } of missing) {
    const day = days.get(date) ?? { date, services: [], bodies: 0 };
    day.services.push(service);
    day.bodies += bodies;
    days.set(date, day);
  }
  return [...days.values()].sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

/** More are counted. */
const MAX_NAMED = 3;

/** `rpc`, `rpc and web`, `a, b, c and 23 more`. @param safe for names */
export function servicesText(services: readonly string[], safe = (name: string): string => name): string {
  const more = services.length - MAX_NAMED;
  const named = services.slice(0, MAX_NAMED).map(safe);
  const [last = '', ...before] =
    more > 0 ? [`${grouped(more)} more`, ...named.toReversed()] : named.toReversed();
  return before.length === 0 ? last : `${before.toReversed().join(', ')} and ${last}`;
}

/** `1 body`, `1,204 bodies`. */
export function bodiesText(bodies: number): string {
  return `${grouped(bodies)} ${bodies === 1 ? 'body' : 'bodies'}`;
}
