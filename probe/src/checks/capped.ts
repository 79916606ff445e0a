/** How much may come over one WebSocket of a round. */
import { defaultMaxBytes, type SocketLink } from '@highwater/config/kinds.ts';
import { faultError } from '../fault.ts';

/** Pushes beside the answers, in messages of the largest size. */
const largestBeside = 4;

type Talk = Pick<SocketLink, 'send' | 'next'>;

/**
 * The same until it brings more than an answer of `maxBytes` to each message sent and four such beside: then `next`
 * throws FaultError `target.ws.too-large`. Each message is small enough, and read: nothing else bounds how long a server
 * can keep a core busy.
 */
export function capped(link: Talk, maxBytes = defaultMaxBytes): Talk {
  let allowed = largestBeside * maxBytes;
  let came = 0;
  return {
    send(text) {
      allowed += maxBytes;
      link.send(text);
    },
    async next(signal) {
      const text = await link.next(signal);
      came += Buffer.byteLength(text);
      if (came > allowed) throw faultError('target.ws.too-large', `over ${allowed} bytes in all`);
      return text;
    },
  };
}
