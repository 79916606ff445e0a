/**
 * The one request that discord.js may make: a deadline over headers and body, a cap on bytes, no redirect.
 * Left to itself discord.js stops its clock at the headers and reads bodies without limit, takes Retry-After
 * from the header alone, and trips over error bodies that are not JSON objects.
 */
import type { RESTOptions } from 'discord.js';
import { plain } from '../text.ts';

export const timeoutMs = 10_000;
/** A message with one embed is answered in about 2 kB. */
export const maxAnswerBytes = 256 * 1024;

type MakeRequest = RESTOptions['makeRequest'];

export const boundedRequest: MakeRequest = async (url, init) => {
  const { signal, method, headers, body } = init;
  const deadline = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(url, {
    method: method ?? 'GET',
    headers: headers as Record<string, string>,
    ...(typeof body === 'string' ? { body } : {}),
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    redirect: 'manual',
  });
  const text = await readCapped(answer);
  const { status, statusText } = answer;
  if (status < 300) return new Response(status === 204 ? null : text, { status, headers: answer.headers });
  if (status < 400) throw new Redirected(`HTTP ${status}`);
  const error = errorBody(text, statusText);
  const out = new Headers(answer.headers);
  out.set('content-type', 'application/json');
  // Discord says it in the body as well (seconds, fractional); in front of it, only one of the two may survive.
  const seconds = Math.max(number(out.get('retry-after')), number(error['retry_after']));
  if (status === 429) out.set('retry-after', String(seconds > 0 ? seconds : defaultRetrySeconds));
  return new Response(JSON.stringify(error), { status, statusText, headers: out });
};

/** For a 429 that names no time. */
const defaultRetrySeconds = 5;

export class Redirected extends Error {
  override name = 'Redirected';
}

async function readCapped(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Discord's `{ code, message }`, or something of that form made from what came instead. */
function errorBody(text: string, statusText: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) {
      return { code: 0, ...body };
    }
  } catch {
    // Not JSON: a proxy in front of Discord.
  }
  return { code: 0, message: plain(statusText, 100) };
}

function number(value: unknown): number {
  const seconds = typeof value === 'string' || typeof value === 'number' ? Number(value) : 0;
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}
