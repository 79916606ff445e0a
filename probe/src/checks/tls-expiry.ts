/** How near its end a certificate may be. Pure. */
import type { Fault } from '@highwater/config/faults.ts';
import type { Certificate, Handshake } from '@highwater/config/kinds.ts';
import { DAY_MS, type Instant } from '@highwater/config/time.ts';
import { fault } from '../fault.ts';

/**
 * Days do not fit certificates of six. Those who issue them say to renew with a third of the lifetime left, and half of
 * it when that is under ten days (Let's Encrypt, integration guide, "When to Renew"). So a third left is overdue for the
 * short ones and due for the long, and a sixth is urgent for both: of six days that is two and one, of ninety days the
 * defaults of 14 and 3 days come later and hold.
 */
const overdueShare = 3;
const urgentShare = 6;

/**
 * Judged by the chain that leads to a trusted root, not by all that was presented: an old cross-sign that nobody needs
 * may expire. `warn` and `critical` are milliseconds.
 */
export function expiryFault(
  told: Pick<Handshake, 'chain' | 'presented'>,
  { warn, critical }: { readonly warn: number; readonly critical: number },
  now: Instant,
): Fault | undefined {
  const first = firstToEnd(told);
  const leftMs = first.validTo - now;
  const lifetimeMs = Math.max(0, first.validTo - first.validFrom);
  const days = (Math.floor((leftMs / DAY_MS) * 10) / 10).toFixed(1);
  const detail = () =>
    `${whatOf(first, told.presented[0])} in ${days} days, on ${new Date(first.validTo).toISOString().slice(0, 16)}Z`;
  if (leftMs < Math.min(critical, lifetimeMs / urgentShare)) return fault('target.tls.expiring', detail());
  if (leftMs < Math.min(warn, lifetimeMs / overdueShare)) return fault('target.tls.expires-soon', detail());
  return undefined;
}

/** The certificate whose end is that of the chain. */
export function firstToEnd({ chain, presented }: Pick<Handshake, 'chain' | 'presented'>): Certificate {
  // OpenSSL has found a chain where ours was not found: then the server's own certificate is what is known.
  const judged = chain ?? presented.slice(0, 1);
  return judged.reduce((a, b) => (b.validTo < a.validTo ? b : a), presented[0]);
}

function whatOf(first: Certificate, own: Certificate): string {
  return first.fingerprint === own.fingerprint ? 'it expires' : 'a certificate above it in the chain expires';
}
