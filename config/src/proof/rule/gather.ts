/** From batches to tallies: which lines count, for which monitor, probe and minute. */
import { MINUTES_PER_DAY, dayOfMinute } from '../../time.ts';
import { dueMinuteOf } from '../batch.ts';
import type { Hash } from '../bytes.ts';
import { phaseMs } from '../due.ts';
import { parseLine } from '../line.ts';
import type { RuleMonitor, RuleProbe } from '../projection.ts';
import { type BatchRecord, type Evidence, type Records, readBody } from './evidence.ts';
import { type Claim, type LineClass, classifyLine, earlierClaim } from './none.ts';
import { type Tally, addTallies, emptyTally, tallyOf } from './probe-minute.ts';
import type { ConfigInForce, Timeline } from './timeline.ts';
import { type Window, windowsOfDay } from './window.ts';

/** A monitor's window with the configuration of its first minute and the probes that then speak, by region. */
export interface MonitorWindow extends Window {
  readonly monitor: RuleMonitor;
  readonly under: ConfigInForce;
  /** n regions: those assigned that have an enrolled probe. */
  readonly roster: ReadonlyMap<string, readonly RuleProbe[]>;
}

/** The window of a monitor that a minute lies in; undefined where the monitor is not configured. */
export interface Windows {
  at(monitor: string, minute: number): MonitorWindow | undefined;
}

/** Works out the windows of each monitor and day once, with one entry a minute. */
export function windowsUnder(timeline: Timeline): Windows {
  const known = new Map<string, Map<number, readonly (MonitorWindow | undefined)[]>>();
  const rosterOf = rosters(timeline);
  const minutesOf = (id: string, day: number): (MonitorWindow | undefined)[] => {
    const minutes = new Array<MonitorWindow | undefined>(MINUTES_PER_DAY).fill(undefined);
    const windows = windowsOfDay(day, (minute) => {
      const under = timeline.configAt(minute);
      const monitor = under?.monitors.get(id);
      return under && monitor && { under, monitor, intervalMs: monitor.intervalMs };
    });
    for (const { first, last, under: found } of windows) {
      const { under, monitor } = found;
      const window = { first, last, under, monitor, roster: rosterOf(under, monitor, first) };
      minutes.fill(window, first % MINUTES_PER_DAY, (last % MINUTES_PER_DAY) + 1);
    }
    return minutes;
  };
  return {
    at(id, minute) {
      const day = dayOfMinute(minute);
      const days = entry(known, id, () => new Map<number, readonly (MonitorWindow | undefined)[]>());
      return entry(days, day, () => minutesOf(id, day))[minute % MINUTES_PER_DAY];
    },
  };
}

type Roster = ReadonlyMap<string, readonly RuleProbe[]>;

/** The probes that speak for a monitor by region; one roster for all windows in which they are the same. */
function rosters(timeline: Timeline): (under: ConfigInForce, monitor: RuleMonitor, minute: number) => Roster {
  const known = new Map<string, Roster>();
  return (under, monitor, minute) => {
    const speaking = under.config.probes.filter(
      (probe) => monitor.regions.includes(probe.region) && timeline.isEnrolledAt(probe.vkey, minute),
    );
    return entry(known, `${under.hash} ${speaking.map((probe) => probe.vkey).join(' ')}`, () => {
      const roster = new Map<string, RuleProbe[]>();
      for (const probe of speaking) entry(roster, probe.region, () => [] as RuleProbe[]).push(probe);
      return roster;
    });
  };
}

/** Tallies by monitor, minute and verifier key. */
export type Tallies = ReadonlyMap<string, ReadonlyMap<number, ReadonlyMap<string, Tally>>>;

interface Candidate {
  readonly claim: Claim;
  readonly minute: number;
  readonly monitor: string;
  readonly key: string;
  readonly judged: LineClass;
}

/** Reads the bodies of the batches that touch the days, and tallies what counts. Same result in any order. */
export function gather(
  records: Records,
  evidence: Evidence,
  timeline: Timeline,
  windows: Windows,
  isWanted: (minute: number) => boolean,
  hash: Hash,
): { tallies: Tallies; problems: string[] } {
  const problems: string[] = [];
  const candidates = new Map<string, Candidate>();
  const phase = phases(hash);
  const contradicted = contradictions(records.batches);
  for (const record of records.batches) {
    if (!isWanted(record.batch.minutes.first) && !isWanted(record.batch.minutes.last)) continue;
    const standing = {
      clockBoundMs: record.batch.clock.boundMs,
      enrolled: timeline.isEnrolledBelow(record.key, record.index),
      contradicted: contradicted(record),
    };
    for (const ref of record.batch.bodies) {
      const lines = readBody(ref, record.batch, evidence.bodies, hash);
      if ('error' in lines) {
        problems.push(`leaf ${record.index}: ${lines.error}`);
        continue;
      }
      for (const text of lines) addLine(text, record);
    }

    function addLine(text: string, { key, batch }: BatchRecord): void {
      const line = parseLine(text);
      if ('error' in line || line.recheck) return;
      const minute = dueMinuteOf(text);
      const window = windows.at(line.monitor, minute);
      const probe = [...(window?.roster.values() ?? [])]
        .flat()
        .find((p) => p.vkey === key && p.id === batch.probe);
      if (!window || !probe) return;
      const { intervalMs } = window.monitor;
      const judged = classifyLine(line, {
        ...standing,
        intervalMs,
        phaseMs: phase(window.under.config.seed, line.monitor, probe.id, intervalMs),
        entryHolds: sameEntry(window.under, batch.config, line.monitor, timeline),
      });
      const claim = { epoch: batch.epoch, number: batch.number, line: text };
      keep(candidates, `${key} ${line.monitor} ${line.dueAt}`, {
        claim,
        minute,
        monitor: line.monitor,
        key,
        judged,
      });
    }
  }
  return { tallies: tallied(candidates.values()), problems };
}

function keep(candidates: Map<string, Candidate>, id: string, candidate: Candidate): void {
  const other = candidates.get(id);
  if (!other) {
    candidates.set(id, candidate);
    return;
  }
  const claim = earlierClaim(other.claim, candidate.claim);
  candidates.set(id, { ...(claim === candidate.claim ? candidate : other), claim });
}

function tallied(candidates: Iterable<Candidate>): Tallies {
  const tallies = new Map<string, Map<number, Map<string, Tally>>>();
  for (const { claim, minute, monitor, key, judged } of candidates) {
    const minutes = entry(tallies, monitor, () => new Map<number, Map<string, Tally>>());
    const keys = entry(minutes, minute, () => new Map<string, Tally>());
    // A probe that contradicts itself is at fault, and neither of its lines is believed.
    const tally = claim.line === undefined ? { ...emptyTally, probe: 1 } : tallyOf(judged);
    const before = keys.get(key);
    keys.set(key, before ? addTallies(before, tally) : tally);
  }
  return tallies;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const held = map.get(key);
  if (held !== undefined) return held;
  const made = make();
  map.set(key, made);
  return made;
}

/** Whether what the batch ran asks this monitor's question as the configuration in force does. */
function sameEntry(under: ConfigInForce, ran: string, monitor: string, timeline: Timeline): boolean {
  if (ran === under.hash) return true;
  const entryThen = timeline.configOf(ran)?.entries.get(monitor);
  return entryThen !== undefined && entryThen === under.entries.get(monitor);
}

/** For each key and epoch the first number that it signed with two texts; everything from there on is void. */
function contradictions(batches: readonly BatchRecord[]): (record: BatchRecord) => boolean {
  const texts = new Map<string, string>();
  const firstVoid = new Map<string, number>();
  for (const { key, text, batch } of batches) {
    const epoch = `${key} ${batch.epoch}`;
    const id = `${epoch} ${batch.number}`;
    const other = texts.get(id);
    if (other === undefined) texts.set(id, text);
    else if (other !== text)
      firstVoid.set(epoch, Math.min(firstVoid.get(epoch) ?? batch.number, batch.number));
  }
  return ({ key, batch }) => batch.number >= (firstVoid.get(`${key} ${batch.epoch}`) ?? Infinity);
}

/** phaseMs, each worked out once. */
function phases(hash: Hash): (seed: string, monitor: string, probe: string, intervalMs: number) => number {
  const known = new Map<string, number>();
  return (seed, monitor, probe, intervalMs) => {
    const key = `${seed} ${monitor} ${probe} ${intervalMs}`;
    return entry(known, key, () => phaseMs(seed, monitor, probe, intervalMs, hash));
  };
}
