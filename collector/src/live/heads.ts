/** The heads of a chain as they are now, from the shard's rows. */
import type { Instant } from '@highwater/config/time.ts';
import { blockTimeMs } from '../decide/block-time.ts';
import { agreement, sampleOf, standings } from '../decide/head.ts';
import type { AgreedHead, ChainPolicy, Heads, HeadSample, Standing } from '../decide/types.ts';
import { plural } from '../decide/words.ts';
import type { Watched } from '../watched.ts';
import type { Shard } from './shard.ts';

const none: Heads = { heads: [], byNode: new Map(), blockTimeMs: 0 };

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
  return { ...standings(policy, samples, now, { before, isStalled }), blockTimeMs: policy.blockTimeMs };
}

/** How a chain is doing, as it was last judged. */
export interface ChainState {
  readonly state: 'moving' | 'stalled' | 'forked';
  /** A sentence without the names of nodes, which may be private. */
  readonly because: string;
  readonly blockTimeMs: number;
}

export function stateOfChain(watched: Watched, shard: Shard, head: AgreedHead): ChainState {
  const row = shard.chains.get(head.chain);
  const policy = policyOfChain(watched, shard, head.chain);
  const about = { blockTimeMs: policy?.blockTimeMs ?? 0 };
  const forked = Object.keys(row?.forks ?? {}).length;
  if (row?.isStalled) return { ...about, state: 'stalled', because: row.judgement.because };
  if (forked === 0) return { ...about, state: 'moving', because: agreement(head) };
  const because = `${plural(forked, 'node')} with another block than others at one height`;
  return { ...about, state: 'forked', because };
}

/** When the agreed head was made: by its own time, or where blocks have none when it was first seen. */
export function madeAt(shard: Shard, head: AgreedHead): Instant {
  const last = shard.chains.get(head.chain)?.reached;
  return head.blockAt ?? (last?.height === head.height ? last.at : head.at);
}
