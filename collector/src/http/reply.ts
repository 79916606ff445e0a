/**
 * What a handler gives back; the server writes it. A body that is given in parts is written as its reader takes it, so
 * that what is large costs the memory of one part; the call keeps its place until then.
 */
export interface Reply {
  readonly status: number;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  };
}

/** A request that can't be served. The message names what is wrong; `remedy` says what to do instead. */
export class HttpError extends Error {
  override name = 'HttpError';
  readonly status: number;
  readonly remedy: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    message: string,
    remedy?: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
    this.status = status;
    this.remedy = remedy;
    this.headers = headers;
  }
}
