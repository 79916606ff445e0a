/** Faults of the TLS handshake and the certificate. */
import type { FaultMeanings } from './meaning.ts';

export const tlsFaults: FaultMeanings = {
  'target.tls.expired': {
    means: 'The certificate has expired.',
    look: 'Renew it, and find out why the renewal did not run.',
  },
  'target.tls.not-yet-valid': {
    means: 'The certificate is not valid yet.',
    look: "Compare the clocks of the server, the issuer and the probe with the certificate's dates.",
  },
  'target.tls.wrong-host': {
    means: 'The certificate is for another name.',
    look: 'Does the server present the right certificate for this name (SNI)?',
  },
  'target.tls.self-signed': {
    means: 'The certificate is signed by itself.',
    look: 'A default certificate is served; install the real one.',
  },
  'target.tls.untrusted': {
    means: 'The certificate chain does not lead to a trusted root.',
    look: 'An intermediate certificate is often missing from the server.',
  },
  'target.tls.handshake': {
    means: 'The TLS handshake failed.',
    look: 'Protocol versions or ciphers do not match, or the port does not speak TLS.',
  },
  'target.tls.timeout': {
    means: 'The TLS handshake did not end before the deadline.',
    look: 'The server accepts connections but does not go on: overloaded or stopped.',
  },
  'target.tls.protocol': {
    means: 'The server speaks no version of TLS that is new enough.',
    look: 'Turn on TLS 1.2 and 1.3; the older ones are refused by browsers and wallets (RFC 8996).',
  },
  'target.tls.fingerprint': {
    means: 'The certificate is another than the one that this check is told to expect.',
    look: 'Was it renewed? Then the setting wants the new one. If not, somebody else answers at this address.',
  },
  'target.tls.expiring': {
    means: 'The certificate, or one that it depends on, expires very soon.',
    look: 'Renew it now, and find out why the renewal did not run; was the server reloaded after it?',
  },
  'target.tls.expires-soon': {
    means: 'The certificate, or one that it depends on, expires soon: its renewal is overdue.',
    look: "Look at the log of the renewal (certbot, the proxy's own), and whether the server was reloaded after it.",
  },
};
