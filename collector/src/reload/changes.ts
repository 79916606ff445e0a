/** What a configuration has other than the one before, for people. */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '@highwater/config/model.ts';
import type { ConfigChanges } from '@highwater/config/wire.ts';

type Kind = Exclude<keyof ConfigChanges, 'other'>;
type Ids = ConfigChanges[Kind];

function compared(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): Ids {
  return {
    added: [...after.keys()].filter((id) => !before.has(id)),
    removed: [...before.keys()].filter((id) => !after.has(id)),
    changed: [...after].flatMap(([id, value]) =>
      before.has(id) && !isDeepStrictEqual(before.get(id), value) ? [id] : [],
    ),
  };
}

/** A service without its nodes and a monitor without its target: a new header is told of the node alone. */
const parts: Readonly<Record<Kind, (config: Config) => ReadonlyMap<string, unknown>>> = {
  services: ({ services }) => new Map(services.map(({ nodes: _, ...service }) => [service.id, service])),
  nodes: ({ services }) =>
    new Map(services.flatMap(({ id, nodes }) => nodes.map((node) => [`${id}/${node.id}`, node] as const))),
  monitors: ({ monitors }) => new Map(monitors.map(({ target: _, ...monitor }) => [monitor.id, monitor])),
  probes: ({ probes }) => new Map(probes.map((probe) => [probe.id, probe])),
};

const withIds: readonly string[] = ['services', 'monitors', 'probes'];

export function changesBetween(before: Config, after: Config): ConfigChanges {
  const ids = (kind: Kind): Ids => compared(parts[kind](before), parts[kind](after));
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]) as Set<keyof Config>;
  return {
    services: ids('services'),
    nodes: ids('nodes'),
    monitors: ids('monitors'),
    probes: ids('probes'),
    other: [...keys].filter((key) => !withIds.includes(key) && !isDeepStrictEqual(before[key], after[key])),
  };
}
