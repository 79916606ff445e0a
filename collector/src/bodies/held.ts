/** What is kept of a batch's bodies when it is committed: which of them everyone may read, as it is told at that time. */
import { sha256 } from '@highwater/config/keys.ts';
import type { Batch } from '@highwater/config/proof/batch.ts';
import { howCommitted } from '@highwater/config/proof/body-hash.ts';
import { utf8 } from '@highwater/config/proof/bytes.ts';
import type { SaltOf } from '../ingest/salts.ts';
import type { HeldBody, Shown } from '../store/store.ts';

/**
 * The bodies of a batch in the order of its text. `isPublic` says of a service whether everyone may read what is kept
 * now; of one that it does not know, nobody may. A salted body was private to the probe that saw it, and stays so.
 *
 * @param salted services of which it is known whether their body is committed to under a salt
 */
export function heldOf(
  batch: Pick<Batch, 'bodies'>,
  bodies: ReadonlyMap<string, string>,
  isPublic: (service: string) => boolean,
  saltOf: SaltOf = () => undefined,
  salted: ReadonlyMap<string, boolean> = new Map(),
): HeldBody[] {
  return batch.bodies.flatMap((ref) => {
    const { service, hash } = ref;
    const text = bodies.get(service);
    if (text === undefined) return [];
    const isSalted =
      salted.get(service) ?? howCommitted(ref, utf8(text), saltOf(service), sha256) === 'salted';
    const shown: Shown = isSalted ? 'salted' : isPublic(service) ? 'public' : 'private';
    return [{ service, hash, shown, text }];
  });
}
