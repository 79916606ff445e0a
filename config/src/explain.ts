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
  tcp: 'in what was said over the connection',
  http: 'in the HTTP exchange',
  rpc: 'in the JSON-RPC answer',
  dns: 'in what a name server answered',
  head: "in what the node says of the chain's head",
};

/** Causes of a verdict that no single check sees: they come of comparing nodes, regions or time. */
const causes: Readonly<Record<string, FaultMeaning>> = {
  behind: {
    means: "The node's newest block is further behind the chain's agreed head than the chain's maxLag.",
    look: 'Is it still syncing, short of disk or peers, or is its import slower than the chain? Degraded, never down.',
    causes: ['it still syncs after a restart', 'its disk is too slow for the chain', 'too few or slow peers'],
  },
  ahead: {
    means: "The node's newest block is far ahead of what the other nodes of the chain agree on.",
    look: 'Is it on a fork or another network with the same id, does it make up its height, or are all the others behind? Degraded, never down.',
    causes: [
      'it is on a fork or on another network with the same id',
      'the other nodes are behind',
      'it makes up its height',
    ],
  },
  stalled: {
    means:
      'Most heads of the chain, of at least two operators, stand still together: it is the chain, not a node.',
    look: "Ask the chain's own channels. Such minutes are counted apart, never as up.",
    causes: [
      'validators of the chain are offline or disagree',
      'an upgrade of the chain went wrong',
      'an attack or a bug that stops block production',
    ],
  },
  forked: {
    means:
      'At one height, below what the chain takes back in its daily life, the node has another block than most others, or than any.',
    look: 'Compare its version with theirs: nodes part at an upgrade that one has missed. It comes back when its database is taken from another node. Degraded, never down.',
    causes: ['it missed an upgrade', 'its database is damaged', 'the chain itself has split'],
  },
  'no-data': {
    means: 'Too few regions have answered in that minute: neither up nor down is known.',
    look: 'highwater status shows which probes were heard, and when.',
    causes: [
      'probes that are down or cut off from the collector',
      'a probe whose clock is wrong, so that its answers do not count',
      'a service with fewer regions than its quorum',
      'a server that refused the probe, where a check has refusals: skip',
    ],
  },
  split: {
    means: 'The regions, or the probes of one region, contradict each other and no side has enough votes.',
    look: 'Compare the votes in highwater why: an outage that only some regions see is often routing or DNS.',
    causes: [
      'routing or DNS that differs by region',
      'a firewall or ban that meets one region alone',
      'a server behind the load balancer that is bad',
    ],
  },
  clock: {
    means:
      "A probe's clock was never compared with the collector's, was over 2 s off, or stepped: its answers do not count.",
    look: 'Keep the clock of the probe right with NTP.',
    causes: [
      'no time synchronisation on the probe',
      'a virtual machine that was paused or moved',
      'the probe has just started and was not yet compared',
    ],
  },
};

const causeSource = 'Not a fault of one check: a cause of a verdict, made by comparing.';

export interface Explanation extends FaultMeaning {
  readonly fault: FaultId;
  readonly source: string;
  /** `while connecting`; absent for the probe's own faults. */
  readonly when?: string;
}

/** Explains `source.operation.code`, or a cause of a verdict such as `ahead`; undefined for anything else. */
export function explainFault(id: string): Explanation | undefined {
  const cause = Object.hasOwn(causes, id) ? causes[id] : undefined;
  if (cause) return { fault: id, ...cause, source: causeSource };
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
  return nearest(word, [...Object.keys(faultMeanings), ...Object.keys(causes)]);
}

/** All of them, in the order of the list. */
export function allFaults(): Explanation[] {
  return [...Object.keys(faultMeanings), ...Object.keys(causes)].flatMap((id) => explainFault(id) ?? []);
}
