/** TLS that breaks as soon as it stands, in one packet with the end of the handshake: told at once, for what it is. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureVersion,
  type Server as TlsServer,
} from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { faultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import { type Certificates, makeCertificates } from '../../testing/certificates.ts';
import { listening, type Served } from '../../testing/servers.ts';
import { openWay } from './exchange.ts';
import { openLink } from './link.ts';
import { shakeHands } from './handshake.ts';
import type { OpenTarget, Outside } from './outside.ts';
import { parseConsent } from './reach.ts';
import { makeResolve } from './resolve.ts';
import { openSocket } from './socket.ts';

let certificates: Certificates;
let outside: Outside;
beforeAll(() => {
  certificates = makeCertificates();
  outside = {
    resolve: makeResolve(),
    consent: parseConsent(['config']),
    userAgent: 'Highwater/test',
    monotonic: () => performance.now(),
    secureContext: createSecureContext({ ca: certificates.ca }),
  };
});

type Open = (target: OpenTarget, signal: AbortSignal) => Promise<unknown>;
const openers: Readonly<Record<string, Open>> = {
  async http(target, signal) {
    const way = openWay(target, outside, signal);
    return await way.exchange({ method: 'GET' }).finally(() => way.close());
  },
  websocket: (target, signal) => openSocket(target, outside, {}, signal),
  async tcp(target, signal) {
    using link = await openLink(target, outside, { tls: true }, signal);
    return await link.next();
  },
  tls: (target, signal) => shakeHands(target, outside, {}, signal),
};

async function said(open: Open, port: number): Promise<string> {
  const target = { url: `https://localhost:${port}`, address: '127.0.0.1', allowPrivate: true, headers: {} };
  try {
    await open(target, AbortSignal.timeout(4_000));
    return 'opened';
  } catch (thrown) {
    return thrown instanceof FaultError ? faultId(thrown.fault) : String(thrown);
  }
}

/** A TLS server behind something that adds these bytes to what ends its part of the handshake. */
async function spoilt(version: SecureVersion, bytes: Buffer): Promise<Served> {
  const own: TlsServer = createTlsServer({
    ...certificates.good,
    minVersion: version,
    maxVersion: version,
  });
  own.on('secureConnection', (socket) => socket.on('error', () => undefined));
  own.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(own, 'listening');
  const last = version === 'TLSv1.2' ? 2 : 1;
  const front: Server = createServer((socket) => {
    const inner = connect((own.address() as AddressInfo).port, '127.0.0.1');
    let flights = 0;
    inner
      .on('error', () => undefined)
      .on('data', (data) => {
        flights += 1;
        socket.write(flights === last ? Buffer.concat([data, bytes]) : data);
      });
    socket.on('data', (data) => inner.write(data)).on('close', () => inner.destroy());
  });
  front.on('close', () => own.close());
  return listening(front, 'https');
}

const breaks = {
  'a record of nothing': Buffer.from('\x16\x03\x03garbagegarbagegarbage', 'latin1'),
  'an alert in the clear': Buffer.from([21, 3, 3, 0, 2, 2, 40]),
  'data that cannot be decrypted': Buffer.from([23, 3, 3, 0, 30, ...Array<number>(30).fill(7)]),
};
const expected = {
  http: 'target.http.reset',
  websocket: 'target.http.reset',
  tcp: 'target.tcp.closed',
  tls: 'opened',
};

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const cases = Object.entries(breaks).flatMap(([name, bytes]) =>
    Object.entries(expected).map(([kind, fault]) => [name, kind, fault, bytes] as const),
  );
  it.each(cases)('%s, over %s: %s', async (_, kind, fault, bytes) => {
    await using server = await spoilt(version, bytes);
    expect(await said(openers[kind] as Open, server.port)).toBe(fault);
  });
});

it('a certificate that is asked of the client is told as the handshake', async () => {
  const server = createTlsServer({ ...certificates.good, ca: certificates.ca, requestCert: true });
  server.on('tlsClientError', () => undefined);
  await using served = await listening(server, 'https');
  expect(await said(openers['http'] as Open, served.port)).toBe('target.tls.handshake');
});
