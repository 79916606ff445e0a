/**
 * The one call out of the collector to a witness: POST PREFIX/add-checkpoint (C2SP tlog-witness). The address is used
 * as the operator wrote it; a deadline covers the whole of it, the answer is capped, no redirect is followed.
 */

/** For the whole exchange, ms. */
export const DEADLINE_MS = 5_000;
/** Of an answer. One cosignature has some 200 bytes, and a witness may send several. */
export const MAX_ANSWER_BYTES = 65_536;

export type WitnessReply =
  | {
      readonly status: number;
      /** Media type without parameters, in lower case. */
      readonly type: string;
      /** Its Retry-After in seconds, as written. */
      readonly retryAfter?: string;
      readonly body: Uint8Array;
    }
  | { readonly error: string };

export type AskWitness = (url: string, body: string, signal: AbortSignal) => Promise<WitnessReply>;

/** Of the submission prefix, without a slash at its end. Never rejects. */
export const askWithin =
  (deadlineMs: number): AskWitness =>
  async (url, body, signal) => {
    const deadline = AbortSignal.timeout(deadlineMs);
    try {
      const answer = await fetch(`${url}/add-checkpoint`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'text/plain; charset=utf-8', 'accept-encoding': 'identity' },
        redirect: 'manual',
        signal: AbortSignal.any([deadline, signal]),
      });
      const retryAfter = answer.headers.get('retry-after');
      return {
        status: answer.status,
        type: (answer.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '',
        ...(retryAfter === null ? {} : { retryAfter }),
        body: await readCapped(answer),
      };
    } catch (error) {
      return { error: deadline.aborted ? `no answer within ${deadlineMs / 1_000} s` : reasonOf(error) };
    }
  };

export const askWitness: AskWitness = askWithin(DEADLINE_MS);

async function readCapped(answer: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** fetch says `fetch failed`; what failed is inside. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'not reached';
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? `not reached (${String(cause.code)})` : cause.message;
  return error.message;
}
