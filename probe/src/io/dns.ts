/** The one way out to name servers: within the check's deadline, and to no address that may not be reached. */
import type { DnsWay } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { faultError } from '../fault.ts';
import { askServer } from './dns-ask.ts';
import { zoneOf } from './dns-zone.ts';
import { raced } from './dial.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { refusal } from './reach.ts';

/** A packet may be lost: the question is sent again after this, or a third of the time there is. */
const againAfterMs = 1_000;

/** For one run; `dialled` is told of each address before it is asked. */
export function openDns(
  target: Pick<OpenTarget, 'allowPrivate' | 'family'>,
  outside: Outside,
  run: { readonly signal: Ending; readonly timeoutMs: number },
  dialled: (address: string) => void,
): DnsWay {
  const limits = {
    signal: run.signal,
    againAfterMs: Math.min(againAfterMs, Math.ceil(run.timeoutMs / 3)),
    monotonic: outside.monotonic,
  };
  return {
    ask: async (question) => {
      dialled(question.address);
      // Also for those that the zone names: a name server is all that the node's word can be about in this check, the
      // internal ones of an internal zone above all, and nothing but a DNS message goes there.
      const because = refusal(question.address, target.allowPrivate, outside.consent);
      if (because !== undefined) throw faultError('target.connect.private', because);
      return askServer(question, limits);
    },
    addresses: (host) => raced(outside.resolve(host, target.family), run.signal),
    zoneOf: (name) => zoneOf(name, outside.resolvers, limits),
  };
}
