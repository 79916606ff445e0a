/** How a line counts, by the rule's own clauses, and what it adds to a tally. */
import { type Fault, faultFromId } from '@highwater/config/faults.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { classifyLine } from '@highwater/config/proof/rule/none.ts';
import { emptyTally, type Tally, tallyOf } from '@highwater/config/proof/rule/probe-minute.ts';
import type { RuleProbe } from '@highwater/config/proof/projection.ts';
import type { Ground } from './ground.ts';
import type { ReadLine, Torn } from './read-lines.ts';
import type { ReadBatch } from './standing.ts';
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

/** Ids of a closed list. */
const faults = new Map<string, Fault | undefined>();

function faultOf(id: string): Fault | undefined {
  if (id === '-') return undefined;
  if (!faults.has(id)) faults.set(id, faultFromId(id));
  return faults.get(id);
}

/** Whether what the batch ran asks this monitor's question as the configuration in force does. */
function holds(ground: Ground, { under, monitor }: MonitorWindow, ran: string): boolean {
  if (ran === under.hash) return true;
  const entry = ground.timeline.configOf(ran)?.entries.get(monitor.id);
  return entry !== undefined && entry === under.entries.get(monitor.id);
}

/** What lines of one batch add to the tally of one monitor and window. */
export type Classify = (said: ReadLine | Torn) => Tally;

export function classifier(ground: Ground, of: ReadBatch, window: MonitorWindow, probe: RuleProbe): Classify {
  const { monitor, under } = window;
  const { batch, commit, key } = of;
  const context = {
    intervalMs: monitor.intervalMs,
    phaseMs: phaseOf(under.config.seed, monitor.id, probe.id, monitor.intervalMs),
    clockBoundMs: batch.clock.boundMs,
    enrolled: ground.timeline.isEnrolledBelow(key, commit.index),
    contradicted: batch.number >= ground.voidFrom(key, batch.epoch),
    entryHolds: holds(ground, window, batch.config),
  };
  return (said) => {
    // A probe that contradicts itself is at fault, and neither of its lines is believed.
    if (!('text' in said)) return { ...emptyTally, probe: 1 };
    const fault = faultOf(said.fault);
    const { dueAt, outcome, latencyTenths, lateMs } = said;
    return tallyOf(
      classifyLine(
        {
          monitor: monitor.id,
          dueAt,
          outcome,
          latencyTenths,
          facts: {},
          lateMs,
          recheck: false,
          ...(fault === undefined ? {} : { fault }),
        },
        context,
      ),
    );
  };
}
