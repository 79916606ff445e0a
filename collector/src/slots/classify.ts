/** How a line counts, by the rule's own clauses, and what it adds to a tally. */
import { type Fault, faultFromId } from '@highwater/config/faults.ts';
import { sha256 } from '@highwater/config/keys.ts';
import { phaseMs } from '@highwater/config/proof/due.ts';
import { classifyLine, type LineContext } from '@highwater/config/proof/rule/none.ts';
import { emptyTally, type Tally, tallyOf } from '@highwater/config/proof/rule/probe-minute.ts';
import type { RuleMonitor, RuleProbe } from '@highwater/config/proof/projection.ts';
import type { ConfigInForce } from '@highwater/config/proof/rule/timeline.ts';
import type { Ground } from './ground.ts';
import type { ReadLine, Torn } from './read-lines.ts';
import type { ReadBatch } from './standing.ts';
import type { MonitorWindow } from './windows.ts';

/** By probe and monitor of a configuration; without a text to look them up by, since it is asked for every minute. */
const phases = new WeakMap<ConfigInForce, Map<string, Map<string, number>>>();

function phaseOf(under: ConfigInForce, { id, intervalMs }: RuleMonitor, probe: string): number {
  const ofAll = phases.get(under) ?? new Map<string, Map<string, number>>();
  phases.set(under, ofAll);
  const ofProbe = ofAll.get(probe) ?? new Map<string, number>();
  ofAll.set(probe, ofProbe);
  const known = ofProbe.get(id);
  if (known !== undefined) return known;
  const made = phaseMs(under.config.seed, id, probe, intervalMs, sha256);
  ofProbe.set(id, made);
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

const tornTally: Tally = { ...emptyTally, probe: 1 };

/** What lines of one batch add to the tally of one monitor and window. */
export type Classify = (said: ReadLine | Torn) => Tally;

/** What is known of a batch's lines for a window. */
export function contextOf(
  ground: Ground,
  of: ReadBatch,
  window: MonitorWindow,
  probe: RuleProbe,
): LineContext {
  const { monitor, under } = window;
  const { batch, commit, key } = of;
  return {
    intervalMs: monitor.intervalMs,
    phaseMs: phaseOf(under, monitor, probe.id),
    clockBoundMs: batch.clock.boundMs,
    enrolled: ground.timeline.isEnrolledBelow(key, commit.index),
    contradicted: batch.number >= ground.voidFrom(key, batch.epoch),
    entryHolds: holds(ground, window, batch.config),
  };
}

export function classifier(ground: Ground, of: ReadBatch, window: MonitorWindow, probe: RuleProbe): Classify {
  const { monitor } = window;
  const context = contextOf(ground, of, window, probe);
  return (said) => {
    // A probe that contradicts itself is at fault, and neither of its lines is believed.
    if (!('text' in said)) return tornTally;
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
