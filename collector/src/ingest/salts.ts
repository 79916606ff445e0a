/** The salts under which probes commit to bodies of private services: all from one secret, which the store has. */
import { randomBytes } from 'node:crypto';
import { sha256 } from '@highwater/config/keys.ts';
import { saltOf } from '@highwater/config/proof/body-hash.ts';
import { decodeHex } from '@highwater/config/proof/bytes.ts';
import type { ReadTx, Tx } from '../store/store.ts';

const KEY = 'bodySalt';

/** The salt of a service; undefined where the store has no secret yet. */
export type SaltOf = (service: string) => Uint8Array | undefined;

/** Makes the secret once. It leaves the store in assignments alone, as salts of the services that their probe asks. */
export async function makeBodySalt(tx: Tx): Promise<void> {
  await tx.initMeta(KEY, randomBytes(32).toString('hex'));
}

export async function readSalts(tx: ReadTx): Promise<SaltOf> {
  const text = await tx.meta(KEY);
  const secret = text === undefined ? undefined : decodeHex(text);
  if (text !== undefined && secret?.length !== 32)
    throw new Error('the salt of bodies in the store is malformed');
  return (service) => (secret === undefined ? undefined : saltOf(secret, service, sha256));
}
