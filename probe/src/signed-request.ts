/** Headers of a call that the probe signs, so that the collector knows who asks without a shared secret. */
import type { SigningKey } from '@highwater/config/keys.ts';
import { encodeBase64, utf8 } from '@highwater/config/proof/bytes.ts';
import { authorizationOf, formatRequestText } from '@highwater/config/proof/request.ts';
import type { Instant } from '@highwater/config/time.ts';
import { checkpointHeader } from '@highwater/config/wire.ts';

export interface Asker {
  readonly key: SigningKey;
  now(): Instant;
  /** The newest checkpoint note that was found consistent: the collector learns of a history that it does not know. */
  checkpoint(): string | undefined;
}

/** `target`: path and query exactly as asked. */
export function signedHeaders(asker: Asker, origin: string, target: string): Record<string, string> {
  const said = { origin, probe: asker.key.name, method: 'GET', target, at: asker.now() } as const;
  const note = asker.checkpoint();
  return {
    authorization: authorizationOf(asker.key.sign(formatRequestText(said))),
    ...(note === undefined ? {} : { [checkpointHeader]: encodeBase64(utf8(note)) }),
  };
}
