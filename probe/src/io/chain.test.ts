import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Defects, makeDefects } from '../../testing/chains-of-trust.ts';
import { bestChain, rootsOf } from './chain.ts';

let made: Defects;
beforeAll(() => {
  made = makeDefects();
});

const certificatesIn = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (each) => new X509Certificate(each),
  );

function chainOf(pem: string, roots: readonly string[], order = (sent: X509Certificate[]) => sent) {
  const [leaf, ...rest] = certificatesIn(pem);
  if (!leaf) throw new Error('no certificate');
  const chain = bestChain(leaf, [leaf, ...order(rest)], rootsOf(roots), Date.now());
  return chain?.map(({ subject }) => subject);
}

describe('the chain that lasts longest', () => {
  it('is found whatever else is presented, in any order', () => {
    const whole = ['CN=localhost', 'CN=Middle', 'CN=Test Root'];
    expect(chainOf(made.good.cert, [made.root])).toEqual(whole);
    expect(chainOf(made.crossSigned.cert, [made.root])).toEqual(whole);
    expect(chainOf(made.crossSigned.cert, [made.root], (sent) => sent.reverse())).toEqual(whole);
    expect(chainOf(`${made.good.cert}${made.root}${made.good.cert}`, [made.root])).toEqual(whole);
  });

  it('goes through the cross-sign where only the old root is trusted', () => {
    expect(chainOf(made.crossSigned.cert, [made.old])).toEqual([
      'CN=localhost',
      'CN=Middle',
      'CN=Test Root',
      'CN=Old Root',
    ]);
  });

  it('is the one by the root itself where both are trusted, as the cross-sign ends first', () => {
    expect(chainOf(made.crossSigned.cert, [made.old, made.root])).toHaveLength(3);
  });

  it('is none without an issuer or a root', () => {
    expect(chainOf(made.incomplete.cert, [made.root])).toBeUndefined();
    expect(chainOf(made.foreign.cert, [made.root])).toBeUndefined();
    expect(chainOf(made.good.cert, [])).toBeUndefined();
    expect(chainOf(made.good.cert, rootCertificates)).toBeUndefined();
  });

  it('is the certificate alone where it is trusted itself', () => {
    expect(chainOf(made.selfSigned.cert, [made.selfSigned.cert])).toEqual(['CN=localhost']);
  });
});

describe('certificates that issue each other in many ways', () => {
  it('cost a bounded number of signatures', () => {
    const [leaf] = certificatesIn(made.good.cert);
    if (!leaf) throw new Error('no certificate');
    let verified = 0;
    // What a server might make: every one issues every other.
    const tangle: X509Certificate[] = Array.from({ length: 10 }, (_, i) => {
      const own = {
        subject: 'CN=x',
        issuer: 'CN=x',
        ca: true,
        raw: Buffer.from([i]),
        validFromDate: new Date(0),
        validToDate: new Date(9e12),
        publicKey: leaf.publicKey,
        checkIssued: () => true,
        verify: () => {
          verified += 1;
          return true;
        },
      };
      return own as unknown as X509Certificate;
    });
    const [first] = tangle;
    if (!first) throw new Error('no tangle');
    expect(bestChain(first, tangle, rootsOf([made.root]), Date.now())).toBeUndefined();
    expect(verified).toBe(32);
  });
});
