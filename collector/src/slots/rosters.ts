/** Which probes speak for a monitor, by region: those assigned whose key is enrolled in its window's first minute. */
import type { RuleMonitor, RuleProbe } from '@highwater/config/proof/projection.ts';
import type { ConfigInForce, Timeline } from '@highwater/config/proof/rule/timeline.ts';
import type { MonitorWindow } from './windows.ts';

export interface Roster {
  readonly regions: readonly (readonly [region: string, probes: readonly RuleProbe[]])[];
  readonly byKey: ReadonlyMap<string, RuleProbe>;
}

export type RosterOf = (window: MonitorWindow) => Roster;

/** One roster for all windows in which it is the same. */
export function rosters(timeline: Timeline): RosterOf {
  const enrolled = new WeakMap<ConfigInForce, Map<number, string>>();
  const known = new WeakMap<ConfigInForce, Map<string, Roster>>();
  /** The same by monitor and who is enrolled: without a text for each window. */
  const ofMonitor = new WeakMap<RuleMonitor, Map<string, Roster>>();

  const enrolledIn = (under: ConfigInForce, minute: number): string => {
    const minutes = enrolled.get(under) ?? new Map<number, string>();
    enrolled.set(under, minutes);
    const had = minutes.get(minute);
    if (had !== undefined) return had;
    if (minutes.size > 3_000) minutes.clear();
    const made = under.config.probes
      .map(({ vkey }) => (timeline.isEnrolledAt(vkey, minute) ? 1 : 0))
      .join('');
    minutes.set(minute, made);
    return made;
  };

  const find = (under: ConfigInForce, monitor: RuleMonitor, there: string): Roster => {
    const own = known.get(under) ?? new Map<string, Roster>();
    known.set(under, own);
    const key = `${there} ${monitor.regions.join(' ')}`;
    const had = own.get(key);
    if (had !== undefined) return had;
    const speaking = under.config.probes.filter(
      (probe, i) => monitor.regions.includes(probe.region) && there[i] === '1',
    );
    const made = {
      regions: [...Map.groupBy(speaking, (probe) => probe.region)],
      byKey: new Map(speaking.map((probe) => [probe.vkey, probe])),
    };
    own.set(key, made);
    return made;
  };

  return ({ under, monitor, first }) => {
    const there = enrolledIn(under, first);
    const own = ofMonitor.get(monitor) ?? new Map<string, Roster>();
    const had = own.get(there);
    if (had !== undefined) return had;
    const made = find(under, monitor, there);
    ofMonitor.set(monitor, own.set(there, made));
    return made;
  };
}
