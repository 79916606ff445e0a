/** Nodes and services of one minute from bytes, by the rule's own steps, each worked out once for what is alike. */
import { type Judged, type MonitorPart, judgeNode } from '../rule/node.ts';
import { UNSEEN, judgeService } from '../rule/service.ts';
import { byteOf, slotOfByte } from '../rule/slot-byte.ts';

type NodeOfService = Judged & { readonly hasStalledHead: boolean };

/** A head of a chain that stands still: over its byte. */
export const STALLED = 16;
const MAX_KNOWN = 200_000;

const nodes: (NodeOfService | undefined)[] = [undefined];
const nodeIds = new Map<string, number>();
/** By id of what is judged of a node; 0 is none. */
export const nodeBytes: number[] = [0];

function idOf(judged: NodeOfService): number {
  const { state, withHeads, degraded, stalled, cause, hasStalledHead } = judged;
  const key = `${state} ${withHeads} ${degraded} ${stalled} ${cause} ${hasStalledHead}`;
  const known = nodeIds.get(key);
  if (known !== undefined) return known;
  const id = nodes.push(judged) - 1;
  nodeBytes.push(byteOf({ ...judged, maintenance: false }));
  nodeIds.set(key, id);
  return id;
}

/** A node that a region does not ask. */
export const UNSEEN_NODE = idOf({ ...UNSEEN, hasStalledHead: false });

function partOf(byte: number): MonitorPart | undefined {
  const slot = slotOfByte(byte);
  if (slot === undefined) return undefined;
  const { state, degraded, stalled, cause } = slot;
  return { state, degraded, stalledHead: stalled, ...(cause === undefined ? {} : { cause }) };
}

const byParts = new Map<string, number>();

/** What monitors come to, by their bytes: 0 of those that say nothing. */
export function nodeOf(bytes: readonly number[]): number {
  const key = bytes.join(' ');
  const known = byParts.get(key);
  if (known !== undefined) return known;
  const parts = bytes.flatMap((byte) => partOf(byte) ?? []);
  const judged = judgeNode(parts);
  const id = judged ? idOf({ ...judged, hasStalledHead: parts.some((part) => part.stalledHead) }) : 0;
  if (byParts.size > MAX_KNOWN) byParts.clear();
  byParts.set(key, id);
  return id;
}

const services = new Map<string, number>();

/** A service's byte from ids of its nodes, 0 of those that there are not; 0: there is no slot. */
export function serviceByte(ids: readonly number[], minUp: number): number {
  const key = `${minUp}:${ids.join(' ')}`;
  const known = services.get(key);
  if (known !== undefined) return known;
  const judged = judgeService(
    [],
    ids.flatMap((id) => nodes[id] ?? []),
    minUp,
  );
  const byte = judged ? byteOf({ ...judged, maintenance: false }) : 0;
  if (services.size > MAX_KNOWN) services.clear();
  services.set(key, byte);
  return byte;
}
