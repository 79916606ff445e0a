/**
 * Refusals: a server that is well but does not want to answer this client. With `refusals: skip` they say nothing of the
 * target and are written as skipped, with their fault; a skipped line may have no other fault of the target.
 *
 * What belongs here is what the server says of the client, never of itself:
 * - a rate limit: HTTP 429 (RFC 6585 section 4), also in answer to the upgrade of a WebSocket; JSON-RPC errors that tell
 *   of one (`target.rpc.limit`);
 * - a ban: HTTP 403, by which firewalls of web applications block, also in answer to the upgrade; close code 1008 of a
 *   WebSocket, "violates its policy" (RFC 6455 section 7.4.1).
 * Not 401, which is a key that is wrong or missing; not 503, with Retry-After or without, nor close code 1013: overload
 * and maintenance, which all users meet (RFC 9110 section 15.6.4); not REFUSED of a name server, which does not serve
 * the zone; not a connection that is refused or cut off, which tells nothing of why.
 */
import type { FaultId } from './meaning.ts';

export const refusalFaults: ReadonlySet<FaultId> = new Set([
  'target.http.refused',
  'target.rpc.limit',
  'target.ws.refused',
]);

/** Statuses of such an answer. */
export const refusalStatuses: ReadonlySet<number> = new Set([403, 429]);
/** Close codes of such an end. */
export const refusalCloses: ReadonlySet<number> = new Set([1008]);
