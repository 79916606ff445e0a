/**
 * Config -> RuleConfig: the part of a configuration that decides the number, as the configuration leaf commits
 * to it (CONTRACTS "Leaves"). Names, channels, groups and retention are not in it: they change no outcome. The operator's name is: a report tells which probes are run by others.
 */
import { referenceHost } from './chains.ts';
import type { Chain, Config, Monitor, Service, Target } from './model.ts';
import type { Hash } from './proof/bytes.ts';
import { saltedHash } from './proof/projection.ts';
import type { RuleChain, RuleConfig, RuleMonitor, RuleService } from './proof/projection.ts';
import { canonicalSettings } from './proof/settings.ts';

/** What the leaf must not say in clear, and how. */
export interface ProjectionSecrets {
  /** 32 hex digits made at first start; it decides due times and is published in the leaf. */
  readonly seed: string;
  /** Kept by the operator: without it nobody can try URLs against their hashes. */
  readonly salt: string;
}

/**
 * The projection of a config. Every URL is a salted hash; of private services the checks' settings are too.
 * Throws RangeError for settings that no file can say (a bug of a kind's schema).
 */
export function projectConfig(config: Config, { seed, salt }: ProjectionSecrets, hash: Hash): RuleConfig {
  const hidden = (text: string) => saltedHash(salt, text, hash);
  const secretServices = new Set(config.services.filter((s) => s.visibility === 'private').map((s) => s.id));
  return {
    seed,
    operator: config.operator,
    regions: config.regions.map(({ id }) => id),
    probes: config.probes.map(({ id, region, operator, key }) => ({ id, region, operator, vkey: key })),
    controls: [...config.controls],
    chains: Object.values(config.chains).map(projectChain),
    services: config.services.map((service) => projectService(service, hidden)),
    monitors: config.monitors.map((monitor) =>
      projectMonitor(monitor, secretServices.has(monitor.service), hidden),
    ),
  };
}

function projectChain({ references, ...chain }: Chain): RuleChain {
  return {
    ...chain,
    references: references.map(({ url, operator }) => ({ host: referenceHost(url), operator })),
  };
}

function projectService(service: Service, hidden: (text: string) => string): RuleService {
  const { id, minUp, visibility, chain, nodes } = service;
  return {
    id,
    minUp,
    visibility,
    ...(chain === undefined ? {} : { chain }),
    nodes: nodes.map((node) => ({
      id: node.id,
      zone: node.zone,
      operator: node.operator,
      urlHash: hidden(node.url),
    })),
  };
}

function projectMonitor(monitor: Monitor, isPrivate: boolean, hidden: (text: string) => string): RuleMonitor {
  const { id, kind, intervalMs, timeoutMs, chain, regions, quorum, counts, refusals } = monitor;
  const { family } = monitor.target;
  const settings = canonicalSettings(monitor.settings);
  return {
    id,
    kind,
    intervalMs,
    timeoutMs,
    ...(chain === undefined ? {} : { chain }),
    ...(refusals === undefined ? {} : { refusals }),
    ...(family === undefined ? {} : { family }),
    targetHash: hidden(targetText(monitor.target)),
    settings: isPrivate ? [`- h:${hidden(settings.join('\n'))}`] : settings,
    regions: [...regions],
    ...(quorum === undefined ? {} : { quorum }),
    counts,
  };
}

/** Where a check asks, as one text: a change of any part of it changes the hash. */
function targetText(target: Target): string {
  const headers = Object.entries(target.headers).map(([name, value]) => `${name.toLowerCase()}: ${value}`);
  return [
    target.url,
    target.address ?? '-',
    target.address6 ?? '-',
    target.allowPrivate ? 'private' : '-',
    // Left out where none is asked for, so that such a target keeps the hash that it had before there were families.
    ...(target.family === undefined ? [] : [`family ${target.family}`]),
    ...headers.sort(),
  ].join('\n');
}
