/** Faults of the TLS handshake and the certificate. */
import type { FaultMeanings } from './meaning.ts';

export const tlsFaults: FaultMeanings = {
  'target.tls.expired': {
    means: 'The certificate has expired.',
    look: 'Renew it, and find out why the renewal did not run.',
    causes: [
      'the renewal failed: a challenge that no longer gets through',
      'it was renewed, but the server was not reloaded',
      'an intermediate certificate has expired and was not replaced',
    ],
  },
  'target.tls.not-yet-valid': {
    means: 'The certificate is not valid yet.',
    look: "Compare the clocks of the server, the issuer and the probe with the certificate's dates.",
    causes: [
      'the clock of the probe is behind',
      'the certificate was issued for a later date',
      'the clock of a private issuer is ahead',
    ],
  },
  'target.tls.wrong-host': {
    means: 'The certificate is for another name.',
    look: 'Does the server present the right certificate for this name (SNI)?',
    causes: [
      'the default host of the proxy answers, as no host has this name',
      'the certificate lacks this name or its www',
      'the DNS record leads to another machine',
    ],
  },
  'target.tls.self-signed': {
    means: 'The certificate is signed by itself.',
    look: 'A default certificate is served; install the real one.',
    causes: [
      'the default certificate of the proxy is still installed',
      'the issuing of the real one failed',
      'a device on the way answers in its place',
    ],
  },
  'target.tls.untrusted': {
    means: 'The certificate chain does not lead to a trusted root.',
    look: 'An intermediate certificate is often missing from the server. Of a private issuer: start the probe with its root in a file that NODE_EXTRA_CA_CERTS names.',
    causes: [
      'the server does not send the intermediate certificate',
      'the certificate is of a private issuer',
      'a proxy on the way that breaks up TLS',
    ],
  },
  'target.tls.handshake': {
    means: 'The TLS handshake failed.',
    look: 'Protocol versions or ciphers do not match, or the port does not speak TLS.',
    causes: [
      'the port speaks plain text, not TLS',
      'no cipher or curve in common',
      'no host for this name (SNI), so that the server refuses',
      'the server asks for a certificate of the client',
    ],
  },
  'target.tls.timeout': {
    means: 'The TLS handshake did not end before the deadline.',
    look: 'The server accepts connections but does not go on: overloaded or stopped.',
    causes: [
      'the process is stopped or overloaded, while the kernel accepts for it',
      'the port waits for plain text, not for TLS',
      'packets that are too large for the path are lost (MTU)',
    ],
  },
  'target.tls.protocol': {
    means: 'The server speaks no version of TLS that is new enough.',
    look: 'Turn on TLS 1.2 and 1.3; the older ones are refused by browsers and wallets (RFC 8996).',
    causes: [
      'an old server or library with TLS 1.0 and 1.1 alone',
      'an old ssl_protocols line of the proxy',
      'an appliance that was not updated',
    ],
  },
  'target.tls.fingerprint': {
    means: 'The certificate is another than the one that this check is told to expect.',
    look: 'Was it renewed? Then the setting wants the new one. If not, somebody else answers at this address.',
    causes: [
      'the certificate was renewed, and the setting was not',
      'one of several servers has another certificate',
      'somebody else answers at this address',
    ],
  },
  'target.tls.expiring': {
    means: 'The certificate, or one that it depends on, expires very soon.',
    look: 'Renew it now, and find out why the renewal did not run; was the server reloaded after it?',
    causes: [
      'the renewal fails: a challenge that no longer gets through',
      'it was renewed, but the server was not reloaded',
      'nobody renews it: it was installed by hand',
    ],
  },
  'target.tls.expires-soon': {
    means: 'The certificate, or one that it depends on, expires soon: its renewal is overdue.',
    look: "Look at the log of the renewal (certbot, the proxy's own), and whether the server was reloaded after it.",
    causes: [
      'the renewal fails: a challenge that no longer gets through',
      'it was renewed, but the server was not reloaded',
      'nobody renews it: it was installed by hand',
    ],
  },
};
