/** A service's slot from its nodes' slots, or from its `public` checks (CONTRACTS "Service"). */
import { isServiceDegraded } from './degraded.ts';
import { type Judged, type MonitorPart, judgeNode } from './node.ts';
import { type State, commonCause } from './slot.ts';

/** The reserved node id of the checks that ask what users see. */
export const PUBLIC_NODE = 'public';

/**
 * Up if at least `minUp` nodes are up, down if up and unknown ones together are fewer, else unknown.
 * Without a node that has slots there is none.
 */
export function serviceSlot(nodes: readonly State[], minUp: number): State | undefined {
  if (nodes.length === 0) return undefined;
  const up = nodes.filter((state) => state === 'up').length;
  const unknown = nodes.filter((state) => state === 'unknown').length;
  if (up >= minUp) return 'up';
  return up + unknown < minUp ? 'down' : 'unknown';
}

/** A node of a service that a region does not ask, in what this region says of the service: it may be up or down. */
export const UNSEEN: Judged = {
  state: 'unknown',
  withHeads: 'unknown',
  degraded: false,
  stalled: false,
  cause: 'no-data',
};

/** The service's slot: of its public checks that count where it has any, else of its nodes that have slots. */
export function judgeService(
  publicMonitors: readonly MonitorPart[],
  nodes: readonly (Judged & { readonly hasStalledHead: boolean })[],
  minUp: number,
): Judged | undefined {
  if (publicMonitors.length > 0) return judgeNode(publicMonitors);
  const states = nodes.map((node) => node.state);
  const state = serviceSlot(states, minUp);
  const withHeads = serviceSlot(
    nodes.map((node) => node.withHeads),
    minUp,
  );
  if (state === undefined || withHeads === undefined) return undefined;
  const judged = {
    state,
    withHeads,
    degraded: isServiceDegraded(state, nodes, minUp),
    stalled: withHeads === 'up' && nodes.some((node) => node.hasStalledHead),
  };
  if (state !== 'unknown') return judged;
  const unknown = nodes.filter((node) => node.state === 'unknown');
  return { ...judged, cause: commonCause(unknown.map((node) => node.cause ?? 'no-data')) };
}
