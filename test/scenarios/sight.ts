/** What probes see of nodes in a scenario: heads that go on, stop, lie or fork. */
import type { Answer } from '../../collector/src/decide/types.ts';
import { checkpointHeight } from '../../probe/src/checks/checkpoint.ts';
import { chainOf, type PlannedChain } from './picture.ts';

/** What a probe sees when it asks a node. */
export interface Sight {
  readonly outcome: Answer['outcome'];
  readonly fault?: string;
  readonly ahead: number;
  readonly genesis: string;
  readonly stillSince?: number;
  readonly fork?: { readonly id: string; readonly fromHeight: number };
  readonly result: string;
}

/** How blocks come. */
export interface Blocks {
  readonly chain: PlannedChain | undefined;
  readonly paceMs: number;
}

export const well: Sight = { outcome: 'ok', ahead: 0, genesis: 'aaaaaaaa', result: 'aaaaaaaa' };

/** Blocks come in time with the clock; the height is of the newest one. */
export function heightAt(world: Blocks, at: number): number {
  return 10_000 + Math.floor(at / world.paceMs);
}

/** The head as a probe reads and judges it: too old is a fail. */
export function headFacts(world: Blocks, sight: Sight, dueAt: number, outcome: Answer['outcome']): Partial<Answer> {
  if (!world.chain || (outcome === 'fail' && sight.fault !== undefined)) return {};
  const at = Math.min(dueAt, sight.stillSince ?? dueAt);
  const height = heightAt(world, at) + sight.ahead;
  const blockAt = Math.floor(at / world.paceMs) * world.paceMs;
  const isOld = sight.stillSince !== undefined && dueAt - blockAt > world.chain.maxAgeMs;
  const cp = checkpointHeight(height, chainOf(world.chain));
  return {
    height,
    blockAt,
    genesis: sight.genesis,
    ...(cp !== undefined && { checkpoint: { height: cp, id: idAt(sight, cp) } }),
    ...(isOld && { outcome: 'fail', fault: 'target.head.old' }),
  };
}

function idAt({ fork }: Sight, height: number): string {
  return fork !== undefined && height >= fork.fromHeight ? fork.id : height.toString(16).padStart(8, '0');
}

