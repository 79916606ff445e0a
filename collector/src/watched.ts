/** What is watched, as the collector's parts need it: made once from the configuration. */
import { referenceHost } from '@highwater/config/chains.ts';
import type { Config, Monitor, Service } from '@highwater/config/model.ts';
import { parseVerifier, type Verifier } from '@highwater/config/keys.ts';
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import type { ChainPolicy, MonitorPolicy, ServicePolicy, Topology } from './decide/types.ts';

/** The shard of evidence: frames and the commit sequence. */
export const LOG_SHARD = 'log';
/** The shard of what spans chains: incidents, silences, the feed. */
export const HOUSE_SHARD = 'house';

/** Grace over two intervals and the timeout, ms, after which an answer is no longer fresh (CONTRACTS "Live"). */
const FRESH_GRACE_MS = 5_000;

export interface Watched {
  readonly config: Config;
  readonly verifiers: readonly Verifier[];
  /** Region by probe id. */
  readonly regionOf: ReadonlyMap<string, string>;
  readonly monitors: ReadonlyMap<string, Monitor>;
  /** By `service/node`. */
  readonly monitorsOf: ReadonlyMap<string, readonly Monitor[]>;
  /** By service, its nodes as `service/node`, the reserved node `public` last. */
  readonly nodesOf: ReadonlyMap<string, readonly string[]>;
  readonly policies: ReadonlyMap<string, MonitorPolicy>;
  readonly servicePolicies: ReadonlyMap<string, ServicePolicy>;
  readonly chains: ReadonlyMap<string, ChainPolicy>;
  /** The head checks of each chain, of nodes and references; not of public names, which lead to one of the nodes. */
  readonly headChecks: ReadonlyMap<string, readonly HeadCheck[]>;
  /** By service, the checks of its nodes whose results are compared. */
  readonly comparedChecks: ReadonlyMap<string, readonly Monitor[]>;
  readonly topology: Topology;
  /** The shard that holds a service, or the references of a chain (`chain.NAME`). */
  readonly shardOf: ReadonlyMap<string, string>;
  /** The services of each shard. */
  readonly shards: ReadonlyMap<string, readonly Service[]>;
  /** Twice the shortest interval, at least two minutes. */
  readonly staleAfterMs: number;
}

export interface HeadCheck {
  readonly monitor: Monitor;
  /** Who runs the node: a chain that stands still is told by heads of several. */
  readonly operator: string;
  /** The check's own limit. */
  readonly maxLagBlocks?: number;
}

/** A chain's stall is waited for so long at most: an alarm of a node whose head is old is late by that. */
const MAX_STALL_WAIT_MS = 60_000;

function policyOf(monitor: Monitor, regionsWithProbe: ReadonlySet<string>): MonitorPolicy {
  const regions = monitor.regions.filter((region) => regionsWithProbe.has(region));
  return {
    id: monitor.id,
    fall: monitor.confirm.fall,
    rise: monitor.confirm.rise,
    regions,
    // A quorum of n/2 or less would let two halves disagree; above n it could never be reached (rule/v1).
    quorum: Math.min(
      Math.max(monitor.quorum ?? 0, Math.floor(regions.length / 2) + 1),
      Math.max(regions.length, 1),
    ),
    freshMs: 2 * monitor.intervalMs + monitor.timeoutMs + FRESH_GRACE_MS,
  };
}

/** A chain and its services share a shard; a service without a chain has its own. */
export function shardNameOf(service: { readonly id: string; readonly chain?: string }): string {
  return service.chain === undefined ? `service:${service.id}` : `chain:${service.chain}`;
}

/** Settings are as written, and found good by their kind's schema. */
const fieldOf = (settings: unknown, name: string): unknown =>
  typeof settings === 'object' && settings !== null ? (settings as Record<string, unknown>)[name] : undefined;

function headChecksOf(config: Config): Map<string, HeadCheck[]> {
  const operators = new Map([
    ...config.services.flatMap((s) => s.nodes.map((n) => [`${s.id}/${n.id}`, n.operator] as const)),
    ...Object.values(config.chains).flatMap(({ name, references }) =>
      references.map(
        ({ url, operator }) => [`${REFERENCE_PREFIX}${name}/${referenceHost(url)}`, operator] as const,
      ),
    ),
  ]);
  const checks = config.monitors.flatMap((monitor) => {
    const operator = operators.get(`${monitor.service}/${monitor.node}`);
    if (monitor.kind !== 'head' || monitor.chain === undefined || operator === undefined) return [];
    const maxLag = fieldOf(monitor.settings, 'maxLag');
    return [{ monitor, operator, ...(typeof maxLag === 'number' && { maxLagBlocks: maxLag }) }];
  });
  return Map.groupBy(checks, ({ monitor }) => monitor.chain ?? '');
}

/** The chains that can be seen to stand still: three heads of two operators (CONTRACTS "Stalled"). */
function stallWaitMs(checks: readonly HeadCheck[]): number {
  const operators = new Set(checks.map(({ operator }) => operator));
  if (checks.length < 3 || operators.size < 2) return 0;
  const round = Math.max(...checks.map(({ monitor }) => monitor.intervalMs + monitor.timeoutMs));
  return Math.min(round, MAX_STALL_WAIT_MS);
}

function isCompared({ settings }: Monitor): boolean {
  const methods = fieldOf(settings, 'methods');
  return Array.isArray(methods) && methods.some((method) => fieldOf(method, 'equal') === true);
}

function countingNodes(config: Config, service: Service): string[] {
  const counted = new Set(
    config.monitors.filter((m) => m.service === service.id && m.counts).map((m) => m.node),
  );
  return service.nodes.map((node) => node.id).filter((id) => counted.has(id));
}

/** Takes a decoded configuration apart. Throws KeyError for a probe key that can't be read. */
export function watch(config: Config): Watched {
  const regionsWithProbe = new Set(config.probes.map((probe) => probe.region));
  const shards = new Map<string, Service[]>();
  for (const service of config.services) {
    shards.set(shardNameOf(service), [...(shards.get(shardNameOf(service)) ?? []), service]);
  }
  const topologyOf = (service: Service): Topology['services'][number] => ({
    id: service.id,
    name: service.name,
    ...(service.group === undefined ? {} : { group: service.group }),
    ...(service.chain === undefined ? {} : { chain: service.chain }),
    minUp: service.minUp,
    nodes: service.nodes
      .filter((node) => countingNodes(config, service).includes(node.id))
      .map(({ id, zone }) => ({ id, zone })),
  });
  const headChecks = headChecksOf(config);
  const shortest = Math.min(...config.monitors.map((monitor) => monitor.intervalMs));
  return {
    config,
    verifiers: config.probes.map((probe) => parseVerifier(probe.key)),
    regionOf: new Map(config.probes.map((probe) => [probe.id, probe.region])),
    monitors: new Map(config.monitors.map((monitor) => [monitor.id, monitor])),
    monitorsOf: Map.groupBy(config.monitors, (monitor) => `${monitor.service}/${monitor.node}`),
    nodesOf: new Map(
      config.services.map(({ id, nodes }) => [
        id,
        [...nodes.map((node) => node.id), 'public'].map((node) => `${id}/${node}`),
      ]),
    ),
    policies: new Map(config.monitors.map((monitor) => [monitor.id, policyOf(monitor, regionsWithProbe)])),
    servicePolicies: new Map(
      config.services.map((service) => [
        service.id,
        {
          id: service.id,
          minUp: service.minUp,
          nodes: countingNodes(config, service).map((node) => `${service.id}/${node}`),
        },
      ]),
    ),
    chains: new Map(
      Object.values(config.chains).map(({ name, blockTimeMs, maxLagBlocks }) => [
        name,
        { name, blockTimeMs, maxLagBlocks },
      ]),
    ),
    headChecks,
    comparedChecks: Map.groupBy(
      config.monitors.filter((monitor) => monitor.node !== 'public' && isCompared(monitor)),
      ({ service }) => service,
    ),
    topology: {
      services: config.services.map(topologyOf),
      chains: [...headChecks].map(([id, checks]) => ({ id, stallWaitMs: stallWaitMs(checks) })),
    },
    shardOf: new Map([
      ...config.services.map((service) => [service.id, shardNameOf(service)] as const),
      // A chain's references lie with its services: they are asked like nodes.
      ...Object.keys(config.chains).map((name) => [`chain.${name}`, `chain:${name}`] as const),
    ]),
    shards,
    staleAfterMs: Math.max(120_000, Number.isFinite(shortest) ? 2 * shortest : 0),
  };
}
