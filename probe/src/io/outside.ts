/** What the one way out needs to know, and how a deadline is told from the program ending. */
import type { SecureContext } from 'node:tls';
import { FaultError } from '@highwater/config/kinds.ts';
import type { Secret } from '@highwater/config/secrets.ts';
import { isTimeout, timeoutFault } from '../fault.ts';
import type { Consent } from './reach.ts';
import type { Resolve } from './resolve.ts';
import type { PhaseName } from './stopwatch.ts';

/** A target whose secrets have been fetched for this run. */
export interface OpenTarget {
  readonly url: string;
  readonly address?: string | undefined;
  readonly address6?: string | undefined;
  readonly allowPrivate: boolean;
  readonly headers: Readonly<Record<string, string | Secret>>;
}

/** What is the same for all checks of one probe. */
export interface Outside {
  readonly resolve: Resolve;
  readonly consent: Consent;
  readonly userAgent: string;
  /** Milliseconds that never step. */
  readonly monotonic: () => number;
  readonly secureContext?: SecureContext;
}

/** Past the deadline it is a fault of the phase that ran; when the program ends it is no fault at all. */
export function abortError(signal: AbortSignal, phase: PhaseName): Error {
  return isTimeout(signal.reason) ? new FaultError(timeoutFault(phase)) : asError(signal.reason);
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error('aborted', { cause: thrown });
}
