/** What a long-lived subscription says of its server. Pure. */
import { type Fault, faultId } from '@highwater/config/faults.ts';
import type { Chain } from '@highwater/config/model.ts';
import { formatDuration } from '@highwater/config/time.ts';
import { fault } from '../fault.ts';
import type { StreamCounts, StreamState } from './stream-fold.ts';
import type { KeptState } from './stream-keep.ts';

export interface Judged {
  readonly outcome: 'fail' | 'degraded';
  readonly fault: Fault;
}

/** Twice three block times: one that is late is common, several are not; never less than 30 s, never over the chain's limit. */
export function defaultMaxSilenceMs({ blockTimeMs, maxAgeMs }: Chain): number {
  return Math.min(Math.max(6 * blockTimeMs, 30_000), maxAgeMs);
}

export interface Silence {
  readonly maxSilenceMs: number;
  /** Milliseconds that never step. */
  readonly nowMs: number;
  /** Whether something was there to be pushed: a chain that stands still is no fault of the socket. */
  readonly due: boolean;
}

/** A connection that cannot be made although fresh ones can, or that brings nothing. */
export function silent(kept: KeptState, { maxSilenceMs, nowMs, due }: Silence): Judged | undefined {
  const { downSinceMs, quietSinceMs } = kept;
  const told = (detail: string): Judged => ({ outcome: 'fail', fault: fault('target.ws.silent', detail) });
  if (downSinceMs !== undefined) {
    if (nowMs - downSinceMs <= maxSilenceMs) return undefined;
    const why = kept.trouble ? `: ${faultId(kept.trouble)} ${kept.trouble.detail ?? ''}`.trimEnd() : '';
    const how = kept.renewing ? ', made anew after silence, has not opened' : ' is down';
    return told(`the long-lived connection${how} for ${seconds(nowMs - downSinceMs)}${why}`);
  }
  if (!due || quietSinceMs === undefined || nowMs - quietSinceMs <= maxSilenceMs) return undefined;
  return told(`nothing for ${seconds(nowMs - quietSinceMs)}, limit ${formatDuration(maxSilenceMs)}`);
}

/** What came over it and could not be read, as opposed to its end. */
export function unreadable({ lostBy }: KeptState): Judged | undefined {
  if (!lostBy || lostBy.source !== 'target') return undefined;
  const { operation, code } = lostBy;
  const cut = operation === 'ws' && ['closed', 'refused', 'timeout'].includes(code);
  return cut || !['ws', 'rpc', 'head'].includes(operation) ? undefined : { outcome: 'fail', fault: lostBy };
}

export function dropped({ lost, lostBy }: KeptState): Judged | undefined {
  if (lost < 2) return undefined;
  const why = lostBy ? `, the last time by ${faultId(lostBy)} ${lostBy.detail ?? ''}`.trimEnd() : '';
  return {
    outcome: 'degraded',
    fault: fault('target.ws.dropped', `${lost} times since the last round${why}`),
  };
}

export function gapped({ missing }: StreamCounts): Judged | undefined {
  if (missing === 0) return undefined;
  const blocks = missing === 1 ? '1 block' : `${missing} blocks`;
  return { outcome: 'degraded', fault: fault('target.ws.gap', `${blocks} missing since the last round`) };
}

export function slow(tenths: number, limitMs: number | undefined): Judged | undefined {
  if (limitMs === undefined || tenths <= limitMs * 10) return undefined;
  return {
    outcome: 'degraded',
    fault: fault('target.ws.slow', `${tenths / 10} ms, limit ${limitMs} ms`),
  };
}

/** What the long-lived connection tells as facts; counts that are 0 are left out. */
export function keptFacts(
  kept: KeptState,
  stream: StreamState | undefined,
  nowMs: number,
): Record<string, string> {
  const { movedAtMs, lost, closeCode } = kept;
  const { counts, finalizedHeight } = stream ?? {};
  const some = { gap: counts?.missing, rep: counts?.repeated, reorg: counts?.replaced, lost };
  return {
    ...(movedAtMs === undefined ? {} : { age: String(Math.round(nowMs - movedAtMs)) }),
    ...(closeCode === undefined ? {} : { cc: String(closeCode) }),
    ...(finalizedHeight === undefined ? {} : { fh: String(finalizedHeight) }),
    ...Object.fromEntries(Object.entries(some).flatMap(([name, n]) => (n ? [[name, String(n)]] : []))),
  };
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1_000)} s`;
}
