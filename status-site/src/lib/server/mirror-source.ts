/** Where the mirror has the log from: the collector, over HTTP, each answer bounded in bytes and time. */

/** The collector did not answer, not in time, or with more than it may: nothing is known of what was asked for. */
export class Unanswered extends Error {
  override name = 'Unanswered';
}

export interface Source {
  /** The whole answer; undefined for 404. Throws Unanswered. */
  get(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** The answer in parts, for what is not to be in memory whole; undefined for 404. Throws Unanswered, on the way too. */
  parts(path: string, maxBytes: number): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export interface SourceOptions {
  readonly collectorUrl: string;
  readonly token?: string;
  /** For one whole answer; default 10,000. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 10_000;

export function sourceOf(options: SourceOptions, signal: AbortSignal): Source {
  const { collectorUrl, token, deadlineMs = DEADLINE_MS } = options;

  async function parts(path: string, maxBytes: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    const response = await unlessLost(path, () =>
      fetch(new URL(path, collectorUrl), {
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
        headers: {
          // What is packed could be a million times as large.
          'accept-encoding': 'identity',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      }),
    );
    if (response.status === 200) return bounded(path, response, maxBytes);
    await response.body?.cancel();
    if (response.status === 404) return undefined;
    throw new Unanswered(`the collector answered ${response.status} to GET ${path}`);
  }

  return {
    parts,
    async get(path, maxBytes) {
      const answer = await parts(path, maxBytes);
      if (answer === undefined) return undefined;
      const chunks: Uint8Array[] = [];
      for await (const chunk of answer) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
  };
}

async function* bounded(path: string, response: Response, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const chunks = response.body?.[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await unlessLost(path, async () => chunks?.next());
      if (next === undefined || next.done === true) return;
      bytes += next.value.byteLength;
      if (bytes > maxBytes) throw new Unanswered(`the answer to GET ${path} has over ${maxBytes} bytes`);
      yield next.value;
    }
  } finally {
    // Who stops reading leaves no connection open; one that is broken says so again.
    await chunks?.return?.().catch(() => undefined);
  }
}

async function unlessLost<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause : cause).message : '';
    throw new Unanswered(`GET ${path}: ${why.slice(0, 300)}`, { cause });
  }
}
