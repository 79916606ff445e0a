/**
 * What a failed request to Discord means for the delivery. Errors of discord.js carry the webhook's URL,
 * so nothing of them is repeated but status, code and Discord's own sentence.
 */
import type { Delivery } from '@highwater/config/kinds.ts';
import { plain } from '../text.ts';
import { Redirected, timeoutMs } from './discord-request.ts';

/** https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes */
const unknownMessage = 10_008;

interface ApiError {
  readonly status: number;
  readonly code: unknown;
  readonly message: string;
}

function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && 'status' in error && typeof error.status === 'number';
}

/** The message to edit was deleted: no fault of the webhook. */
export const UnknownMessage = {
  is: (error: unknown): boolean => isApiError(error) && error.status === 404 && error.code === unknownMessage,
};

/** Never throws; never returns `delivered`. */
export function judge(error: unknown): Exclude<Delivery, { result: 'delivered' }> {
  if (isRateLimit(error)) {
    // `retryAfter` is from a 429; `timeToReset` from a limit that the client knew of and did not run into.
    const times = [error.retryAfter, error.timeToReset, error.sublimitTimeout];
    const afterMs = Math.max(1_000, ...times.filter((ms) => Number.isFinite(ms)));
    return { result: 'retry', reason: 'Discord asks to wait (rate limit)', afterMs };
  }
  if (error instanceof Redirected) {
    const reason = `the webhook answers with a redirect (${error.message}), which is not followed; use the URL that it leads to`;
    return { result: 'permanent', reason, scope: 'channel' };
  }
  if (!isApiError(error)) return { result: 'retry', reason: reasonOf(error) };
  const { status } = error;
  if (status >= 500 || status === 408 || status === 425) {
    return { result: 'retry', reason: `Discord answered HTTP ${status}` };
  }
  const said = `HTTP ${status}, code ${String(error.code)}: ${plain(error.message, 200)}`;
  if (status === 401 || status === 403 || status === 404) {
    // Going on would get the address banned: 10,000 such answers in ten minutes
    // (https://discord.com/developers/docs/topics/rate-limits#invalid-request-limit-aka-cloudflare-bans).
    const reason = `Discord refuses the webhook (${said}); was it deleted? Make a new one and put its URL where the channel's setting points`;
    return { result: 'permanent', reason, scope: 'channel' };
  }
  return { result: 'permanent', reason: `Discord refuses the message (${said})` };
}

function isRateLimit(
  error: unknown,
): error is { retryAfter: number; timeToReset: number; sublimitTimeout: number } {
  return error instanceof Error && 'retryAfter' in error && 'timeToReset' in error;
}

/** The code of the system's error where there is one; never its message, which may hold the address. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return `no answer from Discord within ${timeoutMs / 1_000} s`;
  }
  if (error.message.startsWith('the answer is larger')) return error.message;
  const cause: unknown = error.cause;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : error.name;
  return `Discord could not be reached (${plain(code, 60)})`;
}
