/** Scopes: which troubles have one cause. Widest first: chain, zone, service, node. */
import type { Instant } from '@highwater/config/time.ts';
import type { Topology } from './types.ts';

/** `service`, `service/node` or `chain:NAME`. */
export type Subject = string;

export interface Place {
  /** Of a node. */
  readonly zone?: string;
  readonly service: string;
  /** The subject of its chain, where it has one that is compared. */
  readonly chain?: Subject;
  /** For sentences: `Dev RPC`, `Node eu of Dev RPC`, `Ethereum`. */
  readonly title: string;
  /** A service's watched nodes; empty for a node. */
  readonly nodes: readonly Subject[];
}

export interface Zone {
  readonly id: string;
  readonly nodes: readonly Subject[];
}

/** A chain that can be a cause. */
export interface ChainPlace {
  readonly services: readonly Subject[];
  readonly stallWaitMs: number;
}

/** The topology by subject, and the chains and zones that can be a cause. */
export interface Places {
  readonly chains: ReadonlyMap<Subject, ChainPlace>;
  readonly bySubject: ReadonlyMap<Subject, Place>;
  readonly zones: readonly Zone[];
}

/**
 * A zone can be a cause of its own when it has two watched nodes or more (with one it says no more than the node)
 * and they are not just all the nodes of one service: users know their service, not where it stands.
 */
export function placesOf(topology: Topology): Places {
  const bySubject = new Map<Subject, Place>();
  const zones = new Map<string, Subject[]>();
  const chains = new Map<Subject, ChainPlace>();
  for (const { id, stallWaitMs } of topology.chains ?? []) {
    const services = topology.services.filter((s) => s.chain === id).map((s) => s.id);
    chains.set(chainSubject(id), { services, stallWaitMs });
    bySubject.set(chainSubject(id), { service: '', title: titleOfChain(id), nodes: [] });
  }
  for (const service of topology.services) {
    const subject = chainSubject(service.chain ?? '');
    const chain = chains.has(subject) ? { chain: subject } : {};
    const nodes = service.nodes.map((node) => `${service.id}/${node.id}`);
    bySubject.set(service.id, { service: service.id, title: service.name, nodes, ...chain });
    for (const { id, zone } of service.nodes) {
      const subject = `${service.id}/${id}`;
      bySubject.set(subject, {
        zone,
        service: service.id,
        title: `Node ${id} of ${service.name}`,
        nodes: [],
        ...chain,
      });
      zones.set(zone, [...(zones.get(zone) ?? []), subject]);
    }
  }
  const wide = [...zones].filter(([, nodes]) => nodes.length >= 2 && !isOneService(bySubject, nodes));
  return { bySubject, chains, zones: wide.map(([id, nodes]) => ({ id, nodes })) };
}

function chainSubject(chain: string): Subject {
  return `chain:${chain}`;
}

export function isChain(subject: Subject): boolean {
  return subject.startsWith('chain:');
}

/** `polkadot-asset-hub` -> `Polkadot asset hub`: chains have ids alone. */
function titleOfChain(id: string): string {
  return `${id.slice(0, 1).toUpperCase()}${id.slice(1).replaceAll('-', ' ')}`;
}

function isOneService(bySubject: ReadonlyMap<Subject, Place>, nodes: readonly Subject[]): boolean {
  const services = new Set(nodes.map((node) => bySubject.get(node)?.service));
  const [only] = services;
  return services.size === 1 && bySubject.get(only ?? '')?.nodes.length === nodes.length;
}

/** Something that went wrong, as scopes need it. */
interface Since {
  readonly kind: 'down' | 'degraded';
  readonly since: Instant;
}

/**
 * The zones all of whose watched nodes went down within `togetherMs`.
 * @param explained whether a node's trouble is, or may soon be, part of a wider one
 */
export function zonesDown(
  places: Places,
  troubles: ReadonlyMap<Subject, Since>,
  togetherMs: number,
  explained: (node: Subject) => boolean,
): readonly Zone[] {
  return places.zones.filter(({ nodes }) => {
    const own = nodes.filter((node) => !explained(node)).map((node) => troubles.get(node));
    const down = own.filter((trouble) => trouble?.kind === 'down');
    const times = down.map((trouble) => trouble?.since ?? 0);
    return down.length === nodes.length && Math.max(...times) - Math.min(...times) <= togetherMs;
  });
}
