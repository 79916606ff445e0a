/**
 * Bodies of services that no configuration had named when their batch came. They are evidence like all others, but whoever
 * has a probe's key can make up as many names as there are: so those of a day lie in one object together (MIXED), and none
 * of them becomes a row, a folder or a name in the store.
 */
import { REFERENCE_PREFIX } from '@highwater/config/proof/rule/stalled.ts';
import type { CommitRow, ReadTx } from '../store/store.ts';

/** Whether no configuration leaf before the commit at `index` names a service. */
export type IsUnnamed = (service: string, index: number) => boolean;

function firstNamed(leaves: readonly CommitRow[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  const name = (service: string, index: number): void => {
    first.set(service, Math.min(index, first.get(service) ?? Infinity));
  };
  for (const { kind, index, body = '' } of leaves) {
    if (kind !== 'config') continue;
    for (const [, service = ''] of body.matchAll(/^service (\S+) /gm)) name(service, index);
    for (const [, chain = ''] of body.matchAll(/^chain (\S+) /gm)) name(`${REFERENCE_PREFIX}${chain}`, index);
  }
  return first;
}

export async function readUnnamed(tx: Pick<ReadTx, 'leaves'>): Promise<IsUnnamed> {
  const first = firstNamed(await tx.leaves());
  return (service, index) => (first.get(service) ?? Infinity) > index;
}
