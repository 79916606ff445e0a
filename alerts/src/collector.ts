/** The two things that are asked of the collector. Deadline and byte cap on each; errors never hold the token. */
import type { z } from 'zod';

/** A page of the feed is far smaller; more means that something else answers. */
export const maxAnswerBytes = 16 * 1024 * 1024;

export interface Collector {
  readonly url: string;
  readonly token?: string;
}

/** GET of one JSON body. Throws an Error that says what went wrong. */
export async function ask<T>(
  collector: Collector,
  path: string,
  schema: z.ZodType<T>,
  deadlineMs: number,
  signal: AbortSignal,
): Promise<T> {
  const headers = collector.token === undefined ? {} : { authorization: `Bearer ${collector.token}` };
  const limit = AbortSignal.timeout(deadlineMs);
  const answer = await fetch(`${collector.url.replace(/\/$/, '')}${path}`, {
    headers,
    signal: AbortSignal.any([limit, signal]),
    redirect: 'error',
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  if (answer.status === 401 || answer.status === 403) {
    throw new Error(
      `HTTP ${answer.status}: the collector wants a token; set HIGHWATER_TOKEN or HIGHWATER_TOKEN_FILE`,
    );
  }
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  const parsed = schema.safeParse(JSON.parse(Buffer.concat(chunks).toString()));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`not the form expected: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`);
  }
  return parsed.data;
}
