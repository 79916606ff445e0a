/** The heads of a chain's nodes over the last 24 hours, and how far each was behind: made once for all of its services. */
import type { Service } from '@highwater/config/model.ts';
import type { PublicNodeHeads } from '@highwater/config/public-detail.ts';
import { HOUR_MS, type Instant, MINUTE_MS } from '@highwater/config/time.ts';
import { lagOf, reachedByTwo } from '../decide/lag.ts';
import { decodeHeads } from '../slots/heads-block.ts';
import type { Slots } from '../slots/slots.ts';
import type { Watched } from '../watched.ts';

const EVERY_MS = 5 * MINUTE_MS;
const LENGTH = (24 * HOUR_MS) / EVERY_MS;

type Heights = (number | null)[];

interface ChainHeads {
  readonly version: string;
  /** By `SERVICE/NODE` and `chain.NAME/HOST`. */
  readonly heights: ReadonlyMap<string, Heights>;
  readonly reached: Heights;
}

export interface HeadCharts {
  /** Undefined for a node that reported no head. */
  of(shard: string, service: Service, node: string, now: Instant): Promise<PublicNodeHeads | undefined>;
}

export function openHeadCharts(watched: Watched, slots: Pick<Slots, 'blocks' | 'revision'>): HeadCharts {
  /** By chain. */
  const made = new Map<string, ChainHeads>();

  /** The highest that any probe saw in each stretch. */
  const heightsOf = async (shard: string, node: string, first: number): Promise<Heights> => {
    const heights: Heights = Array.from({ length: LENGTH }, () => null);
    const hourOf = (stretch: number): number => Math.floor((stretch * EVERY_MS) / HOUR_MS);
    for (const { period, block } of await slots.blocks(
      shard,
      'heads',
      hourOf(first),
      hourOf(first + LENGTH - 1),
      node,
    )) {
      for (const hour of decodeHeads(block).values()) {
        for (const [minute, reported] of hour.entries()) {
          const highest = reported?.[0];
          const at = Math.floor((period * HOUR_MS + minute * MINUTE_MS) / EVERY_MS) - first;
          if (highest === undefined || at < 0 || at >= LENGTH) continue;
          heights[at] = Math.max(highest, heights[at] ?? 0);
        }
      }
    }
    return heights;
  };

  const headsOf = async (shard: string, chain: string, first: number): Promise<ChainHeads> => {
    const version = `${slots.revision(shard)} ${first}`;
    const known = made.get(chain);
    if (known?.version === version) return known;
    const checks = watched.headChecks.get(chain) ?? [];
    const nodes = new Set(checks.map(({ monitor }) => `${monitor.service}/${monitor.node}`));
    const heights = new Map<string, Heights>();
    for (const node of nodes) heights.set(node, await heightsOf(shard, node, first));
    const heads = { version, heights, reached: reachedByTwo([...heights.values()], LENGTH) };
    made.set(chain, heads);
    return heads;
  };

  return {
    async of(shard, { id, chain }, node, now) {
      if (chain === undefined) return undefined;
      const first = Math.floor(now / EVERY_MS) - LENGTH + 1;
      const { heights, reached } = await headsOf(shard, chain, first);
      const own = heights.get(`${id}/${node}`);
      if (own === undefined || own.every((height) => height === null)) return undefined;
      return { from: first * EVERY_MS, everyMs: EVERY_MS, heights: own, lagBlocks: lagOf(own, reached) };
    },
  };
}
