/**
 * Blocks by which forks are seen. Heads are rarely at one height at the same time, so each node is asked for the
 * block at a height that all of them share: the tip less the chain's depth, rounded down to about a minute of blocks.
 */
import type { Chain } from '@highwater/config/model.ts';
import { MINUTE_MS } from '@highwater/config/time.ts';
import type { Ask } from './ask.ts';
import type { ChainFamily, Tip } from './chains/family.ts';

const maxStep = 1_024;

/** The height for a tip; undefined where the chain is not compared or not that long yet. */
export function checkpointHeight(tip: number, { blockTimeMs, forkDepthBlocks }: Chain): number | undefined {
  if (forkDepthBlocks === undefined) return undefined;
  const minute = Math.max(1, MINUTE_MS / blockTimeMs);
  const step = Math.min(maxStep, 2 ** Math.round(Math.log2(minute)));
  const height = Math.floor((tip - forkDepthBlocks) / step) * step;
  return height > 0 ? height : undefined;
}

interface Known {
  readonly height: number;
  readonly text: string;
}

/** The fact `cp`, asked anew only when the height moves on. */
export async function checkpoint(
  family: ChainFamily,
  ask: Ask,
  tip: Tip,
  chain: Chain,
  memory: Map<string, unknown>,
): Promise<string | undefined> {
  const height = checkpointHeight(tip.height, chain);
  if (height === undefined || family.idAt === undefined) return undefined;
  const known = memory.get('checkpoint') as Known | undefined;
  if (known?.height === height) return known.text;
  const id = await family.idAt(ask, height);
  if (id === undefined) return undefined;
  const text = `${height}.${id}`;
  memory.set('checkpoint', { height, text } satisfies Known);
  return text;
}
