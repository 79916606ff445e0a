/** A configuration for tests: three regions with a probe each, a chain with two services, a service without one. */
import { generateSigningKey, type SigningKey } from '@highwater/config/keys.ts';
import type { Config, Monitor, NodeDecl, Service } from '@highwater/config/model.ts';

export const regions = ['eu', 'us', 'sg'] as const;
export type Region = (typeof regions)[number];

const target = (url: string) => ({ url, headers: {}, allowPrivate: false });

function nodeOf(id: string, zone: string): NodeDecl {
  const url = `https://${id}.example.com`;
  return { id, zone, url, operator: 'Example', target: target(url) };
}

function monitorOf(service: Service, node: NodeDecl, kind: string, intervalMs: number): Monitor {
  return {
    id: `${service.id}/${node.id}/${kind}`,
    service: service.id,
    node: node.id,
    check: kind,
    kind,
    intervalMs,
    timeoutMs: Math.floor(intervalMs / 2),
    confirm: { fall: 2, rise: 2, recheckAfterMs: 1_000 },
    regions: [...regions],
    counts: true,
    settings: {},
    target: node.target,
    ...(service.chain === undefined ? {} : { chain: service.chain }),
  };
}

export interface TestHouse {
  readonly config: Config;
  readonly keys: Readonly<Record<Region, SigningKey>>;
}

/** `intervalMs` of every monitor; a head and a jsonrpc check a node of `rpc`, one http check of `web`. */
export function testHouse(intervalMs = 1_000): TestHouse {
  const keys = Object.fromEntries(
    regions.map((region) => [region, generateSigningKey(`${region}-1`)]),
  ) as Record<Region, SigningKey>;
  const services: Service[] = [
    {
      id: 'rpc',
      name: 'Dev RPC',
      chain: 'devnet',
      visibility: 'public',
      minUp: 1,
      nodes: [nodeOf('a', 'z1'), nodeOf('b', 'z2')],
    },
    { id: 'web', name: 'Site', visibility: 'public', minUp: 1, nodes: [nodeOf('main', 'z3')] },
    {
      id: 'hidden',
      name: 'Canary Private',
      chain: 'devnet',
      visibility: 'private',
      minUp: 1,
      nodes: [nodeOf('canary-node', 'z4')],
    },
  ];
  const monitors = services.flatMap((service) =>
    service.nodes.flatMap((node) =>
      (service.id === 'web' ? ['http'] : ['head', 'jsonrpc']).map((kind) =>
        monitorOf(service, node, kind, intervalMs),
      ),
    ),
  );
  const config: Config = {
    site: { name: 'Test', url: 'http://localhost:3000' },
    origin: 'test.example/log',
    operator: 'Example',
    regions: regions.map((id) => ({ id, name: id.toUpperCase() })),
    probes: regions.map((region) => ({
      id: `${region}-1`,
      region,
      key: keys[region].vkey,
      operator: 'Example',
    })),
    chains: {
      devnet: {
        name: 'devnet',
        family: 'evm',
        chainId: 1,
        blockTimeMs: 1_000,
        maxLagBlocks: 5,
        maxAgeMs: 10_000,
        references: [],
      },
    },
    controls: [],
    services,
    monitors: monitors.sort((a, b) => (a.id < b.id ? -1 : 1)),
    alerts: { channels: [], policies: [] },
    retention: { hotMs: 172_800_000, bodiesMs: 34_164_000_000, slotsMs: 157_680_000_000 },
  };
  return { config, keys };
}
