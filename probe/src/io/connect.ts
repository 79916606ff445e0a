/** A connection to one address that was found good, with TLS when the URL says so. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Instant } from '@highwater/config/time.ts';
import type { Ending } from '../deadline.ts';

let shared: SecureContext | undefined;

/** Made once: a new one for each handshake costs as much again as half the handshake. */
export function defaultSecureContext(): SecureContext {
  return (shared ??= createSecureContext());
}

/** Connects; rejects with the system's error, or with the signal's reason. */
export function openTcp(address: string, port: number, signal: Ending): Promise<Socket> {
  return settled(
    connectTcp({ host: address, port, autoSelectFamily: false, noDelay: true }),
    'connect',
    signal,
  );
}

/** How TLS is spoken. */
export interface TlsManner {
  /** Whether a bad certificate ends the handshake; else `authorizationError` of the socket tells of it. */
  readonly mustBeGood: boolean;
  /** Protocols offered (ALPN). */
  readonly protocols: readonly string[];
}

const forHttp: TlsManner = { mustBeGood: true, protocols: ['http/1.1'] };

/** Speaks TLS over an open socket; the certificate must be for `host`, which is also sent as SNI unless it is an address. */
export async function openTls(
  socket: Socket,
  host: string,
  context: SecureContext,
  signal: Ending,
  { mustBeGood, protocols }: TlsManner = forHttp,
): Promise<TLSSocket> {
  const secured = connectTls({
    socket,
    secureContext: context,
    rejectUnauthorized: mustBeGood,
    ...(protocols.length > 0 ? { ALPNProtocols: [...protocols] } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  // Node only tells of a broken record or an alert after the handshake, and keeps the socket open. It may come in one
  // packet with the end of the handshake: before whoever asked for the socket listens.
  secured.on('error', (error: Error) => secured.destroy(error));
  try {
    return await settled(secured, 'secureConnect', signal);
  } catch (thrown) {
    socket.destroy();
    throw thrown;
  }
}

/** Unix ms of the earliest expiry among the certificates that the server sent. */
export function earliestExpiry(socket: TLSSocket): Instant | undefined {
  let earliest: Instant | undefined;
  let certificate = socket.getPeerX509Certificate();
  for (let depth = 0; certificate && depth < 8; depth += 1) {
    const at = certificate.validToDate.getTime();
    if (!Number.isNaN(at) && (earliest === undefined || at < earliest)) earliest = at;
    certificate = certificate.issuerCertificate;
  }
  return earliest;
}

/** Why a socket that was handed over is of no use any more; undefined while it is. What it told before is not told again. */
export function brokenBy(socket: Socket): Error | undefined {
  if (!socket.destroyed) return undefined;
  return socket.errored ?? Object.assign(new Error('closed'), { code: 'ECONNRESET' });
}

/** Waits for one event; whatever else happens first destroys the socket and rejects. */
function settled<S extends Socket>(socket: S, event: string, signal: Ending): Promise<S> {
  return new Promise((resolve, reject) => {
    const end = (failed: unknown) => {
      signal.removeEventListener('abort', aborted);
      socket.off('error', end).off('close', closed).off(event, ready);
      if (failed === undefined) return resolve(socket);
      // A late error of a destroyed socket must not become an uncaught exception.
      socket.on('error', () => undefined).destroy();
      reject(failed instanceof Error ? failed : new Error('the connection failed', { cause: failed }));
    };
    const aborted = () => end(signal.reason);
    const ready = () => end(undefined);
    const closed = () => end(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
    socket.on('error', end).on('close', closed).on(event, ready);
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted, { once: true });
  });
}
