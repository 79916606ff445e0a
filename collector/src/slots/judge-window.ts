/** From a window's tallies to what the rule says of its monitor: the rule's own steps, over what the store has. */
import { sha256 } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import { judgeMonitor, type MonitorJudgement } from '@highwater/config/proof/rule/monitor.ts';
import { type Claim, classifyLine, earlierClaim } from '@highwater/config/proof/rule/none.ts';
import { addTallies, emptyTally, type Tally, tallyOf } from '@highwater/config/proof/rule/probe-minute.ts';
import { judgeRegion, type RegionJudgement } from '@highwater/config/proof/rule/region.ts';
import type { RuleProbe } from '@highwater/config/proof/projection.ts';
import type { TallyEntry, TallyRow } from '../store/store.ts';
import type { Ground } from './ground.ts';
import type { MonitorWindow } from './windows.ts';

const phases = new Map<string, number>();
/** Phases kept: a change of configuration leaves old ones behind. */
const MAX_PHASES = 200_000;

function phaseOf(seed: string, monitor: string, probe: string, intervalMs: number): number {
  const key = `${seed} ${monitor} ${probe} ${intervalMs}`;
  const known = phases.get(key);
  if (known !== undefined) return known;
  if (phases.size >= MAX_PHASES) phases.clear();
  const made = phaseMs(seed, monitor, probe, intervalMs, sha256);
  phases.set(key, made);
  return made;
}

/** Regions assigned to the window's monitor with their probes that are enrolled in its first minute. */
export function rosterOf(ground: Ground, { under, monitor, first }: MonitorWindow): Map<string, RuleProbe[]> {
  const speaking = under.config.probes.filter(
    (probe) => monitor.regions.includes(probe.region) && ground.timeline.isEnrolledAt(probe.vkey, first),
  );
  return Map.groupBy(speaking, (probe) => probe.region);
}

/** Of several lines for one due time the one that stands; none when a batch holds two different ones. */
function standing(entries: readonly TallyEntry[]): TallyEntry | undefined {
  const claimOf = (entry: TallyEntry): Claim => ({
    epoch: entry.epoch,
    number: entry.number,
    line: entry.rest,
  });
  const claim = entries.map(claimOf).reduce(earlierClaim);
  if (claim.line === undefined) return undefined;
  return entries.find(
    (entry) => entry.epoch === claim.epoch && entry.number === claim.number && entry.rest === claim.line,
  );
}

function holds(ground: Ground, window: MonitorWindow, config: number): boolean {
  const ran = ground.configAtIndex(config);
  if (ran === undefined) return false;
  if (ran.hash === window.under.hash) return true;
  const entry = ran.entries.get(window.monitor.id);
  return entry !== undefined && entry === window.under.entries.get(window.monitor.id);
}

function classified(ground: Ground, window: MonitorWindow, probe: RuleProbe, entry: TallyEntry): Tally {
  const { monitor, under } = window;
  const line = parseLine(`${monitor.id} ${entry.dueAt} ${entry.rest}`);
  if ('error' in line) return emptyTally;
  const judged = classifyLine(line, {
    intervalMs: monitor.intervalMs,
    phaseMs: phaseOf(under.config.seed, monitor.id, probe.id, monitor.intervalMs),
    clockBoundMs: entry.boundMs,
    enrolled: ground.timeline.isEnrolledBelow(probe.vkey, entry.index),
    contradicted: entry.number >= ground.voidFrom(probe.vkey, entry.epoch),
    entryHolds: holds(ground, window, entry.config),
  });
  return tallyOf(judged);
}

function tallyOfProbe(
  ground: Ground,
  window: MonitorWindow,
  probe: RuleProbe,
  rows: readonly TallyRow[],
): Tally {
  const entries = rows.filter((row) => row.key === probe.vkey).flatMap((row) => row.entries);
  let sum = emptyTally;
  for (const same of Map.groupBy(entries, (entry) => entry.dueAt).values()) {
    const entry = standing(same);
    // A probe that contradicts itself is at fault, and neither of its lines is believed.
    const tally =
      entry === undefined ? { ...emptyTally, probe: 1 } : classified(ground, window, probe, entry);
    sum = addTallies(sum, tally);
  }
  return sum;
}

/** What each region of the window says, by region. */
export function judgeRegions(
  ground: Ground,
  window: MonitorWindow,
  rows: readonly TallyRow[],
): Map<string, RegionJudgement> {
  const judged = new Map<string, RegionJudgement>();
  for (const [region, probes] of rosterOf(ground, window)) {
    judged.set(region, judgeRegion(probes.map((probe) => tallyOfProbe(ground, window, probe, rows))));
  }
  return judged;
}

/** The monitor's judgement; `rows` are its tallies from the window's first to its last minute. */
export function judgeWindow(
  ground: Ground,
  window: MonitorWindow,
  rows: readonly TallyRow[],
): MonitorJudgement {
  return judgeMonitor([...judgeRegions(ground, window, rows).values()], window.monitor.quorum);
}
