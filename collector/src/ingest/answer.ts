import type { Accepted, Refused } from '@highwater/config/wire.ts';

/** What a probe is told (CONTRACTS "Answers"). Refusals are values: they are part of the conversation. */
export type IngestAnswer =
  | { readonly status: 200; readonly body: Accepted }
  | {
      readonly status: 400 | 401 | 409 | 413 | 422 | 428 | 429;
      readonly body: Refused;
      readonly retryAfterS?: number;
    };

export function refuse(
  status: 400 | 401 | 409 | 413 | 422 | 428 | 429,
  at: number,
  error: string,
  more: Omit<Refused, 'error' | 'at'> = {},
): IngestAnswer {
  return { status, body: { error, at, ...more }, ...(status === 429 ? { retryAfterS: 1 } : {}) };
}
