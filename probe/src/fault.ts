/** Turns what was thrown into a fault of the closed list. The table is the whole mapping; nothing else decides. */
import type { Phases } from '@highwater/config/domain.ts';
import { faultFromId, type Fault, type FaultId } from '@highwater/config/faults.ts';
import { FaultError } from '@highwater/config/kinds.ts';
import type { PhaseName } from './io/stopwatch.ts';

/** System and library codes that mean the same in every phase. */
const anywhere: Readonly<Record<string, FaultId>> = {
  EMFILE: 'probe.fd.exhausted',
  ENFILE: 'probe.fd.exhausted',
};

const byPhase: Readonly<Record<PhaseName, Readonly<Record<string, FaultId>>>> = {
  resolve: {
    ENOTFOUND: 'resolver.resolve.nxdomain',
    ENODATA: 'resolver.resolve.nodata',
    ESERVFAIL: 'resolver.resolve.servfail',
    ETIMEOUT: 'resolver.resolve.timeout',
    ECANCELLED: 'resolver.resolve.timeout',
    // getaddrinfo's "try again": the resolver did not get an answer.
    EAI_AGAIN: 'resolver.resolve.servfail',
  },
  connect: {
    ECONNREFUSED: 'target.connect.refused',
    ECONNRESET: 'target.connect.reset',
    ECONNABORTED: 'target.connect.reset',
    ETIMEDOUT: 'target.connect.timeout',
    EHOSTUNREACH: 'target.connect.unreachable',
    ENETUNREACH: 'target.connect.unreachable',
    EHOSTDOWN: 'target.connect.unreachable',
    ENETDOWN: 'target.connect.unreachable',
    EADDRNOTAVAIL: 'target.connect.unreachable',
    EAFNOSUPPORT: 'target.connect.unreachable',
  },
  tls: {
    CERT_HAS_EXPIRED: 'target.tls.expired',
    CERT_NOT_YET_VALID: 'target.tls.not-yet-valid',
    ERR_TLS_CERT_ALTNAME_INVALID: 'target.tls.wrong-host',
    HOSTNAME_MISMATCH: 'target.tls.wrong-host',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'target.tls.self-signed',
    SELF_SIGNED_CERT_IN_CHAIN: 'target.tls.untrusted',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'target.tls.untrusted',
    UNABLE_TO_GET_ISSUER_CERT: 'target.tls.untrusted',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'target.tls.untrusted',
    CERT_UNTRUSTED: 'target.tls.untrusted',
    CERT_REVOKED: 'target.tls.untrusted',
    CERT_REJECTED: 'target.tls.untrusted',
    CERT_CHAIN_TOO_LONG: 'target.tls.untrusted',
    CERT_SIGNATURE_FAILURE: 'target.tls.untrusted',
    INVALID_CA: 'target.tls.untrusted',
    INVALID_PURPOSE: 'target.tls.untrusted',
    PATH_LENGTH_EXCEEDED: 'target.tls.untrusted',
    EE_KEY_TOO_SMALL: 'target.tls.untrusted',
    CA_KEY_TOO_SMALL: 'target.tls.untrusted',
    CA_MD_TOO_WEAK: 'target.tls.untrusted',
    ETIMEDOUT: 'target.tls.timeout',
    // What OpenSSL says when the server picks an older version, refuses ours, or has none in common with us.
    ERR_SSL_UNSUPPORTED_PROTOCOL: 'target.tls.protocol',
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'target.tls.protocol',
  },
  firstByte: {},
  transfer: {},
};

const http: Readonly<Record<string, FaultId>> = {
  ECONNRESET: 'target.http.reset',
  EPIPE: 'target.http.reset',
  ETIMEDOUT: 'target.http.timeout',
  UND_ERR_SOCKET: 'target.http.reset',
  // Of an answer that is complete: one that is cut off has the socket's code.
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'target.http.protocol',
  UND_ERR_HEADERS_OVERFLOW: 'target.http.headers',
  HPE_HEADER_OVERFLOW: 'target.http.headers',
  HPE_INVALID_EOF_STATE: 'target.http.reset',
  // In TLS 1.3 the server judges the client's certificate when the handshake has ended for the client.
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'target.tls.handshake',
};

const otherwise: Readonly<Record<PhaseName, FaultId>> = {
  resolve: 'resolver.resolve.failed',
  connect: 'target.connect.failed',
  tls: 'target.tls.handshake',
  firstByte: 'target.http.protocol',
  transfer: 'target.http.protocol',
};

const deadline: Readonly<Record<PhaseName, FaultId>> = {
  resolve: 'resolver.resolve.timeout',
  connect: 'target.connect.timeout',
  tls: 'target.tls.timeout',
  firstByte: 'target.http.timeout',
  transfer: 'target.http.timeout',
};

const maxDetail = 256;

/** A fault of the list with a detail that is safe to keep: at most 256 characters, no control characters. */
export function fault(id: FaultId, detail?: string): Fault {
  const known = faultFromId(id);
  if (!known) throw new Error(`${id} is not in the closed list of faults`);
  return detail === undefined || detail === '' ? known : { ...known, detail: cleanDetail(detail) };
}

/** What is thrown so that the driver writes an observation with this fault. */
export function faultError(id: FaultId, detail?: string, phases?: Phases): FaultError {
  return new FaultError(fault(id, detail), phases);
}

/** The deadline of the check passed while this phase ran. */
export function timeoutFault(phase: PhaseName): Fault {
  return fault(deadline[phase]);
}

/** The fault behind something thrown in a phase. */
export function faultOf(thrown: unknown, phase: PhaseName): Fault {
  if (thrown instanceof FaultError) return thrown.fault;
  if (isTimeout(thrown)) return timeoutFault(phase);
  const code = codeOf(thrown);
  const table = phase === 'firstByte' || phase === 'transfer' ? http : byPhase[phase];
  const id =
    anywhere[code] ??
    table[code] ??
    (table === http && isBrokenTls(code) ? 'target.http.reset' : otherwise[phase]);
  return fault(id, code === '' ? messageOf(thrown) : code);
}

/** A record that cannot be read, or an alert: the connection is gone. */
function isBrokenTls(code: string): boolean {
  return code.startsWith('ERR_SSL_');
}

/** `AbortSignal.timeout` aborts with this; anything else that aborts is the program ending. */
export function isTimeout(thrown: unknown): boolean {
  return thrown instanceof DOMException && thrown.name === 'TimeoutError';
}

/** Text from outside as one line of at most 256 characters. */
export function cleanDetail(text: string): string {
  // Control, format and bidirectional characters could forge log lines or hide text.
  const line = text
    .slice(0, 4 * maxDetail)
    .replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
    .trim();
  return line.length <= maxDetail ? line : `${line.slice(0, maxDetail - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function codeOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
