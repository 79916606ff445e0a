/**
 * The closed list of faults. A fault says which operation failed, how, and whose fault it looks like.
 * The list is versioned with the uptime rule: a line with a fault that is not here is malformed.
 * Words follow OONI's failure vocabulary (operations apart from reasons) and globalping's `failureSource`.
 * One table for each operation is in faults/.
 */
import { connectFaults } from './faults/connect.ts';
import { dnsFaults } from './faults/dns.ts';
import { headFaults } from './faults/head.ts';
import { httpFaults } from './faults/http.ts';
import { probeFaults } from './faults/probe.ts';
import { refusalFaults } from './faults/refusals.ts';
import { resolverFaults } from './faults/resolver.ts';
import { rpcFaults } from './faults/rpc.ts';
import { tcpFaults } from './faults/tcp.ts';
import { tlsFaults } from './faults/tls.ts';
import { wsFaults } from './faults/ws.ts';
import type { FaultId, FaultMeanings } from './faults/meaning.ts';

export type { FaultId, FaultMeaning } from './faults/meaning.ts';

export type FaultSource = 'target' | 'resolver' | 'probe';

export interface Fault {
  readonly source: FaultSource;
  readonly operation: string;
  readonly code: string;
  /** For people, at most 256 characters, from outside and therefore hostile; never in a line. */
  readonly detail?: string;
}

export const faultMeanings: FaultMeanings = {
  ...resolverFaults,
  ...connectFaults,
  ...tlsFaults,
  ...tcpFaults,
  ...httpFaults,
  ...rpcFaults,
  ...headFaults,
  ...wsFaults,
  ...dnsFaults,
  ...probeFaults,
};

const aboutProbe: ReadonlySet<string> = new Set(['control', 'clock', 'loop', 'fd', 'schedule']);

/** Of the probe as a whole and all that it asks, not of one check: told once for its region. */
export function isWholeProbe({ source, operation, code }: Fault): boolean {
  // A line at one address is about that address.
  if (operation === 'schedule' && code === 'busy') return false;
  return source === 'probe' && aboutProbe.has(operation);
}

/** The server is well but refuses this client: a rate limit or a ban. */
export function isRefusal(fault: Fault): boolean {
  return refusalFaults.has(faultId(fault));
}

/** `source.operation.code`. */
export function faultId(fault: Fault): FaultId {
  return `${fault.source}.${fault.operation}.${fault.code}`;
}

export function isFaultId(text: string): boolean {
  return Object.hasOwn(faultMeanings, text);
}

/** The fault behind an id of the list; undefined for anything else. */
export function faultFromId(id: string): Fault | undefined {
  if (!isFaultId(id)) return undefined;
  const [source, operation, code] = id.split('.') as [FaultSource, string, string];
  return { source, operation, code };
}
