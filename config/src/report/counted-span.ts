/** Over which part of a report's minutes a service was counted, in words. Pure. */
import { MINUTE_MS } from '../time.ts';
import type { CountedService } from './counted.ts';
import { serviceFigures } from './figures.ts';
import type { Report } from './report.ts';
import { grouped } from './words.ts';

const DAY_MINUTES = 1_440;
/** Told by name; the others are counted. */
const MAX_NAMED = 5;

/** `counted from 2026-10-31 on (1,440 of 44,640 minutes)`; undefined where it was over all of them. */
export function spanOf(
  { id, minutes, days }: Pick<CountedService, 'id' | 'minutes' | 'days'>,
  { first, last }: Report['minutes'],
  written = grouped,
): string | undefined {
  const all = last - first + 1;
  if (minutes >= all) return undefined;
  const own = days.find(({ subject }) => subject === id)?.days ?? [];
  const isCounted = own.map(([up, down, unknown, maintenance, stalled]) =>
    [up, down, unknown, maintenance, stalled].some((count) => count > 0),
  );
  const from = isCounted.indexOf(true);
  const to = isCounted.lastIndexOf(true);
  const dateOf = (index: number): string => dateText(first + index * DAY_MINUTES);
  const when = [
    ...(from > 0 ? [`from ${dateOf(from)}${to === own.length - 1 ? ' on' : ''}`] : []),
    ...(to >= 0 && to < own.length - 1 ? [`to ${dateOf(to)}`] : []),
  ].join(' ');
  const many = `${written(minutes)} of ${written(all)} minutes`;
  return when === '' ? `counted over ${many}` : `counted ${when} (${many})`;
}

function dateText(minute: number): string {
  const at = minute * MINUTE_MS;
  return at > 8_640_000_000_000_000 ? 'a time out of range' : new Date(at).toISOString().slice(0, 10);
}

/** `RPC: counted from …`, of each service that was not counted over all minutes; the first of them. @param safe for names @param written how numbers are */
export function partlyCounted(
  report: Pick<Report, 'counted' | 'told' | 'minutes'>,
  safe: (name: string) => string = (name) => name,
  written = grouped,
): string[] {
  const partly = serviceFigures(report).flatMap(({ name, service }) => {
    const span = spanOf(service, report.minutes, written);
    return span === undefined ? [] : [`${safe(name)}: ${span}`];
  });
  const more = partly.length - MAX_NAMED;
  return [
    ...partly.slice(0, MAX_NAMED),
    ...(more > 0 ? [`${written(more)} more ${more === 1 ? 'service' : 'services'} in part`] : []),
  ];
}
