/** What lies beside up: works, but badly (CONTRACTS "Degraded"). */
import type { State } from './slot.ts';

/** 2 x degraded >= ok + degraded, over the regions that say up; nothing seen is not degraded. */
export function isDegraded(regions: readonly { readonly ok: number; readonly degraded: number }[]): boolean {
  const ok = regions.reduce((sum, region) => sum + region.ok, 0);
  const degraded = regions.reduce((sum, region) => sum + region.degraded, 0);
  return degraded > 0 && 2 * degraded >= ok + degraded;
}

/** A node that is up with any degraded monitor of those that count. */
export function isNodeDegraded(state: State, monitors: readonly { readonly degraded: boolean }[]): boolean {
  return state === 'up' && monitors.some((monitor) => monitor.degraded);
}

/** A service that is up with fewer than `minUp` nodes that are up and free of it. */
export function isServiceDegraded(
  state: State,
  nodes: readonly { readonly state: State; readonly degraded: boolean }[],
  minUp: number,
): boolean {
  return state === 'up' && nodes.filter((node) => node.state === 'up' && !node.degraded).length < minUp;
}
