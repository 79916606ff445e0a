/** Calls to the collector: one deadline each, capped answers, kept connections, and nothing sent to anybody else. */
import { Agent, request } from 'undici';

export interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** How long it took, ms, by the monotonic clock. */
  readonly roundTripMs: number;
}

export interface CollectorLink {
  post(path: string, contentType: string, body: string): Promise<Reply>;
  get(
    path: string,
    headers: Readonly<Record<string, string>>,
    timeoutMs: number,
    signal: AbortSignal,
    /** A longer answer is not read: it rejects. */
    maxBytes?: number,
  ): Promise<Reply>;
  close(): Promise<void>;
}

const maxAnswerBytes = 33_554_432;
const postTimeoutMs = 20_000;

/** Throws an Error that names the flag when the address is none, or plain http across a network. */
export function openLink(collectorUrl: string, insecure: boolean): CollectorLink {
  const base = baseUrl(collectorUrl, insecure);
  const agent = new Agent({
    connections: 5,
    maxResponseSize: maxAnswerBytes,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const call = async (
    path: string,
    method: 'GET' | 'POST',
    headers: Readonly<Record<string, string>>,
    body: string | null,
    signal: AbortSignal,
    maxBytes = maxAnswerBytes,
  ): Promise<Reply> => {
    const began = performance.now();
    const answer = await request(new URL(path, base), {
      dispatcher: agent,
      method,
      headers: { 'accept-encoding': 'identity', ...headers },
      body,
      signal,
    });
    const text = await read(answer.body, maxBytes);
    return {
      status: answer.statusCode,
      text,
      headers: answer.headers,
      roundTripMs: performance.now() - began,
    };
  };
  return {
    post: (path, contentType, body) =>
      call(path, 'POST', { 'content-type': contentType }, body, AbortSignal.timeout(postTimeoutMs)),
    get: (path, headers, timeoutMs, signal, maxBytes) =>
      call(path, 'GET', headers, null, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]), maxBytes),
    close: () => agent.destroy(),
  };
}

async function read(body: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    // Leaving the loop ends the connection.
    if (bytes > maxBytes) throw new Error(`the answer has over ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Seconds only; an answer that says more than ten minutes is taken as ten. */
export function retryAfterMs(reply: Reply): number {
  const header = reply.headers['retry-after'];
  const seconds = typeof header === 'string' && /^\d{1,9}$/.test(header) ? Number(header) : 0;
  return Math.min(seconds, 600) * 1_000;
}

function baseUrl(text: string, insecure: boolean): URL {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`--collector: '${text}' is no address; write one such as https://collector.example.com`);
  }
  const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !loopback && !insecure) {
    throw new Error(
      `--collector: ${url.origin} is plain http across a network; use https, or add --insecure where a tunnel protects it`,
    );
  }
  return new URL(`${url.origin}${url.pathname.replace(/\/?$/, '/')}`);
}
