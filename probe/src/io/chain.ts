/**
 * Which chain leads from a server's certificate to a trusted root, and lasts longest. OpenSSL verifies but Node does
 * not tell which chain it found, and what a server presents is not it: a cross-sign that has expired and that nobody
 * needs any more alarmed in 2021, when DST Root CA X3 ended, wherever the earliest expiry presented was watched.
 */
import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import type { Instant } from '@highwater/config/time.ts';

/** Certificates from a server's own to the root. */
const maxLength = 8;
/** Signatures looked at for one server: certificates that seem to issue each other in many ways are its choice. */
const maxVerified = 32;

/** Trusted roots by their subject. */
export type Roots = ReadonlyMap<string, readonly X509Certificate[]>;

let own: Roots | undefined;
const others = new WeakMap<readonly string[], Roots>();

/** Read once for each list of PEM texts; without one, those that Node trusts (with NODE_EXTRA_CA_CERTS). */
export function rootsOf(pem: readonly string[] | undefined): Roots {
  if (pem === undefined) return (own ??= bySubject(getCACertificates('default')));
  const kept = others.get(pem) ?? bySubject(pem);
  others.set(pem, kept);
  return kept;
}

function bySubject(pem: readonly string[]): Roots {
  const roots = new Map<string, X509Certificate[]>();
  for (const text of pem) {
    const root = new X509Certificate(text);
    roots.set(root.subject, [...(roots.get(root.subject) ?? []), root]);
  }
  return roots;
}

/**
 * The chain whose first expiry is latest, from `leaf` to a root, both included; undefined when none leads to one.
 * The leaf may have expired or begin in future; above it only what has begun is used.
 */
export function bestChain(
  leaf: X509Certificate,
  presented: readonly X509Certificate[],
  roots: Roots,
  now: Instant,
): readonly X509Certificate[] | undefined {
  let left = maxVerified;
  let best: { readonly chain: readonly X509Certificate[]; readonly until: Instant } | undefined;
  const found = (chain: readonly X509Certificate[]) => {
    const until = Math.min(...chain.map((each) => each.validToDate.getTime() || 0));
    if (best === undefined || until > best.until) best = { chain, until };
  };
  const issued = (certificate: X509Certificate, issuer: X509Certificate): boolean => {
    if (!certificate.checkIssued(issuer) || issuer.validFromDate.getTime() > now) return false;
    left -= 1;
    return left >= 0 && isSignedBy(certificate, issuer);
  };
  const follow = (chain: readonly X509Certificate[], last: X509Certificate): void => {
    const trusted = roots.get(last.issuer) ?? [];
    for (const root of trusted) {
      if (same(root, last)) found(chain);
      else if (issued(last, root)) found([...chain, root]);
    }
    if (chain.length >= maxLength - 1) return;
    for (const each of presented) {
      const known = chain.some((used) => same(used, each)) || trusted.some((root) => same(root, each));
      if (!known && each.ca && issued(last, each)) follow([...chain, each], each);
    }
  };
  follow([leaf], leaf);
  return best?.chain;
}

/** A key of a kind that OpenSSL does not know has signed nothing that counts. */
function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function same(a: X509Certificate, b: X509Certificate): boolean {
  return a === b || a.raw.equals(b.raw);
}
