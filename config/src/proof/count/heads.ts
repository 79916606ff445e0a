/**
 * How far nodes were behind: in each stretch of five minutes the highest height that a node told, held against the highest that
 * two nodes or references of its chain had reached (one alone may be wrong). A public name leads to a node that would be counted
 * twice: it is told, and not held against.
 */
import type { CountedHead } from '../../report/counted.ts';
import { PUBLIC_NODE } from '../rule/service.ts';

export const STRETCH_MINUTES = 5;
export const STRETCHES_A_DAY = 288;

/** Of one node and chain over a day: by stretch, -1 where it told none. */
export type Heights = Float64Array;

/** The highest that at least two have reached; -1 where fewer than two say anything. */
export function reachedByTwo(all: readonly Heights[]): Heights {
  return Float64Array.from({ length: STRETCHES_A_DAY }, (_, at) => {
    let [first, second] = [-1, -1];
    for (const heights of all) {
      const height = heights[at] ?? -1;
      if (height > first) [first, second] = [height, first];
      else if (height > second) second = height;
    }
    return second;
  });
}

interface HeadTold {
  readonly node: string;
  readonly chain: string;
  readonly lags: number[];
  highest: number;
}

export class Heads {
  private readonly today = new Map<string, { node: string; chain: string; heights: Heights }>();
  private readonly told = new Map<string, HeadTold>();

  heightsOf(node: string, chain: string): Heights {
    const key = `${node} ${chain}`;
    const known = this.today.get(key) ?? {
      node,
      chain,
      heights: new Float64Array(STRETCHES_A_DAY).fill(-1),
    };
    this.today.set(key, known);
    return known.heights;
  }

  closeDay(): void {
    const byChain = Map.groupBy(this.today.values(), ({ chain }) => chain);
    for (const [chain, nodes] of byChain) {
      const peers = nodes.filter(({ node }) => !node.endsWith(`/${PUBLIC_NODE}`));
      const reached = reachedByTwo(peers.map(({ heights }) => heights));
      for (const { node, heights } of nodes) this.tell(node, chain, heights, reached);
    }
    this.today.clear();
  }

  private tell(node: string, chain: string, heights: Heights, reached: Heights): void {
    const key = `${node} ${chain}`;
    const told = this.told.get(key) ?? { node, chain, lags: [], highest: 0 };
    this.told.set(key, told);
    for (const [at, height] of heights.entries()) {
      if (height < 0) continue;
      told.highest = Math.max(told.highest, height);
      const to = reached[at] ?? -1;
      if (to >= 0) told.lags.push(Math.max(0, to - height));
    }
  }

  /** Of a service's nodes. */
  result(service: string): CountedHead[] {
    return [...this.told.values()]
      .filter(({ node }) => node.startsWith(`${service}/`))
      .sort((a, b) => (`${a.node} ${a.chain}` < `${b.node} ${b.chain}` ? -1 : 1))
      .map(({ node, chain, lags, highest }) => {
        lags.sort((a, b) => a - b);
        const ranked = (percent: number): number =>
          lags[Math.floor((percent * lags.length + 99) / 100) - 1] ?? 0;
        return {
          subject: node,
          chain,
          stretches: lags.length,
          level: lags.filter((lag) => lag === 0).length,
          lagP50Blocks: ranked(50),
          lagP95Blocks: ranked(95),
          lagMaxBlocks: lags.at(-1) ?? 0,
          highest,
        };
      });
  }
}
