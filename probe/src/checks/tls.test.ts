import { X509Certificate } from 'node:crypto';
import { createServer as createTlsServer, createSecureContext, type TlsOptions } from 'node:tls';
import type { Socket } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatLine, parseLine } from '@highwater/config/proof/line.ts';
import { type Defects, makeDefects } from '../../testing/chains-of-trust.ts';
import type { Certificate } from '../../testing/certificates.ts';
import { testCheck, testHouse, verdictOf } from '../../testing/check.ts';
import { closedPort, listening, type Served, serveTcp } from '../../testing/servers.ts';
import type { House } from '../observe.ts';
import { tls } from './tls.ts';

let made: Defects;
let house: House;
beforeAll(() => {
  made = makeDefects();
  const outside = {
    ...testHouse.outside,
    secureContext: createSecureContext({ ca: made.root }),
    roots: [made.root],
  };
  house = { ...testHouse, outside };
});

const serveTls = (certificate: Certificate, more: TlsOptions = {}): Promise<Served> =>
  listening(createTlsServer({ ...certificate, ...more }), 'https');

async function look(port: number, settings: unknown = {}, timeoutMs = 5_000) {
  using check = testCheck('tls', `https://localhost:${port}`, settings, { house, timeoutMs });
  const seen = await check.run();
  const line = formatLine(seen);
  expect(parseLine(line)).not.toHaveProperty('error');
  return seen;
}

const fingerprintOf = ({ cert }: Certificate) =>
  new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase();

describe('a server with', () => {
  it.each<[keyof Defects, string, string | RegExp]>([
    ['good', 'ok', ''],
    ['expired', 'fail target.tls.expired', /CERT_HAS_EXPIRED: its own certificate until 20/],
    ['future', 'fail target.tls.not-yet-valid', /CERT_NOT_YET_VALID/],
    ['wrongHost', 'fail target.tls.wrong-host', 'it is for DNS:other.example'],
    ['selfSigned', 'fail target.tls.self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['incomplete', 'fail target.tls.untrusted', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['foreign', 'fail target.tls.untrusted', 'SELF_SIGNED_CERT_IN_CHAIN'],
    ['in2Days', 'degraded target.tls.expiring', /^it expires in 1\.9 days, on 20/],
    ['in10Days', 'degraded target.tls.expires-soon', /^it expires in 9\.9 days, on 20/],
    ['shortWith5Days', 'ok', ''],
    ['shortWith40Hours', 'degraded target.tls.expires-soon', /in 1\.6 days/],
    ['shortWith12Hours', 'degraded target.tls.expiring', /in 0\.4 days/],
    [
      'fadingIssuer',
      'degraded target.tls.expiring',
      /^a certificate above it in the chain expires in 1\.9 days/,
    ],
    ['crossSigned', 'ok', ''],
  ])('the certificate %s: %s', async (name, verdict, detail) => {
    const certificate = made[name] as Certificate;
    await using server = await serveTls(certificate);
    const seen = await look(server.port);
    expect(verdictOf(seen)).toBe(verdict);
    expect(seen.fault?.detail ?? '').toEqual(
      typeof detail === 'string' ? detail : (expect.stringMatching(detail) as string),
    );
    // Whatever is wrong with it, what it is is told.
    expect(seen.facts).toMatchObject({
      fp: fingerprintOf(certificate).slice(0, 8),
      cl: String(new X509Certificate(certificate.cert).validToDate.getTime()),
      tv: '1.3',
    });
    expect(seen.phases?.tls).toBeGreaterThan(0);
  });

  it('a cross-sign that has expired: presented, but not what users depend on', async () => {
    await using server = await serveTls(made.crossSigned);
    const { facts } = await look(server.port);
    expect(facts).toMatchObject({
      ce: String(made.at(-30)),
      cl: String(made.at(80)),
      cv: String(made.at(80)),
    });
  });

  it('a chain that leads nowhere, which has no end then', async () => {
    await using server = await serveTls(made.foreign);
    const { facts } = await look(server.port);
    expect(facts).toMatchObject({ cl: String(made.at(80)) });
    expect(facts).not.toHaveProperty('cv');
  });
});

describe('versions of TLS', () => {
  it('below 1.2 are a fault of their own', async () => {
    const ciphers = 'DEFAULT@SECLEVEL=0';
    await using server = await serveTls(made.good, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers });
    expect(verdictOf(await look(server.port))).toBe('fail target.tls.protocol');
  });

  it('1.2 is good unless 1.3 is asked for', async () => {
    await using server = await serveTls(made.good, { maxVersion: 'TLSv1.2' });
    const seen = await look(server.port);
    expect([verdictOf(seen), seen.facts['tv']]).toEqual(['ok', '1.2']);
    const strict = await look(server.port, { minVersion: '1.3' });
    expect([verdictOf(strict), strict.fault?.detail]).toEqual([
      'fail target.tls.protocol',
      'TLS 1.2, at least 1.3 is asked for',
    ]);
  });
});

describe('settings', () => {
  it('warn and critical say how early', async () => {
    await using server = await serveTls(made.in10Days);
    expect(verdictOf(await look(server.port, { warn: '9d' }))).toBe('ok');
    expect(verdictOf(await look(server.port, { critical: '11d' }))).toBe('degraded target.tls.expiring');
  });

  it('a fingerprint pins one certificate, in either spelling', async () => {
    await using server = await serveTls(made.good);
    const { fingerprint256 } = new X509Certificate(made.good.cert);
    expect(verdictOf(await look(server.port, { fingerprint: fingerprint256 }))).toBe('ok');
    expect(verdictOf(await look(server.port, { fingerprint: fingerprintOf(made.good) }))).toBe('ok');
    const other = await look(server.port, { fingerprint: fingerprintOf(made.expired) });
    expect([verdictOf(other), other.fault?.detail]).toEqual([
      'fail target.tls.fingerprint',
      `it is ${fingerprintOf(made.good)}`,
    ]);
  });

  it('a port is of the same host; a URL without TLS is asked with TLS all the same', async () => {
    await using server = await serveTls(made.good);
    for (const url of ['https://localhost', 'http://localhost:80', 'ws://localhost/x']) {
      using check = testCheck('tls', url, { port: server.port }, { house });
      expect(verdictOf(await check.run())).toBe('ok');
    }
  });

  it.each([
    [{ warn: '14' }, 'not a duration'],
    [{ warn: '2d' }, 'below critical (3d when left out)'],
    [{ warn: '9d', critical: '10d' }, 'below critical'],
    [{ minVersion: '1.1' }, 'not a version to ask for'],
    [{ minVersion: 1.2 }, 'not a version to ask for'],
    [{ fingerprint: 'abc' }, 'not a fingerprint'],
    [{ fingerprint: `${'ab'.repeat(31)}zz` }, 'not a fingerprint'],
    [{ days: 3 }, 'Unrecognized key'],
  ])('%j is refused: %s', (settings, message) => {
    expect(JSON.stringify(tls.settings.safeParse(settings).error?.issues)).toContain(message);
  });
});

describe('the certificate of one round and the next', () => {
  it('another one is told once, in a fact and beside a fault', async () => {
    let now = made.good;
    const SNICallback: TlsOptions['SNICallback'] = (_, done) => done(null, createSecureContext(now));
    await using server = await serveTls(made.good, { SNICallback });
    using check = testCheck('tls', `https://localhost:${server.port}`, {}, { house });
    const rounds = [];
    for (const certificate of [made.good, made.good, made.in2Days, made.in2Days]) {
      now = certificate;
      rounds.push(await check.run());
    }
    expect(rounds.map(({ facts }) => facts['fpb'])).toEqual([
      undefined,
      undefined,
      fingerprintOf(made.good).slice(0, 8),
      undefined,
    ]);
    expect(rounds[2]?.fault?.detail).toContain('another certificate than in the round before');
    expect(rounds[3]?.fault?.detail).not.toContain('another');
  });

  it('is that of one origin: its own address, with the name of the URL', async () => {
    const names: string[] = [];
    const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
      names.push(name);
      done(null, createSecureContext(made.wrongHost));
    };
    await using server = await serveTls(made.good, { SNICallback });
    const monitor = testCheck('tls', `https://other.example:${server.port}`, {}, { house });
    Object.assign(monitor.prepared.monitor.target, { address: '127.0.0.1' });
    expect(verdictOf(await monitor.run())).toBe('ok');
    expect(names).toEqual(['other.example']);
  });
});

describe('each way to fail is its own fault', () => {
  const drip = (socket: Socket) => {
    const timer = setInterval(() => socket.write(Buffer.from([0x16])), 20);
    socket.on('close', () => clearInterval(timer));
  };
  it.each<[string, string, (socket: Socket) => void]>([
    ['silence after the connection', 'fail target.tls.timeout', () => undefined],
    ['one byte now and then', 'fail target.tls.handshake', drip],
    ['one byte of a long record now and then', 'fail target.tls.timeout', (socket) => dripRecord(socket)],
    [
      'a reset',
      'fail target.tls.handshake',
      (socket) => void socket.once('data', () => socket.resetAndDestroy()),
    ],
    ['an end', 'fail target.tls.handshake', (socket) => void socket.once('data', () => socket.end())],
    ['plain text', 'fail target.tls.handshake', (socket) => void socket.write('220 mail.example ESMTP\r\n')],
    [
      'plain HTTP',
      'fail target.tls.handshake',
      (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ],
    ['random bytes without end', 'fail target.tls.handshake', (socket) => flood(socket)],
  ])('%s: %s', async (_, expected, act) => {
    await using server = await serveTcp(act);
    const seen = await look(server.port, {}, expected.endsWith('timeout') ? 300 : 5_000);
    expect(verdictOf(seen)).toBe(expected);
  });

  it('no listener, and a private address that nobody allowed', async () => {
    expect(verdictOf(await look(await closedPort()))).toBe('fail target.connect.refused');
    await using server = await serveTls(made.good);
    const check = testCheck('tls', server.url, {}, { house });
    Object.assign(check.prepared.monitor.target, { allowPrivate: false });
    expect(verdictOf(await check.run())).toBe('fail target.connect.private');
  });
});

/** A handshake record of 16 KiB, announced and then sent byte by byte. */
function dripRecord(socket: Socket): void {
  socket.write(Buffer.from([0x16, 0x03, 0x03, 0x40, 0x00]));
  const timer = setInterval(() => socket.write('\x02'), 20);
  socket.on('close', () => clearInterval(timer));
}

function flood(socket: Socket): void {
  const bytes = Buffer.alloc(65_536, 0xa5);
  const more = () => void (socket.destroyed || socket.write(bytes, more));
  more();
}
