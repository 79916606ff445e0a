import type { Instant } from '@highwater/config/time.ts';
import { sampleOf, standings } from '../decide/head.ts';
import type { AgreedHead, HeadSample, Standing } from '../decide/types.ts';
import type { Watched } from '../watched.ts';
import type { Shard } from './shard.ts';

export interface Heads {
  readonly heads: readonly AgreedHead[];
  readonly byNode: ReadonlyMap<string, Standing>;
}

const none: Heads = { heads: [], byNode: new Map() };

/** The head that a chain's nodes agree on now, and how each stands to it. The public name is no node of its own. */
export function headsOf(watched: Watched, shard: Shard, chain: string, now: Instant): Heads {
  const policy = watched.chains.get(chain);
  if (policy === undefined) return none;
  const samples: HeadSample[] = [];
  for (const [id, row] of shard.monitors.entries()) {
    const monitor = watched.monitors.get(id);
    const freshMs = watched.policies.get(id)?.freshMs;
    if (monitor?.chain !== chain || monitor.node === 'public' || freshMs === undefined) continue;
    for (const [probe, streak] of Object.entries(row.streaks)) {
      const sample = watched.regionOf.has(probe) ? sampleOf(streak.newest, freshMs) : undefined;
      if (sample !== undefined) samples.push(sample);
    }
  }
  const stood: Record<string, Standing['verdict']> = {};
  for (const [id, row] of shard.nodes.entries()) if (row.standing) stood[id] = row.standing.verdict;
  return standings(policy, samples, now, stood);
}
