/** From a URL to a connected socket: resolve, check the address, connect, speak TLS. */
import type { Socket } from 'node:net';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { faultError, faultOf } from '../fault.ts';
import { defaultSecureContext, openTcp, openTls, type TlsManner } from './connect.ts';
import { abortError, type OpenTarget, type Outside } from './outside.ts';
import { refusal } from './reach.ts';
import { ofFamily } from './resolve.ts';
import type { Stopwatch } from './stopwatch.ts';
import { hostOf, isSecure, portOf } from './url.ts';

const maxAddresses = 3;

export interface Route {
  readonly target: OpenTarget;
  /** What the check asked for, before any redirect: its host is the target's own. */
  readonly own: URL;
  readonly outside: Outside;
  readonly signal: Ending;
  /** Told of each address before it is tried. */
  dialled(address: string): void;
  /** As for HTTP by default. */
  readonly tls?: TlsManner;
}

/** Resolves, checks and connects; every failure is a FaultError. */
export async function dial(to: URL, route: Route, watch: Stopwatch): Promise<Socket> {
  const { target, outside, signal } = route;
  watch.start('resolve');
  const addresses = pinned(to, route) ?? (await raced(outside.resolve(hostOf(to), target.family), signal));
  const allowPrivate = isOwnPrivate(to, route);
  let failed: unknown;
  for (const address of addresses.slice(0, maxAddresses)) {
    route.dialled(address);
    const because = refusal(address, allowPrivate, outside.consent);
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
      if (thrown instanceof FaultError) throw thrown;
      // Users' programs try a name's next address when one refuses at once; they don't after TLS or a deadline.
      if (watch.running !== 'connect' || signal.aborted) break;
    }
  }
  throw new FaultError(faultOf(failed, watch.running));
}

/** The operator's word is for the host that the operator wrote: to another private one no server may send us. */
function isOwnPrivate(to: URL, { target, own }: Route): boolean {
  return target.allowPrivate && to.hostname === own.hostname;
}

/**
 * What the config says instead of DNS, IPv4 first; undefined where it says nothing. Another port that the check names is
 * on the same machine; a place that a server sends us to need not be.
 */
function pinned(to: URL, { target, own }: Route): readonly string[] | undefined {
  if (to.host !== own.host) return undefined;
  const written = [target.address, target.address6].filter((each) => each !== undefined);
  if (written.length === 0) return undefined;
  const found = ofFamily(written, target.family);
  // The config is refused for it; to ask whatever DNS says would ask another machine.
  if (found.length === 0) throw faultError('resolver.resolve.nodata', `none written for IPv${target.family}`);
  return found;
}

/** Or rejects as a resolver that did not answer before the deadline. */
export function raced<T>(promise: Promise<T>, signal: Ending): Promise<T> {
  return new Promise((resolve, reject) => {
    const aborted = () => reject(abortError(signal, 'resolve'));
    if (signal.aborted) return aborted();
    signal.addEventListener('abort', aborted, { once: true });
    const settle = <V>(act: (value: V) => void) => {
      return (value: V) => {
        signal.removeEventListener('abort', aborted);
        act(value);
      };
    };
    promise.then(settle(resolve), settle(reject));
  });
}
