import { type FaultId, faultId } from '@highwater/config/faults.ts';
import { MAX_CLOCK_BOUND_MS } from '@highwater/config/proof/rule/none.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import type { Answer, Block, ProbeTrouble } from '../decide/types.ts';
import { linesOfFrame } from '../ingest/rebuild.ts';
import type { FrameRow } from '../store/store.ts';
import type { Watched } from '../watched.ts';
import type { Arrived } from './recent.ts';

/** What the lines of a frame say, in their order. */
export interface Said {
  readonly answers: readonly Answer[];
  /** Of skipped lines and faults of the probe itself: they say nothing of the target, but why nothing is known. */
  readonly troubles: readonly ProbeTrouble[];
}

/** The fact `cp`, `HEIGHT.ID`. */
function blockOf(fact: string): Block {
  const [height = '', id = ''] = fact.split('.');
  return { height: Number(height), id };
}

/** An answer while it is being made: each piece is put where it belongs, since a copy for each costs more than all of them. */
type Open = { -readonly [Key in keyof Answer]: Answer[Key] };

/** What the facts of a line say of a head, and of calls that nodes are compared by (`e.ID`, by method). */
function putFacts(answer: Open, facts: Readonly<Record<string, string>>): void {
  let equal: Record<string, string> | undefined;
  for (const key of Object.keys(facts)) {
    const value = facts[key] ?? '';
    if (key === 'h') answer.height = Number(value);
    else if (key === 'bt') answer.blockAt = Number(value);
    else if (key === 'g') answer.genesis = value;
    else if (key === 'id') answer.blockId = value;
    else if (key === 'fh') answer.finalizedHeight = Number(value);
    else if (key === 'cp') answer.checkpoint = blockOf(value);
    else if (key.startsWith('e.')) (equal ??= {})[key.slice('e.'.length)] = value;
  }
  if (equal !== undefined) answer.equal = equal;
}

/** A frame of the store as ingest would have handed it on. */
export function arrivedIn(row: FrameRow): Arrived {
  const { pos, probe, receivedAt, details } = row;
  const observations = linesOfFrame(row).map((line) => {
    const seen = parseLine(line);
    return 'error' in seen ? undefined : seen;
  });
  return { pos, probe, receivedAt, observations, ...(details && { details }) };
}

/** Left out: monitors that the configuration does not know, and probes that it no longer has. */
export function saidIn(watched: Watched, frame: Arrived): Said {
  const answers: Answer[] = [];
  const troubles: ProbeTrouble[] = [];
  const { probe, receivedAt } = frame;
  const region = watched.regionOf.get(probe);
  if (region === undefined) return { answers, troubles };
  for (const [place, seen] of frame.observations.entries()) {
    const policy = seen === undefined ? undefined : watched.policies.get(seen.monitor);
    if (seen === undefined || policy === undefined) continue;
    const { dueAt, outcome, latencyTenths, recheck } = seen;
    // The configuration's own text: whoever looks it up again knows its hash, and finds the very same.
    const monitor = policy.id;
    // What is due after it was heard was told by a clock that is wrong; taken in, it would outlast what comes later.
    const isAhead = dueAt - receivedAt > MAX_CLOCK_BOUND_MS;
    if (isAhead) {
      troubles.push({ monitor, probe, region, receivedAt, fault: 'probe.clock.wrong' });
      continue;
    }
    const fault: FaultId | undefined = seen.fault === undefined ? undefined : faultId(seen.fault);
    if (outcome === 'skipped' || seen.fault?.source === 'probe') {
      if (fault !== undefined) troubles.push({ monitor, probe, region, receivedAt, fault });
      continue;
    }
    const answer: Open = { monitor, probe, region, dueAt, receivedAt, outcome, latencyTenths, recheck };
    if (fault !== undefined) answer.fault = fault;
    const detail = frame.details?.[String(place)];
    if (detail !== undefined) answer.detail = detail;
    putFacts(answer, seen.facts);
    answers.push(answer);
  }
  return { answers, troubles };
}
