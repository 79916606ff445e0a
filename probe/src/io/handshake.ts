/**
 * A TLS handshake for what it tells. Nothing is sent over a connection whose certificate is bad, and nothing at all
 * over this one: it is destroyed as soon as it has told.
 */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Fault } from '@highwater/config/faults.ts';
import { FaultError, type Certificate, type Handshake, type LinkRequest } from '@highwater/config/kinds.ts';
import type { Ending } from '../deadline.ts';
import { fault, faultOf } from '../fault.ts';
import { bestChain, rootsOf } from './chain.ts';
import { dial } from './dial.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { stopwatch } from './stopwatch.ts';
import { asBytes } from './url.ts';

const maxPresented = 10;

/** As openLink. A bad certificate is told, not thrown; whatever else goes wrong is a FaultError. */
export async function shakeHands(
  target: OpenTarget,
  outside: Outside,
  request: Pick<LinkRequest, 'port'>,
  signal: Ending,
  dialled: (address: string) => void = () => undefined,
): Promise<Handshake> {
  const url = asBytes(target.url, request.port, true);
  const watch = stopwatch('resolve', outside.monotonic);
  const tls = { mustBeGood: false, protocols: [] };
  let address = '';
  const told = (at: string) => dialled((address = at));
  try {
    const socket = await dial(url, { target, own: url, outside, signal, dialled: told, tls }, watch);
    const phases = watch.phases();
    socket.on('error', () => undefined);
    try {
      return { phases, address, ...tellOf(socket as TLSSocket, outside) };
    } finally {
      socket.destroy();
    }
  } catch (thrown) {
    throw thrown instanceof FaultError ? new FaultError(thrown.fault, watch.phases()) : thrown;
  }
}

function tellOf(socket: TLSSocket, outside: Outside): Omit<Handshake, 'phases' | 'address'> {
  const sent = presentedBy(socket);
  const [own] = sent;
  // Ciphers without a certificate are not offered.
  if (!own) throw new FaultError(fault('target.tls.handshake', 'no certificate was presented'));
  const chain = bestChain(own, sent, rootsOf(outside.roots), Date.now());
  return {
    version: (socket.getProtocol() ?? '').replace(/^TLSv/, ''),
    presented: sent.map(toldOf) as [Certificate, ...Certificate[]],
    ...(chain ? { chain: chain.map(toldOf) } : {}),
    ...(socket.authorized ? {} : { distrust: distrustOf(socket.authorizationError, own) }),
  };
}

/** In the order in which they were sent: Node links them so, whoever issued them. */
function presentedBy(socket: TLSSocket): X509Certificate[] {
  const sent: X509Certificate[] = [];
  let certificate = socket.getPeerX509Certificate();
  while (certificate && sent.length < maxPresented) {
    sent.push(certificate);
    certificate = certificate.issuerCertificate;
  }
  return sent;
}

/** Dates that cannot be read are long past. */
function toldOf(certificate: X509Certificate): Certificate {
  return {
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    validFrom: certificate.validFromDate.getTime() || 0,
    validTo: certificate.validToDate.getTime() || 0,
  };
}

/** The socket has the code of OpenSSL's verdict, typed as an Error. */
function distrustOf(verdict: unknown, own: X509Certificate): Fault {
  const code = typeof verdict === 'string' ? verdict : 'not verified';
  const { code: kind, operation, source } = faultOf({ code }, 'tls');
  const id = kind === 'handshake' ? 'target.tls.untrusted' : `${source}.${operation}.${kind}`;
  return fault(id, detailOf(id, code, own));
}

function detailOf(id: string, code: string, own: X509Certificate): string {
  switch (id) {
    case 'target.tls.wrong-host':
      return `it is for ${own.subjectAltName ?? own.subject}`;
    case 'target.tls.expired':
      return `${code}: its own certificate until ${own.validToDate.toISOString()}`;
    case 'target.tls.not-yet-valid':
      return `${code}: its own certificate from ${own.validFromDate.toISOString()}`;
    default:
      return code;
  }
}
