/**
 * Which shards each service was ever in. What was counted of it lies in the shard that the configuration of its minute put
 * it into, and late batches still tell of such minutes: so a shard reads the bodies of every service it ever had.
 */
import type { RuleConfig } from '@highwater/config/proof/projection.ts';
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import { shardNameOf } from '../watched.ts';

type Placed = Pick<RuleConfig, 'services' | 'chains'>;

export interface ShardsEver {
  /** Those that had a service, in the order in which they came. */
  readonly names: readonly string[];
  /** Whether any service was in more than one. */
  readonly hasMoved: boolean;
  /** Those of a service, or of a chain's references (`chain.NAME`); none of one that never was. */
  of(service: string): readonly string[];
}

const known = new WeakMap<Placed, ReadonlyMap<string, string>>();

/** The shard of each service, and of each chain's references, under one configuration. */
export function shardsUnder(config: Placed): ReadonlyMap<string, string> {
  const had = known.get(config);
  if (had !== undefined) return had;
  const made = new Map([
    ...config.services.map((service) => [service.id, shardNameOf(service)] as const),
    ...config.chains.map(({ name }) => [`${REFERENCE_PREFIX}${name}`, `chain:${name}`] as const),
  ]);
  known.set(config, made);
  return made;
}

/** @param configs in the order of the log, in force or not */
export function shardsEver(configs: readonly Placed[]): ShardsEver {
  const byService = new Map<string, readonly string[]>();
  for (const config of configs) {
    for (const [service, shard] of shardsUnder(config)) {
      const had = byService.get(service) ?? [];
      if (!had.includes(shard)) byService.set(service, [...had, shard]);
    }
  }
  return {
    names: [...new Set(configs.flatMap(({ services }) => services.map(shardNameOf)))],
    hasMoved: [...byService.values()].some(({ length }) => length > 1),
    of: (service) => byService.get(service) ?? [],
  };
}
