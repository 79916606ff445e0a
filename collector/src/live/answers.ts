import { type FaultId, faultId } from '@highwater/config/faults.ts';
import { MAX_CLOCK_BOUND_MS } from '@highwater/config/proof/rule/none.ts';
import { parseLine } from '@highwater/config/proof/line.ts';
import type { Answer, Block, ProbeTrouble } from '../decide/types.ts';
import { linesOfFrame } from '../ingest/rebuild.ts';
import type { FrameRow } from '../store/store.ts';
import type { Watched } from '../watched.ts';

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

/** Left out: monitors that the configuration does not know, and probes that it no longer has. */
export function saidIn(watched: Watched, row: FrameRow): Said {
  const answers: Answer[] = [];
  const troubles: ProbeTrouble[] = [];
  const { probe, receivedAt } = row;
  const region = watched.regionOf.get(probe);
  if (region === undefined) return { answers, troubles };
  for (const [place, line] of linesOfFrame(row).entries()) {
    const seen = parseLine(line);
    if ('error' in seen || !watched.policies.has(seen.monitor)) continue;
    const { monitor, facts } = seen;
    // What is due after it was heard was told by a clock that is wrong; taken in, it would outlast what comes later.
    const isAhead = seen.dueAt - receivedAt > MAX_CLOCK_BOUND_MS;
    if (isAhead) {
      troubles.push({ monitor, probe, region, receivedAt, fault: 'probe.clock.wrong' });
      continue;
    }
    const fault: FaultId | undefined = seen.fault === undefined ? undefined : faultId(seen.fault);
    if (seen.outcome === 'skipped' || seen.fault?.source === 'probe') {
      if (fault !== undefined) troubles.push({ monitor, probe, region, receivedAt, fault });
      continue;
    }
    const detail = row.details?.[String(place)];
    answers.push({
      monitor,
      probe,
      region,
      dueAt: seen.dueAt,
      receivedAt,
      outcome: seen.outcome,
      latencyTenths: seen.latencyTenths,
      recheck: seen.recheck,
      ...(fault === undefined ? {} : { fault }),
      ...(detail === undefined ? {} : { detail }),
      ...(facts['h'] === undefined ? {} : { height: Number(facts['h']) }),
      ...(facts['bt'] === undefined ? {} : { blockAt: Number(facts['bt']) }),
      ...(facts['g'] === undefined ? {} : { genesis: facts['g'] }),
      ...(facts['id'] === undefined ? {} : { blockId: facts['id'] }),
      ...(facts['fh'] === undefined ? {} : { finalizedHeight: Number(facts['fh']) }),
      ...(facts['cp'] === undefined ? {} : { checkpoint: blockOf(facts['cp']) }),
      ...equalOf(facts),
    });
  }
  return { answers, troubles };
}
