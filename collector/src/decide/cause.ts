/** Scopes: which troubles have one cause. Widest first: (chain stall, once heads can stall), zone, service, node. */
import type { Instant } from '@highwater/config/time.ts';
import type { Topology } from './types.ts';

/** `service` or `service/node`. */
export type Subject = string;

export interface Place {
  /** Of a node. */
  readonly zone?: string;
  readonly service: string;
  /** For sentences: `Dev RPC`, `Node eu of Dev RPC`. */
  readonly title: string;
  /** A service's watched nodes; empty for a node. */
  readonly nodes: readonly Subject[];
}

export interface Zone {
  readonly id: string;
  readonly nodes: readonly Subject[];
}

/** The topology by subject, and the zones that can be a cause. */
export interface Places {
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
  for (const service of topology.services) {
    const nodes = service.nodes.map((node) => `${service.id}/${node.id}`);
    bySubject.set(service.id, { service: service.id, title: service.name, nodes });
    for (const { id, zone } of service.nodes) {
      const subject = `${service.id}/${id}`;
      bySubject.set(subject, {
        zone,
        service: service.id,
        title: `Node ${id} of ${service.name}`,
        nodes: [],
      });
      zones.set(zone, [...(zones.get(zone) ?? []), subject]);
    }
  }
  const wide = [...zones].filter(([, nodes]) => nodes.length >= 2 && !isOneService(bySubject, nodes));
  return { bySubject, zones: wide.map(([id, nodes]) => ({ id, nodes })) };
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

/** The zones all of whose watched nodes went down within `togetherMs`. */
export function zonesDown(
  places: Places,
  troubles: ReadonlyMap<Subject, Since>,
  togetherMs: number,
): readonly Zone[] {
  return places.zones.filter(({ nodes }) => {
    const down = nodes.map((node) => troubles.get(node)).filter((trouble) => trouble?.kind === 'down');
    const times = down.map((trouble) => trouble?.since ?? 0);
    return down.length === nodes.length && Math.max(...times) - Math.min(...times) <= togetherMs;
  });
}
