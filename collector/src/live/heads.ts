/** The heads of a chain as they are now, from the shard's rows. */
import type { Instant } from '@highwater/config/time.ts';
import { blockTimeMs } from '../decide/block-time.ts';
import { sampleOf, standings } from '../decide/head.ts';
import type { AgreedHead, ChainPolicy, HeadSample, Standing } from '../decide/types.ts';
import type { Watched } from '../watched.ts';
import type { Shard } from './shard.ts';

export interface Heads {
  readonly heads: readonly AgreedHead[];
  readonly byNode: ReadonlyMap<string, Standing>;
}

const none: Heads = { heads: [], byNode: new Map() };

/** A chain's limits, with the block time that was learned from it. */
export function policyOfChain(watched: Watched, shard: Shard, chain: string): ChainPolicy | undefined {
  const policy = watched.chains.get(chain);
  if (policy === undefined) return undefined;
  return { ...policy, blockTimeMs: blockTimeMs(shard.chains.get(chain)?.pace, policy.blockTimeMs) };
}

/** The head that a chain's nodes and references agree on now, and how each stands to it. */
export function headsOf(
  watched: Watched,
  shard: Shard,
  chain: string,
  now: Instant,
  isStalled = shard.chains.get(chain)?.isStalled ?? false,
): Heads {
  const policy = policyOfChain(watched, shard, chain);
  if (policy === undefined) return none;
  const samples: HeadSample[] = [];
  for (const { monitor, maxLagBlocks } of watched.headChecks.get(chain) ?? []) {
    const row = shard.monitors.get(monitor.id);
    const freshMs = watched.policies.get(monitor.id)?.freshMs;
    if (row === undefined || freshMs === undefined) continue;
    for (const [probe, streak] of Object.entries(row.streaks)) {
      if (!watched.regionOf.has(probe)) continue;
      const sample = sampleOf(streak.newest, freshMs, maxLagBlocks);
      if (sample !== undefined) samples.push(sample);
    }
  }
  const before: Record<string, Standing['verdict']> = {};
  for (const [id, row] of shard.nodes.entries()) {
    if (row.beside?.standing) before[id] = row.beside.standing.verdict;
  }
  return standings(policy, samples, now, { before, isStalled });
}

/** The head of a chain that counts: that of the genesis with most nodes. */
export function headOf(heads: Heads): AgreedHead | undefined {
  return heads.heads[0];
}
