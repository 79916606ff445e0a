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

const none = {};

/** The facts `e.ID`, by method. */
function equalOf(facts: Readonly<Record<string, string>>): Pick<Answer, 'equal'> {
  let equal: Record<string, string> | undefined;
  for (const [key, value] of Object.entries(facts)) {
    if (!key.startsWith('e.')) continue;
    equal ??= {};
    equal[key.slice('e.'.length)] = value;
  }
  return equal === undefined ? none : { equal };
}

/** What the facts of a line say of a head, and of calls that nodes are compared by. */
type HeadFacts = Pick<
  Answer,
  'height' | 'blockAt' | 'genesis' | 'blockId' | 'finalizedHeight' | 'checkpoint' | 'equal'
>;

function headFactsOf(facts: Readonly<Record<string, string>>): HeadFacts {
  return {
    ...(facts['h'] === undefined ? {} : { height: Number(facts['h']) }),
    ...(facts['bt'] === undefined ? {} : { blockAt: Number(facts['bt']) }),
    ...(facts['g'] === undefined ? {} : { genesis: facts['g'] }),
    ...(facts['id'] === undefined ? {} : { blockId: facts['id'] }),
    ...(facts['fh'] === undefined ? {} : { finalizedHeight: Number(facts['fh']) }),
    ...(facts['cp'] === undefined ? {} : { checkpoint: blockOf(facts['cp']) }),
    ...equalOf(facts),
  };
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
    if (seen === undefined || !watched.policies.has(seen.monitor)) continue;
    const { monitor, dueAt, outcome, latencyTenths, recheck, facts } = seen;
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
    const plain = { monitor, probe, region, dueAt, receivedAt, outcome, latencyTenths, recheck };
    const detail = frame.details?.[String(place)];
    answers.push(
      // Most lines say nothing else that is looked at, and each piece that may be there costs more than all of them.
      fault === undefined && detail === undefined && !tellsOfHead(facts)
        ? plain
        : {
            ...plain,
            ...(fault === undefined ? {} : { fault }),
            ...(detail === undefined ? {} : { detail }),
            ...headFactsOf(facts),
          },
    );
  }
  return { answers, troubles };
}

const headFacts: ReadonlySet<string> = new Set(['h', 'bt', 'g', 'id', 'fh', 'cp']);

function tellsOfHead(facts: Readonly<Record<string, string>>): boolean {
  return Object.keys(facts).some((key) => headFacts.has(key) || key.startsWith('e.'));
}
