/** One GET at the collector: with a deadline, a limit of bytes, and an ETag that spares the body. */

export interface CollectorAddress {
  readonly collectorUrl: string;
  readonly token?: string;
}

export interface Ask {
  /** `/v1/snapshot` */
  readonly path: string;
  readonly etag: string | undefined;
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Answered {
  readonly text: string;
  readonly bytes: number;
  readonly etag: string | undefined;
}

/** `same` when nothing changed (304), `absent` for 404. Throws when the collector is gone, answers otherwise, or too much. */
export async function askCollector(to: CollectorAddress, ask: Ask): Promise<Answered | 'same' | 'absent'> {
  const response = await fetch(new URL(ask.path, to.collectorUrl), {
    // A redirect could take the token elsewhere.
    redirect: 'error',
    signal: AbortSignal.any([ask.signal, AbortSignal.timeout(ask.deadlineMs)]),
    headers: {
      accept: 'application/json',
      ...(ask.etag === undefined ? {} : { 'if-none-match': ask.etag }),
      ...(to.token === undefined ? {} : { authorization: `Bearer ${to.token}` }),
    },
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    if (response.status === 304) return 'same';
    if (response.status === 404) return 'absent';
    throw new Error(`the collector answered ${response.status} to GET ${ask.path}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > ask.maxBytes)
      throw new Error(`the collector's answer to GET ${ask.path} is larger than ${ask.maxBytes} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { text, bytes, etag: response.headers.get('etag') ?? undefined };
}

/** What went wrong, for the log. */
export function reason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  return (error instanceof Error ? error.message : String(error)).slice(0, 500) + cause;
}
