import type { RuleConfig } from '@highwater/config/proof/projection.ts';
import type { ConfigInForce } from '@highwater/config/proof/rule/timeline.ts';
import { monitorParts } from '@highwater/config/domain.ts';
import { shardNameOf } from '../watched.ts';

const parts = new WeakMap<ConfigInForce, Map<string, RuleConfig>>();

/** The part of a configuration that lies in one shard: a chain with its services, or one service without. */
export function partOf(under: ConfigInForce, shard: string): RuleConfig {
  const known = parts.get(under) ?? new Map<string, RuleConfig>();
  parts.set(under, known);
  const had = known.get(shard);
  if (had !== undefined) return had;
  const { config } = under;
  const services = config.services.filter((service) => shardNameOf(service) === shard);
  const chains = config.chains.filter((chain) => `chain:${chain.name}` === shard);
  const owners = new Set([...services.map(({ id }) => id), ...chains.map(({ name }) => `chain.${name}`)]);
  const monitors = config.monitors.filter(({ id }) => owners.has(monitorParts(id).service));
  const made = { ...config, services, chains, monitors };
  known.set(shard, made);
  return made;
}
