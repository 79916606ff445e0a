/** From a URL to a connected socket: resolve, check the address, connect, speak TLS. */
import type { Socket } from 'node:net';
import { FaultError } from '@highwater/config/kinds.ts';
import { faultError, faultOf } from '../fault.ts';
import { defaultSecureContext, openTcp, openTls, type TlsManner } from './connect.ts';
import { abortError, type OpenTarget, type Outside } from './outside.ts';
import { refusal } from './reach.ts';
import type { Stopwatch } from './stopwatch.ts';
import { hostOf, isSecure, portOf } from './url.ts';

const maxAddresses = 3;

export interface Route {
  readonly target: OpenTarget;
  /** What the check asked for, before any redirect: its host is the target's own. */
  readonly own: URL;
  readonly outside: Outside;
  readonly signal: AbortSignal;
  /** Told of each address before it is tried. */
  dialled(address: string): void;
  /** As for HTTP by default. */
  readonly tls?: TlsManner;
}

/** Resolves, checks and connects; every failure is a FaultError. */
export async function dial(to: URL, route: Route, watch: Stopwatch): Promise<Socket> {
  const { target, own, outside, signal } = route;
  // Another port that the check names is on the same machine; a place that a server sends us to need not be.
  const pinned = to.host === own.host ? (target.address ?? target.address6) : undefined;
  watch.start('resolve');
  const addresses = pinned !== undefined ? [pinned] : await raced(outside.resolve(hostOf(to)), signal);
  let failed: unknown;
  for (const address of addresses.slice(0, maxAddresses)) {
    route.dialled(address);
    const because = refusal(address, target.allowPrivate, outside.consent);
    if (because !== undefined) throw faultError('target.connect.private', because);
    watch.start('connect');
    try {
      const socket = await openTcp(address, portOf(to), signal);
      if (!isSecure(to)) return socket;
      watch.start('tls');
      const context = outside.secureContext ?? defaultSecureContext();
      return await openTls(socket, hostOf(to), context, signal, route.tls);
    } catch (thrown) {
      failed = thrown;
      // Users' programs try a name's next address when one refuses at once; they don't after TLS or a deadline.
      if (watch.running !== 'connect' || signal.aborted) break;
    }
  }
  throw new FaultError(faultOf(failed, watch.running));
}

/** Or rejects as a resolver that did not answer before the deadline. */
export function raced<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(abortError(signal, 'resolve'));
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
  });
}
