/** What the regions agree on for one monitor (CONTRACTS "Monitor"). */
import { isDegraded } from './degraded.ts';
import type { RegionJudgement } from './region.ts';
import { type Say, type State, type UnknownCause, commonCause } from './slot.ts';

export interface MonitorJudgement {
  readonly state: State;
  readonly degraded: boolean;
  /** Set where the state is unknown. */
  readonly cause?: UnknownCause;
  /** Down, and by `target.head.old` alone in every region that says down. */
  readonly old: boolean;
}

/**
 * Q of n: floor(n / 2) + 1, or what the configuration says. One that lies outside n/2 < Q <= n (regions came or
 * went since it was written) is moved to the nearer end.
 */
export function quorumOf(n: number, declared?: number): number {
  const majority = Math.floor(n / 2) + 1;
  return declared === undefined ? majority : Math.min(Math.max(declared, majority), Math.max(n, 1));
}

/** Up if Q regions are up, down if Q are down, else unknown. `n` regions are assigned; some may be silent. */
export function monitorSlot(regions: readonly Say[], n: number, quorum?: number): State {
  const q = quorumOf(n, quorum);
  if (regions.filter((say) => say === 'up').length >= q) return 'up';
  return regions.filter((say) => say === 'down').length >= q ? 'down' : 'unknown';
}

/** monitorSlot of the n assigned regions that have an enrolled probe, one judgement each, silent ones too. */
export function judgeMonitor(regions: readonly RegionJudgement[], quorum?: number): MonitorJudgement {
  const n = regions.length;
  const says = regions.map((region) => region.say);
  const state = monitorSlot(says, n, quorum);
  const down = regions.filter((region) => region.say === 'down');
  const judged = {
    state,
    degraded: state === 'up' && isDegraded(regions.filter((region) => region.say === 'up')),
    old: state === 'down' && down.every((region) => region.old),
  };
  return state === 'unknown' ? { ...judged, cause: causeOf(regions, quorumOf(n, quorum)) } : judged;
}

/** Split when enough regions spoke but not with one voice; otherwise why most of the silent ones are silent. */
function causeOf(regions: readonly RegionJudgement[], quorum: number): UnknownCause {
  const silent = regions.filter((region) => region.say === 'none' && region.cause !== 'split');
  if (regions.length - silent.length >= quorum) return 'split';
  return silent.length === 0 ? 'no-data' : commonCause(silent.map((region) => region.cause ?? 'no-data'));
}
