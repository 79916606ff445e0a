import { generateSigningKey } from '@highwater/config/keys.ts';
import type { Clock } from '@highwater/config/time.ts';
import type { Acknowledging } from '../answers/acknowledge.ts';
import type { Store } from '../store/store.ts';

/** Who acknowledges in tests: the operator of `test.example/log`, where only the service `web` is public. */
export function acknowledging(store: Store, clock: Clock): Acknowledging {
  const key = generateSigningKey('test.example/log');
  return { store, clock, signing: { key, origin: key.name }, salt: 'salt', shown: new Set(['web']) };
}
