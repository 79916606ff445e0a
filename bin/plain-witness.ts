/** Witnesses whose answers anybody on the way can write. Pure. */
import { isPrivateHost } from '@highwater/config/crosscheck-targets.ts';
import type { Config } from '@highwater/config/model.ts';

/** A sentence for each witness over plain http that is not on a private address: its refusals are not signed, and one can stop the log. */
export function plainWitnesses({ witnesses }: Pick<Config, 'witnesses'>): string[] {
  const plain = (witnesses?.list ?? []).filter(({ url }) => {
    const { protocol, hostname } = new URL(url);
    return protocol === 'http:' && !isPrivateHost(hostname);
  });
  return plain.map(
    ({ id, url }) =>
      `warning: witness ${id}: ${url} is plain http, and its refusals are not signed: ` +
      'whoever is on the way can answer that it knows a larger log, which stops the signing; write its https URL',
  );
}
