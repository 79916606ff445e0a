import { parseDurationMs } from '@highwater/config/time.ts';
import { HttpError } from './reply.ts';

/** The longest that a call may be held open, ms. */
export const maxWaitMs = 30_000;

/** A whole number that is not negative, from the query; `fallback` when it is not given. Throws HttpError 400. */
export function queryInteger(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  const value = /^(0|[1-9][0-9]{0,15})$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new HttpError(400, `${name}=${text.slice(0, 40)} is not a whole number`, `give ${name} as digits`);
  }
  return value;
}

/** How long to wait for news, at most 30 s; 0 when not asked. Throws HttpError 400. */
export function queryWaitMs(query: URLSearchParams): number {
  const text = query.get('wait');
  if (text === null) return 0;
  const value = parseDurationMs(text);
  if (value === undefined) {
    throw new HttpError(400, `wait=${text.slice(0, 40)} is not a duration`, 'give it like 30s');
  }
  return Math.min(value, maxWaitMs);
}
