/** The kinds tls, tcp and http against real TLS servers, one for each defect: OpenSSL's own server. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Certificate } from '../../probe/testing/certificates.ts';
import { type Defects, makeDefects } from '../../probe/testing/chains-of-trust.ts';
import { testCheck, testHouse, verdictOf } from '../../probe/testing/check.ts';
import type { House } from '../../probe/src/observe.ts';
import { formatLine } from '@highwater/config/proof/line.ts';
import { startOpenssl } from '../fixtures/openssl-server.ts';

let made: Defects;
let house: House;
beforeAll(() => {
  made = makeDefects();
  const secureContext = createSecureContext({ ca: made.root });
  house = { ...testHouse, outside: { ...testHouse.outside, secureContext, roots: [made.root] } };
});

async function look(kind: string, port: number, settings: object = {}) {
  using check = testCheck(kind, `https://localhost:${port}`, settings, { house, timeoutMs: 10_000 });
  const seen = await check.run();
  formatLine(seen);
  return seen;
}

/** As servers of long ago: Debian's own defaults would not let them. */
const old = ['-cipher', 'DEFAULT:@SECLEVEL=0'];

/** What each kind says of the server. `tls` tells of an end that is near; the others only of what users meet. */
const rows: [keyof Defects, readonly string[], tls: string, others: string][] = [
  ['good', [], 'ok', 'ok'],
  ['good', ['-tls1_2'], 'ok', 'ok'],
  ['good', ['-tls1_3'], 'ok', 'ok'],
  ['expired', [], 'fail target.tls.expired', 'fail target.tls.expired'],
  ['future', [], 'fail target.tls.not-yet-valid', 'fail target.tls.not-yet-valid'],
  ['wrongHost', [], 'fail target.tls.wrong-host', 'fail target.tls.wrong-host'],
  ['selfSigned', [], 'fail target.tls.self-signed', 'fail target.tls.self-signed'],
  ['incomplete', [], 'fail target.tls.untrusted', 'fail target.tls.untrusted'],
  ['foreign', [], 'fail target.tls.untrusted', 'fail target.tls.untrusted'],
  ['crossSigned', [], 'ok', 'ok'],
  ['in2Days', [], 'degraded target.tls.expiring', 'ok'],
  ['in10Days', [], 'degraded target.tls.expires-soon', 'ok'],
  ['shortWith5Days', [], 'ok', 'ok'],
  ['shortWith12Hours', [], 'degraded target.tls.expiring', 'ok'],
  ['fadingIssuer', [], 'degraded target.tls.expiring', 'ok'],
  ['good', ['-tls1', ...old], 'fail target.tls.protocol', 'fail target.tls.protocol'],
  ['good', ['-tls1_1', ...old], 'fail target.tls.protocol', 'fail target.tls.protocol'],
  [
    'good',
    ['-tls1_2', '-cipher', 'NULL:@SECLEVEL=0'],
    'fail target.tls.handshake',
    'fail target.tls.handshake',
  ],
  // It asks for a certificate of the client's, which a probe does not have.
  [
    'good',
    ['-tls1_2', '-Verify', '1', '-verify_return_error'],
    'fail target.tls.handshake',
    'fail target.tls.handshake',
  ],
];

describe('a server with', () => {
  it.each(rows)('the certificate %s and %j: tls %s, others %s', async (name, flags, tls, others) => {
    const certificate = made[name] as Certificate;
    await using server = await startOpenssl(certificate, flags);
    const seen = await look('tls', server.port);
    expect(verdictOf(seen)).toBe(tls);
    expect(verdictOf(await look('http', server.port, { contains: 's_server' }))).toBe(others);
    expect(verdictOf(await look('tcp', server.port, { tls: true }))).toBe(others);
    if (/protocol|handshake/.test(tls)) return;
    // Whatever is wrong with it, what it is is told.
    const { validToDate, fingerprint256 } = new X509Certificate(certificate.cert);
    expect(seen.facts).toMatchObject({
      cl: String(validToDate.getTime()),
      fp: fingerprint256.replaceAll(':', '').toLowerCase().slice(0, 8),
      tv: flags.includes('-tls1_2') ? '1.2' : '1.3',
    });
  });
});
