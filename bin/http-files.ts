/**
 * A bundle's files asked for one by one at the page: GET URL/bundle/NAME. What is probably asked for next is fetched ahead, in
 * the order of files.ts: entries as `range` tells them, bodies as the day before had them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BundleError, type BundleFiles } from '@highwater/config/bundle/files.ts';
import { compareNames, placeOfName } from '@highwater/config/bundle/order.ts';
import { BundleAhead } from './http-ahead.ts';

/** For the whole of a file. */
const DEADLINE_MS = 120_000;
const ATTEMPTS = 3;
const PAUSE_MS = 500;
/** Files on their way at once, besides the one that is asked for. */
const AHEAD = 4;
/** One that is larger is fetched when it is asked for: most are 8 MiB at most (BODIES_FILE_BYTES). */
const AHEAD_BYTES = 32 * 1024 * 1024;

export interface HttpFilesOptions {
  readonly deadlineMs?: number;
  readonly pauseMs?: number;
}

export interface HttpFiles extends BundleFiles {
  /** Decoded, of all answers so far. */
  bytes(): number;
  close(): void;
}

type Fetched = { readonly bytes: Uint8Array | undefined } | { readonly error: unknown } | 'large';

/** @param base the report's address: `https://status.example.com/reports/2026-10` */
export function httpFiles(base: string, options: HttpFilesOptions = {}): HttpFiles {
  const { deadlineMs = DEADLINE_MS, pauseMs = PAUSE_MS } = options;
  const stop = new AbortController();
  const ahead = new BundleAhead();
  const coming = new Map<string, Promise<Fetched>>();
  let total = 0;

  const once = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const answer = await fetch(`${base}/bundle/${name}`, {
      // Whoever it leads to is not whom the reader has named.
      redirect: 'manual',
      signal: AbortSignal.any([stop.signal, AbortSignal.timeout(deadlineMs)]),
    });
    const { status } = answer;
    if (status === 200 && !(answer.headers.get('content-type') ?? '').startsWith('text/html'))
      return bounded(name, answer, maxBytes, (bytes) => (total += bytes));
    await answer.body?.cancel();
    if (status === 404 || status === 410) return undefined;
    if (status >= 300 && status < 400) {
      const to = (answer.headers.get('location') ?? 'nowhere')
        .replace(/[^\u0021-\u007e]/g, '?')
        .slice(0, 300);
      throw new BundleError(name, `it leads elsewhere (${status}, to ${to}), which is not followed`);
    }
    if (status === 200)
      throw new BundleError(name, 'a page came in its place; is this a report of Highwater?');
    if (status >= 400 && status < 500 && ![408, 425, 429].includes(status))
      throw new BundleError(name, `it is refused (${status})`);
    throw new Error(`it answers ${status}`);
  };

  const get = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await once(name, maxBytes);
      } catch (error) {
        if (error instanceof BundleError) throw error;
        if (stop.signal.aborted || attempt === ATTEMPTS)
          throw new BundleError(name, `it can not be fetched (${reasonOf(error, deadlineMs)})`, {
            cause: error,
          });
        await sleep(pauseMs * attempt, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  };

  /** Never rejects: it may be that nobody asks. */
  const fetchAhead = async (name: string): Promise<Fetched> => {
    try {
      return { bytes: await get(name, AHEAD_BYTES) };
    } catch (error) {
      return error instanceof TooLarge ? 'large' : { error };
    }
  };

  const take = async (name: string, maxBytes: number): Promise<Uint8Array | undefined> => {
    const came = await coming.get(name);
    coming.delete(name);
    if (came === undefined || came === 'large') return get(name, maxBytes);
    if ('error' in came) throw came.error;
    if ((came.bytes?.length ?? 0) > maxBytes) throw new TooLarge(name, maxBytes);
    return came.bytes;
  };

  return {
    async read(name, maxBytes) {
      if (placeOfName(name) === undefined) throw new BundleError(name, 'this is no file of a bundle');
      // What was passed over is not asked for any more.
      for (const other of coming.keys()) if (compareNames(other, name) < 0) coming.delete(other);
      const taking = take(name, maxBytes);
      for (const next of ahead.after(name, AHEAD)) {
        if (coming.size > AHEAD) break;
        if (!coming.has(next)) coming.set(next, fetchAhead(next));
      }
      const bytes = await taking;
      ahead.saw(name, bytes);
      return bytes;
    },
    bytes: () => total,
    close: () => stop.abort(),
  };
}

class TooLarge extends BundleError {
  constructor(name: string, maxBytes: number) {
    super(name, `it has over ${maxBytes} bytes`);
  }
}

/** Decoded, and counted as it comes: what is packed may be a thousand times larger than what came. */
async function bounded(
  name: string,
  answer: Response,
  maxBytes: number,
  count: (bytes: number) => void,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    size += part.length;
    count(part.length);
    if (size > maxBytes) throw new TooLarge(name, maxBytes);
    parts.push(part);
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

export function reasonOf(cause: unknown, deadlineMs: number): string {
  if (!(cause instanceof Error)) return 'unknown';
  if (cause.name === 'TimeoutError') return `not there within ${deadlineMs / 1_000} s`;
  const inner = cause.cause;
  return inner instanceof Error && 'code' in inner ? String(inner.code) : cause.message;
}
