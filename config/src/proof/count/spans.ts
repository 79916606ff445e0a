/** A UTC day cut where what is in force changes, and each monitor's windows of it, those that are alike together. */
import { MINUTES_PER_DAY } from '../../time.ts';
import type { RuleMonitor, RuleProbe } from '../projection.ts';
import type { ConfigInForce, Timeline } from '../rule/timeline.ts';
import { windowMinutesOf } from '../rule/window.ts';

export interface Roster {
  readonly regions: readonly (readonly [region: string, probes: readonly RuleProbe[]])[];
  readonly probes: readonly RuleProbe[];
}

/** Minutes in which the same configuration is in force and the same keys are enrolled; both ends inclusive. */
export interface Stretch {
  readonly first: number;
  readonly last: number;
  readonly under: ConfigInForce;
  /** Of its probes those whose key is enrolled. */
  readonly speaking: readonly RuleProbe[];
}

/**
 * Windows one after the other, each `length` minutes and aligned, but for the first, which may begin later; under the configuration
 * and with the probes of their first minutes.
 */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly length: number;
  readonly under: ConfigInForce;
  readonly monitor: RuleMonitor;
  readonly roster: Roster;
}

/** Of minutes without a configuration there is none. */
export function stretchesOf(timeline: Timeline, day: number): Stretch[] {
  const stretches: Stretch[] = [];
  const end = (day + 1) * MINUTES_PER_DAY;
  let last: { first: number; under: ConfigInForce | undefined; there: string } | undefined;
  const close = (until: number): void => {
    if (last?.under === undefined) return;
    const { first, under, there } = last;
    const speaking = under.config.probes.filter((_, i) => there[i] === '1');
    stretches.push({ first, last: until - 1, under, speaking });
  };
  for (let minute = day * MINUTES_PER_DAY; minute < end; minute += 1) {
    const under = timeline.configAt(minute);
    let there = '';
    for (const { vkey } of under?.config.probes ?? [])
      there += timeline.isEnrolledAt(vkey, minute) ? '1' : '0';
    if (last !== undefined && last.under === under && last.there === there) continue;
    close(minute);
    last = { first: minute, under, there };
  }
  close(end);
  return stretches;
}

/** One roster for all monitors of a stretch that are asked from the same regions. */
const rosters = new WeakMap<Stretch, Map<string, Roster>>();

function rosterOf(stretch: Stretch, { regions }: RuleMonitor): Roster {
  const known = rosters.get(stretch) ?? new Map<string, Roster>();
  rosters.set(stretch, known);
  const key = regions.join(' ');
  const had = known.get(key);
  if (had !== undefined) return had;
  const probes = stretch.speaking.filter(({ region }) => regions.includes(region));
  const made = { probes, regions: [...Map.groupBy(probes, ({ region }) => region)] };
  known.set(key, made);
  return made;
}

/** Equals rule/window.ts windowsOfDay. */
export function spansOf(id: string, stretches: readonly Stretch[]): Span[] {
  const spans: Span[] = [];
  let next = 0;
  for (const stretch of stretches) {
    const first = Math.max(next, stretch.first);
    const monitor = stretch.under.monitors.get(id);
    if (monitor === undefined || first > stretch.last) continue;
    const length = windowMinutesOf(monitor.intervalMs);
    // The last one that begins here goes on to its aligned end, whatever changes inside it.
    const start = Math.max(first, stretch.last - (stretch.last % length));
    const last = start - (start % length) + length - 1;
    spans.push({ first, last, length, under: stretch.under, monitor, roster: rosterOf(stretch, monitor) });
    next = last + 1;
  }
  return spans;
}
