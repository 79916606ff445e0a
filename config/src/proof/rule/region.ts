/** What a region says of one monitor: the majority of its probes that say something (CONTRACTS "Region"). */
import { isDegraded } from './degraded.ts';
import { type Tally, sayOf, silenceOf } from './probe-minute.ts';
import { type Say, type State, type UnknownCause, commonCause } from './slot.ts';

export interface RegionJudgement {
  readonly say: Say;
  /** Set where it says nothing. */
  readonly cause?: UnknownCause;
  /** Lines of all its probes. */
  readonly ok: number;
  readonly degraded: number;
  /** Down, and every failing line of its probes that say down is `target.head.old`. */
  readonly old: boolean;
}

/** The majority of those that say something; a tie is none. */
export function regionOf(probes: readonly Say[]): Say {
  const up = probes.filter((say) => say === 'up').length;
  const down = probes.filter((say) => say === 'down').length;
  if (up === down) return 'none';
  return up > down ? 'up' : 'down';
}

/** regionOf, from the tallies of the region's enrolled probes, with what the later steps need. */
export function judgeRegion(probes: readonly Tally[]): RegionJudgement {
  const says = probes.map(sayOf);
  const say = regionOf(says);
  const failing = probes.filter((_, i) => says[i] === 'down');
  const judged = {
    say,
    ok: probes.reduce((sum, probe) => sum + probe.ok, 0),
    degraded: probes.reduce((sum, probe) => sum + probe.degraded, 0),
    old: say === 'down' && failing.every((probe) => probe.old === probe.fail),
  };
  return say === 'none' ? { ...judged, cause: causeOf(probes, says) } : judged;
}

function causeOf(probes: readonly Tally[], says: readonly Say[]): UnknownCause {
  if (says.some((say) => say !== 'none')) return 'split';
  return probes.length === 0 ? 'no-data' : commonCause(probes.map(silenceOf));
}

/** What a region says as a slot of its own, beside the one that the regions agree on. */
export function slotOfRegion(judgement: RegionJudgement): {
  readonly state: State;
  readonly degraded: boolean;
  readonly cause?: UnknownCause;
} {
  const { say, cause } = judgement;
  if (say === 'none') return { state: 'unknown', degraded: false, cause: cause ?? 'no-data' };
  return { state: say, degraded: say === 'up' && isDegraded([judgement]) };
}
