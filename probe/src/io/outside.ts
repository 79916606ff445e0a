/** What the one way out needs to know, and how a deadline is told from the program ending. */
import type { SecureContext } from 'node:tls';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import type { Ending } from '../deadline.ts';
import { isTimeout, timeoutFault } from '../fault.ts';
import type { Consent } from './reach.ts';
import type { AddressFamily, Resolve } from './resolve.ts';
import type { PhaseName } from './stopwatch.ts';

/** A target whose secrets have been fetched for this run. */
export interface OpenTarget {
  readonly url: string;
  readonly address?: string | undefined;
  readonly address6?: string | undefined;
  readonly allowPrivate: boolean;
  /** Asked over this address family alone, wherever it leads. */
  readonly family?: AddressFamily | undefined;
  readonly headers: Readonly<Record<string, string | Secret>>;
}

/** What is the same for all checks of one probe. */
export interface Outside {
  readonly resolve: Resolve;
  readonly consent: Consent;
  readonly userAgent: string;
  /** Milliseconds that never step. */
  readonly monotonic: () => number;
  /** Which roots are trusted; Node's own by default, with NODE_EXTRA_CA_CERTS. */
  readonly secureContext?: SecureContext;
  /** The probe's own resolvers, `127.0.0.1:5353`; the system's when left out. */
  readonly resolvers?: readonly string[];
  /** The roots of `secureContext`, as PEM, where it is not the default: a context does not tell. */
  readonly roots?: readonly string[];
}

/** Past the deadline it is a fault of the phase that ran; when the program ends it is no fault at all. */
export function abortError(signal: Ending, phase: PhaseName): Error {
  return isTimeout(signal.reason) ? new FaultError(timeoutFault(phase)) : asError(signal.reason);
}

/**
 * What the target's URL and its `headers` add to a request. They go to the origin asked for alone: a redirect must not
 * carry a secret elsewhere. Another port of the target's host, when the check names it, is the operator's own choice
 * and as much the target as its URL.
 */
export function ownHeaders(
  url: URL,
  own: URL,
  target: OpenTarget,
  userAgent: string,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent };
  if (url.origin !== own.origin) return headers;
  if (own.username !== '' || own.password !== '') {
    const pair = `${decodeURIComponent(own.username)}:${decodeURIComponent(own.password)}`;
    headers['authorization'] = `Basic ${Buffer.from(pair).toString('base64')}`;
  }
  for (const [name, value] of Object.entries(target.headers)) {
    headers[name.toLowerCase()] = typeof value === 'string' ? value : value.reveal();
  }
  return headers;
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('aborted', { cause: thrown });
}
