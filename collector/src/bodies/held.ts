/** What is kept of a batch's bodies when it is committed: which of them everyone may read, as it is told at that time. */
import type { Batch } from '@highwater/config/proof/batch.ts';
import type { HeldBody, Shown } from '../store/store.ts';

/** A body as it was found to be the one that its batch commits to. */
interface Found {
  readonly text: string;
  readonly isSalted: boolean;
}

/**
 * The bodies of a batch in the order of its text. `isPublic` says of a service whether everyone may read what is kept
 * now; of one that it does not know, nobody may. A salted body was private to the probe that saw it, and stays so.
 */
export function heldOf(
  batch: Pick<Batch, 'bodies'>,
  bodies: ReadonlyMap<string, Found>,
  isPublic: (service: string) => boolean,
): HeldBody[] {
  return batch.bodies.flatMap(({ service, hash }) => {
    const found = bodies.get(service);
    if (found === undefined) return [];
    const shown: Shown = found.isSalted ? 'salted' : isPublic(service) ? 'public' : 'private';
    return [{ service, hash, shown, text: found.text }];
  });
}
