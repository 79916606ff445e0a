/** What a fault means, in sentences; the closed list is faults.ts. */
import { faultFromId, faultMeanings } from './faults.ts';
import type { Fault, FaultId, FaultMeaning } from './faults.ts';
import { nearest } from './problems.ts';

/** Who is at fault, by the fault's source. */
const sources: Readonly<Record<Fault['source'], string>> = {
  target: 'Source target: the endpoint, or something on the way to it. It counts against the endpoint.',
  resolver:
    'Source resolver: the name could not be resolved. It counts against the endpoint, as its users cannot resolve it either.',
  probe:
    'Source probe: the probe itself, not the endpoint. It counts for nothing: the minute is unknown there.',
};

/** Operations in the order in which a check goes through them. */
const operations: Readonly<Record<string, string>> = {
  resolve: 'while resolving the name',
  connect: 'while connecting',
  tls: 'during the TLS handshake',
  http: 'in the HTTP exchange',
  rpc: 'in the JSON-RPC answer',
  head: "in what the node says of the chain's head",
};

export interface Explanation extends FaultMeaning {
  readonly fault: FaultId;
  readonly source: string;
  /** `while connecting`; absent for the probe's own faults. */
  readonly when?: string;
}

/** Explains `source.operation.code`; undefined for anything that is not in the list. */
export function explainFault(id: string): Explanation | undefined {
  const fault = faultFromId(id);
  const meaning = faultMeanings[id];
  if (!fault || !meaning) return undefined;
  const when = operations[fault.operation];
  return { fault: id, ...meaning, source: sources[fault.source], ...(when === undefined ? {} : { when }) };
}

/**
 * The faults that a word may mean: itself, or those that hold every part of it (`timeout`, `tls expired`).
 * Empty when there are none.
 */
export function findFaults(word: string): Explanation[] {
  const exact = explainFault(word);
  if (exact) return [exact];
  const parts = word
    .toLowerCase()
    .split(/[^a-z0-9-]+/)
    .filter((part) => part !== '');
  const fits = (id: string) => parts.length > 0 && parts.every((part) => id.split('.').includes(part));
  return Object.keys(faultMeanings)
    .filter(fits)
    .flatMap((id) => explainFault(id) ?? []);
}

/** The fault that a mistyped word probably means. */
export function nearestFault(word: string): FaultId | undefined {
  return nearest(word, Object.keys(faultMeanings));
}

/** All of them, in the order of the list. */
export function allFaults(): Explanation[] {
  return Object.keys(faultMeanings).flatMap((id) => explainFault(id) ?? []);
}
