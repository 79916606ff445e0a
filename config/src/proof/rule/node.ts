/** A node's slot from its monitors' slots (CONTRACTS "Node"). */
import { isNodeDegraded } from './degraded.ts';
import { type State, type UnknownCause, commonCause } from './slot.ts';

/** The part of a monitor's minute that its node needs. */
export interface MonitorPart {
  readonly state: State;
  readonly degraded: boolean;
  readonly cause?: UnknownCause;
  /** A head of a chain that is stalled in this minute. */
  readonly stalledHead: boolean;
}

export interface Judged {
  readonly state: State;
  readonly degraded: boolean;
  readonly cause?: UnknownCause;
  /** Whether the stalled overlay lies over it. */
  readonly stalled: boolean;
  /** What it would be were the stalled heads up. */
  readonly withHeads: State;
}

/** Down if any is down, up if all are up, else unknown; over the monitors that count. Without one there is no slot. */
export function nodeSlot(monitors: readonly State[]): State | undefined {
  if (monitors.length === 0) return undefined;
  if (monitors.includes('down')) return 'down';
  return monitors.every((state) => state === 'up') ? 'up' : 'unknown';
}

/** nodeSlot with what lies over and beside it. Also the slot of a service by its `public` checks. */
export function judgeNode(monitors: readonly MonitorPart[]): Judged | undefined {
  const state = nodeSlot(monitors.map((monitor) => monitor.state));
  const withHeads = nodeSlot(monitors.map((monitor) => (monitor.stalledHead ? 'up' : monitor.state)));
  if (state === undefined || withHeads === undefined) return undefined;
  const judged = {
    state,
    withHeads,
    degraded: isNodeDegraded(state, monitors),
    stalled: withHeads === 'up' && monitors.some((monitor) => monitor.stalledHead),
  };
  if (state !== 'unknown') return judged;
  const unknown = monitors.filter((monitor) => monitor.state === 'unknown');
  return { ...judged, cause: commonCause(unknown.map((monitor) => monitor.cause ?? 'no-data')) };
}
