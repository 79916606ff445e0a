/** The pieces of a config that has no mistakes -> Config: defaults that depend on other keys, monitors flattened. */
import { builtInChains } from './built-in-chains.ts';
import { defaultMaxAgeMs, defaultMaxLagBlocks, referenceHost } from './chains.ts';
import { familyPresets, headPreset } from './presets.ts';
import { familiesOf } from './families.ts';
import { readChecks } from './declared.ts';
import type { CheckEntry, Declared, ServiceEntry } from './declared.ts';
import { regionIds } from './crosscheck-common.ts';
import type { Tables } from './kinds.ts';
import type { Chain, Config, Monitor, NodeDecl, SecretUse, Service, Target } from './model.ts';
import { formatPath } from './problems.ts';
import { isSecretRef } from './secrets.ts';

/** Builds the Config. Throws when a piece is missing: load.ts calls it only where nothing was found wrong. */
export function buildConfig(declared: Declared, tables: Tables): Config {
  const { site, reports, retention, spool } = declared;
  if (!site || !reports || !retention) throw new Error('a config with mistakes cannot be built');
  const operator = declared.operator ?? site.name;
  const regions = regionIds(declared);
  const chains = buildChains(declared);
  const services = declared.services.map((entry) => buildService(entry, operator));
  const monitors = [
    ...declared.services.flatMap((entry) => buildMonitors(entry, chains, regions, tables)),
    ...Object.values(chains).flatMap((chain) => referenceMonitors(chain, declared, regions, tables)),
  ];
  return {
    site,
    origin: declared.log?.origin ?? originOf(site.url),
    operator,
    ...buildWitnesses(declared),
    regions: (declared.regions ?? []).length === 0 ? [{ id: 'here', name: 'Here' }] : buildRegions(declared),
    probes: declared.probes.flatMap(({ value }) =>
      value
        ? { id: value.id, region: value.region, key: value.key, operator: value.operator ?? operator }
        : [],
    ),
    chains,
    controls: declared.controls.flatMap(({ value }) => value ?? []),
    services,
    monitors: monitors.sort((a, b) => (a.id < b.id ? -1 : 1)),
    alerts: buildAlerts(declared),
    ...(spool && {
      spool: { maxBytes: spool.maxBytes, ...(spool.maxAge !== undefined && { maxAgeMs: spool.maxAge }) },
    }),
    reports: {
      to: reports.to,
      settleMs: reports.settle,
      ...(reports.anchor === undefined ? {} : { anchor: reports.anchor }),
    },
    retention: {
      hotMs: retention.hot,
      bodiesMs: retention.bodies,
      slotsMs: retention.slots,
      ...(retention.reports === 'forever' ? {} : { reportsMs: retention.reports }),
    },
  };
}

/** Every reference to a secret, with where it stands. */
export function secretUses(declared: Declared): SecretUse[] {
  const uses: SecretUse[] = [];
  const collect = (path: readonly (string | number)[], value: unknown): void => {
    if (typeof value === 'string' && isSecretRef(value)) uses.push({ path: formatPath(path), ref: value });
    else if (typeof value === 'object' && value !== null) {
      for (const [name, inner] of Object.entries(value)) {
        collect([...path, Array.isArray(value) ? Number(name) : name], inner);
      }
    }
  };
  for (const { path, settings } of declared.channels) collect(path, settings);
  for (const service of declared.services) {
    for (const { path, value } of [...service.nodes, ...(service.public ? [service.public] : [])]) {
      collect([...path, 'headers'], value?.headers);
    }
  }
  return uses;
}

/** `https://status.example.com/x/` -> `status.example.com/x/log` */
function originOf(siteUrl: string): string {
  const url = new URL(siteUrl);
  return `${url.host}${url.pathname.replace(/\/+$/, '')}/log`;
}

function buildWitnesses({ witnesses }: Declared): Pick<Config, 'witnesses'> {
  if (!witnesses?.value) return {};
  const list = witnesses.list.flatMap(({ value }) =>
    value ? { id: value.id, url: value.url.replace(/\/+$/, ''), key: value.key, everyMs: value.every } : [],
  );
  return { witnesses: { quorum: witnesses.value.quorum ?? Math.floor(list.length / 2) + 1, list } };
}

function buildRegions(declared: Declared): Config['regions'] {
  return (declared.regions ?? []).flatMap(({ value }) =>
    value ? { id: value.id, name: value.name ?? value.id } : [],
  );
}

function buildAlerts({ channels, policies }: Declared): Config['alerts'] {
  return {
    channels: channels.flatMap(({ value, settings }) => (value ? { ...value, settings } : [])),
    policies: policies.flatMap(({ value }) => {
      if (!value) return [];
      const { impact, services } = value.match;
      return {
        match: { ...(impact ? { impact } : {}), ...(services ? { services } : {}) },
        steps: value.steps.map(({ after, notify }) => ({ afterMs: after, notify })),
        ...(value.repeat === undefined ? {} : { repeatMs: value.repeat }),
      };
    }),
  };
}

// ---------------------------------------------------------------- chains

/** The chains that services use, by name. */
function buildChains(declared: Declared): Record<string, Chain> {
  const used = new Set(declared.services.flatMap(({ value }) => value?.chain ?? []));
  const chains = [...used].sort().map((name) => buildChain(name, declared));
  return Object.fromEntries(chains.map((chain) => [chain.name, chain]));
}

function buildChain(name: string, declared: Declared): Chain {
  const builtIn = Object.hasOwn(builtInChains, name) ? builtInChains[name] : undefined;
  const own = declared.chains.get(name)?.value;
  const blockTimeMs = own?.blockTime ?? builtIn?.blockTimeMs ?? 0;
  const maxAgeMs = own?.maxAge ?? builtIn?.maxAgeMs ?? defaultMaxAgeMs(blockTimeMs);
  const chainId = own?.chainId ?? builtIn?.chainId;
  // Another chain id makes another chain: the built-in genesis does not belong to it.
  const sameChain = own?.chainId === undefined || own.chainId === builtIn?.chainId;
  const genesis = own?.genesis ?? (sameChain ? builtIn?.genesis : undefined);
  const maxFinalityLagBlocks = own?.maxFinalityLag ?? builtIn?.maxFinalityLagBlocks;
  const forkDepthBlocks = own?.forkDepth ?? builtIn?.forkDepthBlocks;
  return {
    name,
    family: own?.family ?? builtIn?.family ?? '',
    ...(chainId === undefined ? {} : { chainId }),
    ...(genesis === undefined ? {} : { genesis }),
    blockTimeMs,
    maxLagBlocks: own?.maxLag ?? builtIn?.maxLagBlocks ?? defaultMaxLagBlocks(blockTimeMs, maxAgeMs),
    maxAgeMs,
    ...(maxFinalityLagBlocks === undefined ? {} : { maxFinalityLagBlocks }),
    ...(forkDepthBlocks === undefined ? {} : { forkDepthBlocks }),
    references: (own?.references ?? []).map(({ url, operator }) => ({
      url,
      operator: operator ?? new URL(url).hostname,
    })),
  };
}

// -------------------------------------------------------------- services

function buildService({ value, nodes, public: shown }: ServiceEntry, operator: string): Service {
  if (!value) throw new Error('a service with mistakes cannot be built');
  const { id, name, description, group, chain, visibility, objective, minUp } = value;
  return {
    id,
    name,
    ...(description === undefined ? {} : { description }),
    ...(group === undefined ? {} : { group }),
    ...(chain === undefined ? {} : { chain }),
    visibility,
    ...(objective === undefined ? {} : { objectiveMillionths: objective }),
    minUp,
    nodes: nodes.flatMap(({ value: node }): NodeDecl[] =>
      node
        ? [
            {
              id: node.id,
              zone: node.zone,
              url: node.url,
              operator: node.operator ?? operator,
              target: toTarget(node),
            },
          ]
        : [],
    ),
    ...(shown?.value ? { publicUrl: shown.value.url } : {}),
  };
}

function toTarget(node: {
  url: string;
  headers: Record<string, string>;
  allowPrivate: boolean;
  address?: string | undefined;
  address6?: string | undefined;
}): Target {
  const { url, headers, allowPrivate, address, address6 } = node;
  return {
    url,
    ...(address === undefined ? {} : { address }),
    ...(address6 === undefined ? {} : { address6 }),
    headers,
    allowPrivate,
  };
}

// -------------------------------------------------------------- monitors

function buildMonitors(
  entry: ServiceEntry,
  chains: Readonly<Record<string, Chain>>,
  regions: readonly string[],
  tables: Tables,
): Monitor[] {
  const { value: service, nodes, public: shown, path } = entry;
  if (!service) throw new Error('a service with mistakes cannot be built');
  const family = service.chain === undefined ? '' : (chains[service.chain]?.family ?? '');
  const checks = entry.checks ?? preset(familyPresets[family] ?? [], [...path, 'checks'], tables);
  const place = (node: string, target: Target, counts: boolean) => (check: CheckEntry) =>
    monitorsOf(check, { service: service.id, node, target, counts, regions, chain: service.chain });
  const ofNodes = nodes.flatMap(({ value: node }) => {
    if (!node) return [];
    const counts = service.counts !== 'none' && node.counts !== 'none';
    return checks.flatMap(place(node.id, toTarget(node), counts));
  });
  if (!shown?.value) return ofNodes;
  const publicChecks = shown.checks ?? preset([headPreset], [...shown.path, 'checks'], tables);
  return [
    ...ofNodes,
    ...publicChecks.flatMap(place('public', toTarget(shown.value), service.counts !== 'none')),
  ];
}

/** A reference belongs to others, who may refuse a probe while they serve their users. */
const ofOthers = { ...headPreset, refusals: 'skip' };

function referenceMonitors(
  chain: Chain,
  declared: Declared,
  regions: readonly string[],
  tables: Tables,
): Monitor[] {
  const path = ['chains', chain.name, 'references'];
  return (declared.chains.get(chain.name)?.value?.references ?? []).flatMap(({ url, allowPrivate }) => {
    const target: Target = { url, headers: {}, allowPrivate };
    const place = {
      service: `chain.${chain.name}`,
      node: referenceHost(url),
      target,
      counts: true,
      regions,
      chain: chain.name,
    };
    return preset([ofOthers], path, tables).flatMap((check) => monitorsOf(check, place));
  });
}

/** The checks of a preset, of the kinds that there are. */
function preset(
  written: readonly unknown[],
  path: readonly (string | number)[],
  tables: Tables,
): CheckEntry[] {
  const findings: never[] = [];
  return readChecks(written, path, tables, findings).filter((check) => check.kind !== undefined);
}

interface MonitorPlace {
  readonly service: string;
  readonly node: string;
  readonly target: Target;
  readonly counts: boolean;
  readonly regions: readonly string[];
  readonly chain: string | undefined;
}

/** One, or one for each address family where they are asked apart. */
function monitorsOf({ value, kind, id, settings }: CheckEntry, place: MonitorPlace): Monitor[] {
  if (!value || !kind || id === undefined) throw new Error('a check with mistakes cannot be built');
  return familiesOf(id, value.family).map(({ id, family }) => ({
    id: `${place.service}/${place.node}/${id}`,
    service: place.service,
    node: place.node,
    check: id,
    kind: kind.kind,
    intervalMs: value.every,
    timeoutMs: value.timeout ?? Math.min(10_000, Math.floor(value.every / 2)),
    confirm: {
      fall: value.confirm.fall,
      rise: value.confirm.rise,
      recheckAfterMs: value.confirm.recheckAfter,
    },
    regions: value.regions ?? place.regions,
    ...(value.quorum === undefined ? {} : { quorum: value.quorum }),
    counts: place.counts && (value.counts ?? kind.counts),
    ...(value.refusals === 'skip' ? { refusals: value.refusals } : {}),
    settings,
    target: family === undefined ? place.target : { ...place.target, family },
    ...(place.chain === undefined ? {} : { chain: place.chain }),
  }));
}
