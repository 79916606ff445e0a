/**
 * Whether nodes of one chain have different blocks at one height. They are compared at checkpoints that lie deeper
 * than the chain takes blocks back in its daily life, so that a reorganisation of the newest blocks is none.
 */
import { byGenesis } from './kin.ts';
import type { Block } from './types.ts';
import { formatCount, plural } from './words.ts';

/** The checkpoints that one probe has from one node. */
export interface SeenBlocks {
  readonly node: string;
  readonly probe: string;
  /** Of one chain. */
  readonly blocks: readonly Block[];
}

/** The word that a node was given at the newest height at which it could be compared. */
export interface ForkWord {
  readonly height: number;
  readonly because: string;
}

/** The nodes that have another block than they should, by id. */
export type Forks = Readonly<Record<string, ForkWord>>;

/** By height, then by node: the block that most of its probes report. */
type Ledger = ReadonlyMap<number, ReadonlyMap<string, string>>;

/**
 * One word for each node at the newest height that decides for it. A strict majority of all nodes that report
 * checkpoints decides a height; where no majority can come about any more, all sides are forked. A node that can't be
 * compared keeps its last word; it ends when the node has the right block at a newer height.
 * @param before what the last look gave, of nodes that are still watched
 */
export function forks(seen: readonly SeenBlocks[], before: Forks): Forks {
  const words: Record<string, ForkWord> = { ...before };
  for (const chain of byChain(seen)) {
    const nodes = new Set(chain.map(({ node }) => node));
    if (nodes.size < 2) continue;
    const ledger = ledgerOf(chain);
    const open = new Set(nodes);
    for (const height of [...ledger.keys()].sort((a, b) => b - a)) {
      const told = judgeHeight(height, ledger.get(height) ?? new Map(), nodes.size);
      for (const [node, because] of told) {
        if (!open.delete(node)) continue;
        if (because !== undefined) words[node] = { height, because };
        else if (height > (before[node]?.height ?? -1)) delete words[node];
      }
    }
  }
  return words;
}

/** Each node in one chain: that of most of its probes, of equals by text. */
function byChain(seen: readonly SeenBlocks[]): Iterable<readonly SeenBlocks[]> {
  const told = seen.filter(({ blocks }) => blocks.length > 0);
  const inOne = [...Map.groupBy(told, ({ node }) => node).values()].flatMap((own) => {
    const chains = [...byGenesis(own, genesisOf)];
    chains.sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1));
    return chains[0]?.[1] ?? [];
  });
  return byGenesis(inOne, genesisOf).values();
}

function genesisOf({ blocks }: SeenBlocks): string | undefined {
  return blocks.at(-1)?.genesis;
}

/** Of a node's probes those that report a height: a strict majority of them says what it has there. */
function ledgerOf(seen: readonly SeenBlocks[]): Ledger {
  const ledger = new Map<number, Map<string, string>>();
  for (const [node, own] of Map.groupBy(seen, (each) => each.node)) {
    const heights = Map.groupBy(
      own.flatMap(({ blocks }) => blocks),
      (block) => block.height,
    );
    for (const [height, blocks] of heights) {
      const ids = Map.groupBy(blocks, ({ id }) => id);
      const most = [...ids].find(([, same]) => 2 * same.length > blocks.length)?.[0];
      if (most === undefined) continue;
      const at = ledger.get(height) ?? new Map<string, string>();
      ledger.set(height, at.set(node, most));
    }
  }
  return ledger;
}

/**
 * By node why it is forked (naming no other: a node may be private), or undefined where it is not; empty while too few have
 * reported to decide.
 */
function judgeHeight(
  height: number,
  at: ReadonlyMap<string, string>,
  nodes: number,
): ReadonlyMap<string, string | undefined> {
  const sides = [...Map.groupBy(at.keys(), (node) => at.get(node) ?? '').values()];
  const largest = Math.max(...sides.map((side) => side.length));
  const block = `another block ${formatCount(height)} than`;
  if (2 * largest > nodes) {
    const because = `${block} ${largest} of ${plural(nodes, 'node')}`;
    return new Map(
      sides.flatMap((side) =>
        side.map((node) => [node, side.length === largest ? undefined : because] as const),
      ),
    );
  }
  if (2 * (largest + nodes - at.size) > nodes) return new Map();
  return new Map(
    sides.flatMap((side) =>
      side.map((node) => [node, `${block} ${plural(at.size - side.length, 'other node')}`] as const),
    ),
  );
}
