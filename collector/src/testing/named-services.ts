import { sha256 } from '@highwater/config/keys.ts';
import { leafHashOfNote } from '@highwater/config/proof/leaf-hash.ts';
import type { Store } from '../store/store.ts';
import { LOG_SHARD } from '../watched.ts';

/** A configuration leaf that names these services, as far as packing reads it: what comes after it is of services that are known. */
export async function nameServices(store: Store, services: readonly string[]): Promise<number> {
  const body = services.map((service) => `service ${service} 1 public -\n`).join('');
  const note = `names ${services.join(' ')}\n`;
  return store.transact(LOG_SHARD, (tx) =>
    tx.addCommit({ kind: 'config', at: 0, note, hash: leafHashOfNote(note, sha256), body }),
  );
}
