import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrMakeSigningKey, loadSigningKey } from '@highwater/config/keys.ts';
import type { Config, RegionDecl } from '@highwater/config/model.ts';

const localId = 'local';

/** Where the collector keeps the operator's key. */
export const operatorKeyFile = (dataDir: string) => join(dataDir, 'keys', 'operator.key');

const keyFile = (dataDir: string, probe: string) => join(dataDir, 'keys', `${probe}.key`);

/**
 * The configuration with the probe that `up` makes when none is declared: `local`, in the one declared
 * region or in `here`. Undefined when probes are declared. Makes the probe's key at first start.
 */
export function localProbe(config: Config, dataDir: string): Config | undefined {
  if (config.probes.length > 0) return undefined;
  const { key } = loadOrMakeSigningKey(keyFile(dataDir, localId), localId);
  return withLocalProbe(config, key.vkey);
}

/** For the other roles of the same machine: the same configuration, once `up` has made the key. */
export function localProbeIfMade(config: Config, dataDir: string): Config {
  if (config.probes.length > 0 || !existsSync(keyFile(dataDir, localId))) return config;
  return withLocalProbe(config, loadSigningKey(keyFile(dataDir, localId)).vkey);
}

function withLocalProbe(config: Config, vkey: string): Config {
  const region: RegionDecl = config.regions[0] ?? { id: 'here', name: 'Here' };
  const everywhere = config.regions.length > 0 ? config.regions : [region];
  return {
    ...config,
    regions: everywhere,
    probes: [{ id: localId, region: region.id, key: vkey, operator: config.operator }],
    // Monitors were decoded before the region `here` existed.
    monitors: config.monitors.map((monitor) =>
      monitor.regions.length > 0 ? monitor : { ...monitor, regions: [region.id] },
    ),
  };
}

/** Ids of the declared probes whose key lies in this data folder: those that this machine can run. */
export function probesWithKeysIn(config: Config, dataDir: string): string[] {
  return config.probes.map(({ id }) => id).filter((id) => existsSync(keyFile(dataDir, id)));
}
